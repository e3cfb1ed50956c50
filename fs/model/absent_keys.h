/* Keys that a thread has just asked for in vain: the next question of the same thread is answered
 * by that, since programs look for a name up to three times before they make it. All with fs->lock.
 */
#ifndef FS_ABSENT_KEYS_H
#define FS_ABSENT_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fs_dataset;

/* The latest of them. Zeroed: none. */
struct fs_absent_keys {
    struct {
        pid_t tid;
        uint64_t key; /* stands for the DataSet and its key; 0: free */
        int64_t until_ms;
    } latest[64];
    unsigned next; /* whose place the next one takes */
};

/* The store has just said to the thread that there is no such key, which is to hold for `ms`. */
void fs_absent_note(struct fs_absent_keys *keys, pid_t tid, const struct fs_dataset *dataset,
                    const char *key, int64_t ms);

/* True if that holds. Thread 0 is nobody's. */
bool fs_absent_holds(const struct fs_absent_keys *keys, pid_t tid, const struct fs_dataset *dataset,
                     const char *key);

/* This mount has made the key. */
void fs_absent_over(struct fs_absent_keys *keys, const struct fs_dataset *dataset, const char *key);

#endif
