#!/bin/bash
# Tool: dash: `>`, `>>`, `>|`, here-documents, `read`
# Works: yes
# Notes: as bash; it says "I/O error" whatever the error of a write was
. "${0%/*}/lib.bash"
. "${0%/*}/redirections.bash"
needs dash
redirections 'I/O error' dash
