/* Names of files that outlive a change of the working directory. */
#ifndef DS_BASE_PATH_H
#define DS_BASE_PATH_H

/* A copy of the name that does not depend on the working directory; NULL with errno. Symbolic links
 * stay: one that is replaced, as containers' secrets are, leads to the new file. */
char *ds_path_absolute(const char *file);

#endif
