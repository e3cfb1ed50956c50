/* What random system calls on mounts are made of: any call with any argument that a program of any
 * user may make (random_step.h makes them). */
#ifndef RANDOM_CALLS_H
#define RANDOM_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RANDOM_SLOTS = 12, RANDOM_ROOM_BYTES = 1024 * 1024 + 4096 };

struct random_caller {
    const char *points[2]; /* mount points: its own, and one where others are */
    uint64_t state;        /* of its generator */
    int fds[RANDOM_SLOTS]; /* -1: none */
    int plain;             /* an ordinary file, a way into and out of mappings */
    int pipe[2];           /* nonblocking */
    char *text, *noise;    /* what is written: UTF-8, and any bytes; RANDOM_ROOM_BYTES of each */
    char *room;            /* what is read goes here; as many */
    char *map;             /* NULL: none */
    size_t map_bytes;
    char paths[2][8192];
};

/* A call and what belongs to it. -1 and errno, or anything else. */
struct random_call {
    const char *name;
    long (*make)(struct random_caller *caller);
    unsigned weight;
};

/* Rows of random_data.c, about open files, and of random_names.c. An empty one ends each. */
extern const struct random_call random_data_calls[], random_name_calls[];

/* Begins with this seed, in a process of its own; false if there is no memory, file or pipe. What
 * it takes goes with the process. */
bool random_begin(struct random_caller *caller, uint64_t seed, const char *point,
                  const char *other);

/* For the calls. A number below `sides`, at least 1. */
unsigned random_roll(struct random_caller *caller, unsigned sides);
#define random_of(caller, list) ((list)[random_roll(caller, sizeof(list) / sizeof *(list))])

/* A DataSet, or a key's file name or what is none, of those that all sides use. */
const char *random_dataset(unsigned roll);
void random_name(unsigned (*roll)(void *context, unsigned sides), void *context, char out[8192]);

/* A path of a mount in `caller->paths[which]`. */
const char *random_path(struct random_caller *caller, unsigned which);

/* A slot, and its descriptor: mostly one that is open. */
int *random_slot(struct random_caller *caller);
int random_fd(struct random_caller *caller);

size_t random_length(struct random_caller *caller);
off_t random_offset(struct random_caller *caller);

/* So many bytes to be written, from somewhere in `text` or, seldom, `noise`. */
const char *random_bytes(struct random_caller *caller, size_t len);

#endif
