#!/bin/bash
# Tool: python: open, os.replace, tempfile, mmap, fcntl.flock
# Works: yes
# Notes: a temporary file that is renamed to its key is one set; without `with` or `close()` Python itself drops errors
. "${0%/*}/lib.bash"
needs /usr/bin/python3
keys k new
python() {
    /usr/bin/python3 -I -c "$1"
}
put k old

works python 'open("m/app/k", "w").write("new text\n")'
holds k $'new text\n'
sent 'set k'
works python 'open("m/app/k", "a").write("more\n")'
holds k $'new text\nmore\n'
sent 'set k'
works python 'print(open("m/app/k").read(), end="")'
says $'new text\nmore'
works python '
with open("m/app/k", "r+") as file:
    file.seek(4)
    file.write("TEXT")'
holds k $'new TEXT\nmore\n'
sent 'set k'
fails FileExistsError python 'open("m/app/k", "x")'
works python 'open("m/app/new", "x").write("made\n")'
holds new $'made\n'
sent 'set new'

works python '
import os, tempfile
with tempfile.NamedTemporaryFile("w", dir="m/app", delete=False) as file:
    file.write("replaced\n")
os.replace(file.name, "m/app/k")'
holds k $'replaced\n'
sent 'set k'
works python '
import tempfile
with tempfile.TemporaryFile("w+", dir="m/app") as file:
    file.write("kept back")
    file.seek(0)
    assert file.read() == "kept back"'
sent

works python '
import mmap
with open("m/app/k", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
    assert memory[:] == b"replaced\n"
    memory[0:2] = b"RE"
    memory.flush()'
holds k $'REplaced\n'
changed k
works python '
import fcntl
one, two = open("m/app/k"), open("m/app/k")
fcntl.flock(one, fcntl.LOCK_EX)
try:
    fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
    raise SystemExit("two locks")
except BlockingIOError:
    pass
fcntl.flock(one, fcntl.LOCK_UN)
fcntl.flock(two, fcntl.LOCK_EX)
fcntl.lockf(open("m/app/k", "r+"), fcntl.LOCK_EX)'
sent

fails 'Invalid or incomplete multibyte or wide character' python '
with open("m/app/k", "wb") as file:
    file.write(b"\xff")'
holds k $'REplaced\n'
full
fails 'No space left on device' python '
with open("m/app/k", "w") as file:
    file.write("something much longer\n")'
roomy
holds k $'REplaced\n'
