/* Memory that has been freed: how much of it the process keeps.
 *
 * Values come and go by the mebibyte, from many threads. What is free serves the next value at
 * once, which costs less than new pages would, but only so much of it is kept, whatever has been
 * read and by how many at a time. */
#ifndef FS_MEMORY_H
#define FS_MEMORY_H

#include <stddef.h>

/* More than that of free memory is given back once as many bytes of values have come. */
#define FS_MEMORY_FREE_MAX_BYTES ((size_t)8 * 1024 * 1024)

/* Before the first thread. */
void fs_memory_begin(void);

/* So many bytes of a value have come from the store. Any thread, with any lock. */
void fs_memory_came(size_t bytes);

/* Gives back what is over the bound, if it is time to look. Without a lock, when a request has
 * ended. */
void fs_memory_settle(void);

#endif
