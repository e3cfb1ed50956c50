/* What a process that serves a mount may still do: few capabilities, no new privileges, files of a
 * few directories, and no system call that serving never needs. */
#ifndef DS_CONFINE_H
#define DS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

struct ds_confine_place {
    char *path; /* owned */
    bool change;
};

/* What is needed. Zeroed: nothing but what every program reads. */
struct ds_confine {
    struct ds_confine_place *places; /* `count` of them */
    size_t count;
    char *store; /* owned: a file, or a directory of files, that root may not own; or NULL */
    const char *store_end; /* of the names of those files; NULL: it is a file */
    bool store_read;       /* it is not to be changed */
    bool port;             /* binds a port below 1024 */
};

/* What may be opened from then on, below a directory: to be read, or changed too. One that is
 * missing stands for the nearest directory above it that is there when ds_confine_apply() is
 * called. `path` is copied. 0 or -ENOMEM. */
int ds_confine_directory(struct ds_confine *confine, const char *path, bool change);

/* The same for a file: below the directory of its name, since files are replaced by renaming, and,
 * if it is a symbolic link, below that of the file it leads to. */
int ds_confine_file(struct ds_confine *confine, const char *path, bool change);

void ds_confine_clear(struct ds_confine *confine);

/* Confines this thread, and those that it makes, for ever. What the kernel or this program lacks is
 * left out and told in one line of the log; whatever else fails is told in the same way. Root, who
 * then no longer passes the modes of files, becomes in these matters (fsuid) whoever can use
 * confine->store: itself, its owner or the directory's; if none of them can, CAP_DAC_OVERRIDE
 * stays, and a line says so. Call while there is one thread. */
void ds_confine_apply(const struct ds_confine *confine);

/* What this kernel and this program offer. */
struct ds_confine_offers {
    int files;        /* the version of landlock; 0: none */
    bool calls;       /* a filter of system calls */
    bool calls_built; /* the program was built with it */
};

struct ds_confine_offers ds_confine_offers(void);

#endif
