/* Where a file's name leads, step by step as the kernel follows it. */
#ifndef DS_WALK_H
#define DS_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

/* True if the way to `file` leads through `directory`, by a symbolic link, ".." or another mount of
 * it too. As far as the way exists. */
bool ds_walk_passes(const char *file, const struct stat *directory);

/* True if a symbolic link on the way to `file` stands in a directory that others may write to:
 * then it is they who say where it leads. */
bool ds_walk_is_others(const char *file);

#endif
