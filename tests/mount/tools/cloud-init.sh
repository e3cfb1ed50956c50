#!/bin/bash
# Tool: cloud-init: write_files, its writers
# Works: yes
# Notes: also its atomic writer: one set
# Heavy: yes
. "${0%/*}/lib.bash"
needs cloud-init /usr/bin/python3
keys k new more atomic state.json
put k old
put more $'one\n'

cat >write.py <<'END'
from cloudinit import atomic_helper, util
from cloudinit.config.cc_write_files import write_files

app = "m/app/"
files = [{"path": app + "k", "content": "fresh\n"},
         {"path": app + "new", "content": "bmV3Cg==", "encoding": "b64", "permissions": "0600"},
         {"path": app + "more", "content": "two\n", "append": True}]
owner = ["root:root"] if write_files.__code__.co_argcount > 2 else []  # which 20.4 does not ask for
write_files("test", files, *owner)
END
works /usr/bin/python3 write.py
holds k $'fresh\n'
holds new $'new\n'
holds more $'one\ntwo\n'
sent 'set k' 'set new' 'set more'

cat >writers.py <<'END'
from cloudinit import atomic_helper, util
util.write_file("m/app/k", "plain\n")
atomic_helper.write_file("m/app/atomic", "whole\n", omode="w")
atomic_helper.write_json("m/app/state.json", {"v1": {}})
load = getattr(util, "load_text_file", None) or util.load_file  # its name until 24.1
assert load("m/app/atomic") == "whole\n"
END
works /usr/bin/python3 writers.py
holds k $'plain\n'
holds atomic $'whole\n'
holds state.json $'{\n "v1": {}\n}\n'
sent 'set k' 'set atomic' 'set state.json'

full
fails 'No space left on device' /usr/bin/python3 -c '
from cloudinit import util
util.write_file("m/app/k", "something much longer\n")'
fails 'No space left on device' /usr/bin/python3 -c '
from cloudinit import atomic_helper
atomic_helper.write_file("m/app/atomic", "something much longer\n", omode="w")'
roomy
holds k $'plain\n'
holds atomic $'whole\n'
