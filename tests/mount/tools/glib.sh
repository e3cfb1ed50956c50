#!/bin/bash
# Tool: glib (`g_file_set_contents`, `g_file_replace`: GNOME's programs, open-vm-tools)
# Works: yes
# Notes: `g_file_replace` is one set; `g_file_set_contents` makes a key `k.XXXXXX` on the way
. "${0%/*}/lib.bash"
needs /usr/bin/python3
keys k 'k.??????'
put k old

call() {
    /usr/bin/python3 -I -c "
import ctypes
glib = ctypes.CDLL('libglib-2.0.so.0')
gio = ctypes.CDLL('libgio-2.0.so.0')
$1"
}

works call '
assert glib.g_file_set_contents(b"m/app/k", b"contents\n", ctypes.c_ssize_t(9), None)'
holds k $'contents\n'
only k
replace='
gio.g_file_new_for_path.restype = ctypes.c_void_p
file = ctypes.c_void_p(gio.g_file_new_for_path(b"m/app/k"))
text = b"replaced with something\n"
done = gio.g_file_replace_contents(file, text, ctypes.c_size_t(len(text)), None, 0, 0, None, None, None)
'
begin
works call "${replace}assert done"
holds k $'replaced with something\n'
only k
put k short
full
fails AssertionError call "${replace}assert done"
roomy
holds k short
