/* The text of -h. */
#ifndef FS_HELP_H
#define FS_HELP_H

/* Usage, then one line per option that begins with two spaces and its name. Static; the first call
 * must come before threads exist. */
const char *fs_help(void);

#endif
