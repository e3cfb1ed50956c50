/* Memory for SQLite, which takes and gives back thousands of pieces for each store that is opened:
 * under a sanitizer that is half of an input's time. Pieces are kept by size; what is not in use is
 * poisoned, and so is what is behind the end of one that is. For one thread. Included by one file
 * of a program. */
#ifndef SQLITE_MEMORY_H
#define SQLITE_MEMORY_H

#include "fuzz.h"

#include <sqlite3.h>
#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { SIZE_BITS_MIN = 5, SIZE_BITS_MAX = 17 };

/* Stands in front of each piece, which may have a part in use and a rest. */
union piece {
    struct {
        unsigned used;
        int bits;          /* of its size, over SIZE_BITS_MAX: it is not kept */
        union piece *next; /* of those that are kept */
    } head;
    _Alignas(16) char space[16];
};

/* 0, or the piece of that number from now on is not there. */
static size_t memory_fault;

static union piece *kept_pieces[SIZE_BITS_MAX + 1];

static void *take_memory(int size)
{
    int bits = SIZE_BITS_MIN;
    if (memory_fault && !--memory_fault)
        return NULL;
    while (bits <= SIZE_BITS_MAX && 1 << bits < size)
        bits++;
    bool keep = bits <= SIZE_BITS_MAX;
    size_t room = keep ? (size_t)1 << bits : (size_t)size;
    union piece *piece = keep ? kept_pieces[bits] : NULL;
    if (piece)
        kept_pieces[bits] = piece->head.next;
    else if (!(piece = malloc(sizeof *piece + room)))
        return NULL;
    piece->head.used = (unsigned)size;
    piece->head.bits = bits;
    ASAN_UNPOISON_MEMORY_REGION(piece + 1, (size_t)size);
    ASAN_POISON_MEMORY_REGION((char *)(piece + 1) + size, room - (size_t)size);
    return piece + 1;
}

static int memory_size(void *memory)
{
    return memory ? (int)((union piece *)memory - 1)->head.used : 0;
}

static void give_memory(void *memory)
{
    union piece *piece = (union piece *)memory - 1;
    int bits = piece->head.bits;
    if (bits > SIZE_BITS_MAX) {
        free(piece);
        return;
    }
    ASAN_POISON_MEMORY_REGION(memory, (size_t)1 << bits);
    piece->head.next = kept_pieces[bits];
    kept_pieces[bits] = piece;
}

static void *change_memory(void *memory, int size)
{
    void *changed = take_memory(size);
    int old = memory_size(memory);
    if (changed) {
        memcpy(changed, memory, (size_t)(old < size ? old : size));
        give_memory(memory);
    }
    return changed;
}

static int round_memory(int size)
{
    return (size + 7) & ~7;
}

static int begin_memory(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void end_memory(void *data)
{
    (void)data;
}

/* Before SQLite is used. */
static void use_sqlite_memory(void)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = take_memory,
        .xFree = give_memory,
        .xRealloc = change_memory,
        .xSize = memory_size,
        .xRoundup = round_memory,
        .xInit = begin_memory,
        .xShutdown = end_memory,
    };
    require(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
    require(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
}

#endif
