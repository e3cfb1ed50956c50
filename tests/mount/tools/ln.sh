#!/bin/bash
# Tool: ln, ln -s, mkfifo, mknod, mkdir in a DataSet
# Works: refused
# Notes: "Operation not permitted"
. "${0%/*}/lib.bash"
keys k
put k value

fails 'Operation not permitted' ln m/app/k m/app/hard
fails 'Operation not permitted' ln -s k m/app/soft
fails 'Operation not permitted' mkfifo m/app/fifo
fails 'Operation not permitted' mknod m/app/device c 1 3
fails 'Operation not permitted' mkdir m/app/sub
fails 'Operation not permitted' mv m/app m/other
fails '' ln -f m/app/k m/app/hard
holds k value
sent
