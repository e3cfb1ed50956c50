/* Which files may be opened: landlock(7). */
#ifndef DS_CONFINE_FILES_H
#define DS_CONFINE_FILES_H

#include "confine.h"

/* The kernel's version of landlock; 0: it has none, or it is switched off. */
int ds_confine_files_version(void);

/* From now on this thread opens files below the `places` and below those that every program reads,
 * runs no program, and signals only its own kind where the kernel knows how to forbid that. Has
 * no_new_privs already. 0, -EOPNOTSUPP if the kernel has no landlock, or its negative errno. */
int ds_confine_files(const struct ds_confine *confine);

#endif
