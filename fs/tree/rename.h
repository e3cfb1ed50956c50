/* Renaming an entry. */
#ifndef FS_RENAME_H
#define FS_RENAME_H

#include "kernel/request.h"

/* Handler. The new key is set, then the old one removed; if the second step fails both keys remain
 * and the error is reported. */
int fs_rename(struct fs_request *request);

#endif
