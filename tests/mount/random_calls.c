#include "random_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A small generator of its own, so that a seed means the same everywhere (Knuth's MMIX). */
unsigned random_roll(struct random_caller *caller, unsigned sides)
{
    caller->state = caller->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(caller->state >> 33) % sides;
}

static unsigned roll_for(void *caller, unsigned sides)
{
    return random_roll(caller, sides);
}

const char *random_dataset(unsigned roll)
{
    static const char *const datasets[] = {"app", "app", "app", "app", "b", "b", "c", "none"};
    return datasets[roll % 8];
}

static const char *const odd_names[] = {
    /* temporary ones, whole keys and bytes that are told otherwise, what is no text and no name */
    ".k0.swp",
    "4913",
    "k0~",
    ".#k1",
    "#k1#",
    "sedAb3dEf",
    ".k2.Zx81Qp",
    "tmpab3d_f9x",
    "k3.lock",
    "%2E",
    "%2E%2E",
    "%",
    "a%2Fb",
    "a%0Ab",
    "a\nb",
    "a\tb",
    "%41",
    "100%",
    "caf\303\251",
    "caf\303",
    "\251",
    "\377",
    "\360\237\230\200",
    " ",
    "-rf",
    "*",
    ".datasetfs",
    "."};

void random_name(unsigned (*roll)(void *context, unsigned sides), void *context, char out[8192])
{
    static const unsigned lengths[] = {200, 254, 255, 256, 300, 1024, 4095, 4097};
    unsigned kind = roll(context, 20);
    if (kind < 14) {
        snprintf(out, 8192, "k%u", roll(context, 6));
    } else if (kind < 18) {
        snprintf(out, 8192, "%s", odd_names[roll(context, sizeof odd_names / sizeof *odd_names)]);
    } else if (kind < 19) {
        snprintf(out, 8192, "z%c", (char)(1 + roll(context, 255)));
    } else {
        unsigned len = lengths[roll(context, sizeof lengths / sizeof *lengths)];
        memset(out, 'x', len);
        out[len] = '\0';
    }
}

const char *random_path(struct random_caller *caller, unsigned which)
{
    static const char *const controls[] = {"stats",  "errors", "scratch", "info/app", "info/b",
                                           "info/c", "info",   "",        "none"};
    char *out = caller->paths[which];
    const char *point = caller->points[random_roll(caller, 40) == 0];
    const char *dataset = random_dataset(random_roll(caller, 8));
    char name[8192];
    switch (random_roll(caller, 16)) {
    case 0:
        snprintf(out, 8192, "%s", point);
        break;
    case 1:
        snprintf(out, 8192, "%s/%s", point, dataset);
        break;
    case 2:
        snprintf(out, 8192, "%s/.datasetfs/%s", point, random_of(caller, controls));
        break;
    case 3:
        random_name(roll_for, caller, name);
        snprintf(out, 8192, "%s/%.4100s", point, name);
        break;
    case 4:
        snprintf(out, 8192, "%s/%s/%s", point, dataset, random_roll(caller, 2) ? "k0/under" : "..");
        break;
    default:
        random_name(roll_for, caller, name);
        snprintf(out, 8192, "%s/%s/%.4100s", point, dataset, name);
    }
    return out;
}

int *random_slot(struct random_caller *caller)
{
    return &caller->fds[random_roll(caller, RANDOM_SLOTS)];
}

int random_fd(struct random_caller *caller)
{
    for (unsigned tries = 0; tries < 4; tries++) {
        int fd = *random_slot(caller);
        if (fd >= 0)
            return fd;
    }
    return *random_slot(caller);
}

size_t random_length(struct random_caller *caller)
{
    static const size_t lengths[] = {0, 1, 2, 7, 20, 100, 700, 4095, 4096, 4097, 9000, 40000};
    static const size_t long_ones[] = {65535, 65536, 140000, 1024 * 1024, 1024 * 1024 + 1};
    return random_roll(caller, 50) ? random_of(caller, lengths) : random_of(caller, long_ones);
}

off_t random_offset(struct random_caller *caller)
{
    static const off_t odd[] = {1024 * 1024 - 1, 1024 * 1024, (off_t)1 << 40, INT64_MAX, -1};
    switch (random_roll(caller, 8)) {
    case 0:
        return random_of(caller, odd);
    case 1:
    case 2:
        return random_roll(caller, 10000);
    case 3:
        return random_roll(caller, 50);
    default:
        return 0;
    }
}

const char *random_bytes(struct random_caller *caller, size_t len)
{
    const char *from = random_roll(caller, 15) ? caller->text : caller->noise;
    return from + random_roll(caller, (unsigned)(RANDOM_ROOM_BYTES - len));
}

static bool fill(struct random_caller *caller)
{
    static const char *const letters[] = {
        "a", "b", "\n", "\303\251", "\342\202\254", "\360\237\230\200", "0", " "};
    caller->text = malloc(RANDOM_ROOM_BYTES);
    caller->noise = malloc(RANDOM_ROOM_BYTES);
    caller->room = calloc(1, RANDOM_ROOM_BYTES);
    if (!caller->text || !caller->noise || !caller->room)
        return false;
    for (size_t at = 0; at < RANDOM_ROOM_BYTES;) {
        /* Mostly what is one byte, so that most of what is cut out is text. */
        const char *letter = random_roll(caller, 100) ? "t" : random_of(caller, letters);
        size_t len = strlen(letter);
        len = len <= RANDOM_ROOM_BYTES - at ? len : RANDOM_ROOM_BYTES - at;
        memcpy(caller->text + at, letter, len);
        at += len;
    }
    for (size_t at = 0; at < RANDOM_ROOM_BYTES; at++)
        caller->noise[at] = (char)random_roll(caller, 256);
    return true;
}

bool random_begin(struct random_caller *caller, uint64_t seed, const char *point, const char *other)
{
    *caller = (struct random_caller){.points = {point, other}, .state = seed};
    for (unsigned i = 0; i < RANDOM_SLOTS; i++)
        caller->fds[i] = -1;
    caller->plain = open(".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    return fill(caller) && caller->plain >= 0 &&
           pwrite(caller->plain, caller->text, RANDOM_ROOM_BYTES, 0) == RANDOM_ROOM_BYTES &&
           pipe2(caller->pipe, O_NONBLOCK | O_CLOEXEC) == 0;
}
