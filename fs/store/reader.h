/* Readers of names in an order, and how far they are. All with fs->lock.
 *
 * A reader is a thread, or a process whose children read one after the other (`for f in *; do cat
 * "$f"; done`). One follows an order from the second of two neighbouring names on; then it may
 * leave out a few. One that goes anywhere else does not count for FS_READER_PAUSE_MS after that.
 * Only those are looked at that are in the session of somebody who listed the names. */
#ifndef FS_READER_H
#define FS_READER_H

#include "model/listing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FS_READER_PAUSE_MS 1000

struct fs_reader {
    pid_t id; /* 0: free */
    bool children;
    int64_t since_ms; /* when it listed or began to follow */
    int64_t at_ms;    /* when it last came to a name */
    size_t next;      /* behind that one */
    unsigned run;     /* names in order so far; 0: it goes anywhere */
    unsigned looks;   /* how often it came to that one */
    bool back;        /* it goes backwards: all places count from the end (fs_reader_turn()) */
    bool led;         /* children: the last one followed by itself, since since_ms */
    pid_t parent;     /* of a thread's process; 0: not known, or not needed */
    size_t batch;     /* values given to it last; 0: none yet */
    int64_t batch_ms; /* and when they were asked for */

    /* Of one that lists, which walk.h alone knows. */
    bool lists;
    bool begun;             /* it has looked a name up, which told the order */
    struct fs_listing *own; /* the listing in the order of inode numbers; NULL: not so */
};

enum { FS_READERS = 32, FS_READER_SESSIONS = 4 };

/* Those of one order, the latest. */
struct fs_readers {
    struct fs_reader all[FS_READERS];
};

/* The sessions of those who listed last. */
struct fs_reader_sessions {
    pid_t latest[FS_READER_SESSIONS];
    unsigned noted;
};

/* Where a reader stands. */
struct fs_step {
    struct fs_listing *listing; /* borrowed, in the order that is followed */
    size_t index;
    int64_t since_ms; /* when it began to follow, by ds_call_now_ms() */
    pid_t reader;     /* by that and the next it is found again */
    bool children;
    unsigned run; /* names in order so far, the last ones without a gap */
    bool back;    /* the index counts from the end */
};

/* Notes the thread's session. */
void fs_reader_session_lists(struct fs_reader_sessions *sessions, pid_t tid);

/* True if the thread is in one of them. */
bool fs_reader_session_listed(const struct fs_reader_sessions *sessions, pid_t tid);

/* NULL: that one is not among them. */
struct fs_reader *fs_readers_find(struct fs_readers *readers, pid_t id, bool children);

/* A reader that begins, in its own place or that of the one that has been away longest. */
struct fs_reader *fs_readers_begin(struct fs_readers *readers, pid_t id, bool children);

/* The thread, begun if it is in one of these sessions; else NULL. Reads /proc once for a thread
 * that was not seen before. */
struct fs_reader *fs_readers_enter(struct fs_readers *readers,
                                   const struct fs_reader_sessions *sessions, pid_t tid);

/* Nobody reads any more. */
void fs_readers_clear(struct fs_readers *readers);

/* The reader comes to the name at `index`. True if it has not come to one all too often. */
bool fs_reader_goes_on(struct fs_reader *reader, size_t index);

/* A thread comes to the name at step->index: if that is just before the one that it came to last,
 * it goes the other way from now on, as bash goes backwards through the directories of a pattern.
 * One that went elsewhere may follow at once. The index then counts from the end of step->listing,
 * if step->back. */
void fs_reader_turn(struct fs_reader *reader, struct fs_step *step);

/* A thread that did not list comes to step->index, or its parent by it: the one that has followed
 * for longer, in the rest of `*step`. True if one follows. Going backwards, each is for itself. */
bool fs_readers_follow(struct fs_readers *readers, struct fs_reader *own, struct fs_step *step);

/* The place of a name, which is expected there, in a listing that is in the order of names. */
bool fs_reader_place(const struct fs_listing *listing, size_t expected, const char *name,
                     size_t *index);

#endif
