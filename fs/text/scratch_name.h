/* Which new names are temporary: by their look and by how they are made. Pure.
 *
 * The look alone says little: people name keys as they like, and cp, tar, install and mv create
 * with O_EXCL too. What tells tools apart is mkstemp(3): they create their own temporary files with
 * O_RDWR and O_EXCL for the owner alone (sed, rsync, vim, Ansible, Chef, Puppet, Python), and what
 * they are asked to copy with O_WRONLY. */
#ifndef FS_SCRATCH_NAME_H
#define FS_SCRATCH_NAME_H

#include <stdbool.h>
#include <sys/types.h>

/* How a name that the store does not have comes into being. */
enum fs_made {
    FS_MADE_OPENLY,      /* by `>`, touch: without O_EXCL */
    FS_MADE_EXCLUSIVELY, /* with O_EXCL */
    FS_MADE_PRIVATELY,   /* as mkstemp(3) does: also O_RDWR and mode 0600, or 0 */
    FS_MADE_BY_RENAME,
};

/* What becomes of it. */
enum fs_scratch_kind {
    FS_SCRATCH_NONE,    /* a key */
    FS_SCRATCH_CONTENT, /* scratch, whatever is written */
    FS_SCRATCH_PROBE,   /* scratch while it is empty: the first write makes it a key */
};

/* The longest glob, in bytes. */
#define FS_SCRATCH_GLOB_MAX_BYTES 255

/* What open(2)'s flags and mode (less the umask) say of a file that is created. */
enum fs_made fs_scratch_name_made(int open_flags, mode_t mode);

/* Judges a file name, as it stands in the directory. `globs` are divided by ':'; NULL: the usual
 * ones; "": no name is scratch. In a glob, besides what fnmatch(3) knows, a run of six or more X
 * stands for as many letters and digits, and a run of six or more Y for lower-case letters, digits
 * and '_'. A glob that is given applies to names made privately or by a rename; of the usual ones
 * those of editors do, .*.sw[a-px], .*.swpx, .#* and #*#, and the others to names made privately.
 * Given or usual, *~ is for renames, 4913 for names that a program only creates to see whether it
 * can, and .goutputstream-XXXXXX, which GLib opens with O_WRONLY, for any O_EXCL if one of the six
 * is a digit or a capital. */
enum fs_scratch_kind fs_scratch_name_kind(const char *globs, const char *name, enum fs_made made);

/* True if `globs` is a list that fs_scratch_name_kind() takes: no glob in it is empty or too long.
 */
bool fs_scratch_name_globs_valid(const char *globs);

#endif
