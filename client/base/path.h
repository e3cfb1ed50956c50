/* Names of files that outlive a change of the working directory. */
#ifndef DS_BASE_PATH_H
#define DS_BASE_PATH_H

#include <stdbool.h>

/* A copy of the name that does not depend on the working directory; NULL with errno. Symbolic links
 * stay: one that is replaced, as containers' secrets are, leads to the new file. Only a
 * descriptor's name becomes that of the open file, if it has one still, since descriptors are
 * closed. */
char *ds_path_absolute(const char *file);

/* True for the name of a descriptor of this process, such as /dev/fd/3. */
bool ds_path_is_descriptor(const char *file);

#endif
