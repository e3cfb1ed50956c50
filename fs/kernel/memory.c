/* Keeps freed memory within bounds. */
#include "memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Of values, since free memory was last looked at. */
static atomic_size_t came_bytes;

#if defined(__GLIBC__)
/* Above any block of ours, so that values share one heap. A block with a mapping of its own is
 * given back at once, but each page of the next one costs a fault: reading takes twice as long. */
enum { NEVER_MAPPED_BYTES = 32 * 1024 * 1024 };
/* Free at the end of the heap. */
enum { TAIL_MAX_BYTES = 2 * 1024 * 1024 };

void fs_memory_begin(void)
{
    /* By default there are eight heaps for each processor, and what is free in one serves only the
     * threads that share it. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, NEVER_MAPPED_BYTES);
    mallopt(M_TRIM_THRESHOLD, TAIL_MAX_BYTES);
}

static bool keeps_much(void)
{
#if __GLIBC_PREREQ(2, 33)
    return mallinfo2().fordblks > FS_MEMORY_FREE_MAX_BYTES;
#else
    return true;
#endif
}

void fs_memory_settle(void)
{
    size_t came = atomic_load_explicit(&came_bytes, memory_order_relaxed);

    if (came < FS_MEMORY_FREE_MAX_BYTES || !atomic_compare_exchange_strong(&came_bytes, &came, 0) ||
        !keeps_much())
        return;
    malloc_trim(TAIL_MAX_BYTES);
}
#else
/* Other C libraries give freed blocks of this size back by themselves. */
void fs_memory_begin(void)
{
}

void fs_memory_settle(void)
{
    atomic_store_explicit(&came_bytes, 0, memory_order_relaxed);
}
#endif

void fs_memory_came(size_t bytes)
{
    atomic_fetch_add_explicit(&came_bytes, bytes, memory_order_relaxed);
}
