/* uthash without its way of dealing with lack of memory, which is to end the process: an element
 * that could not be added has no table, see FS_HASH_HAS(). */
#ifndef FS_HASH_H
#define FS_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* True after the element was added by its handle `hh`, which may fail without memory. */
#define FS_HASH_HAS(hh, element) ((element)->hh.tbl != NULL)

#endif
