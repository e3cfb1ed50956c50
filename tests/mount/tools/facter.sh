#!/bin/bash
# Tool: facter: external facts
# Works: yes
# Notes: text, JSON and YAML; a key never has an execute bit, so none is run as a fact
# Heavy: yes
. "${0%/*}/lib.bash"
needs facter
keys a.txt b.json c.yaml d.sh
put a.txt $'colour=blue\nplace=here\n'
put b.json '{"shape": {"sides": 4}}'
put c.yaml $'size: large\n'
put d.sh $'#!/bin/sh\necho injected=yes\n'

fact() {
    facter --external-dir m/app "$1" 2>/dev/null
}
equal "$(fact colour)" blue
equal "$(fact shape.sides)" 4
equal "$(fact size)" large
equal "$(fact injected)" ''
sent
