/* One thread that calls functions at given times. */
#ifndef FS_TIMER_H
#define FS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct fs_timer;

/* Embedded in what it belongs to; set `fire` once, leave the rest zeroed. `fire` runs on the
 * timer's thread without its lock, must not block for long, and may set its own entry again. */
struct fs_timer_entry {
    void (*fire)(struct fs_timer_entry *entry);
    int64_t due_ms;
    bool armed;
    struct fs_timer_entry *prev, *next;
};

/* Starts the thread. 0, -ENOMEM or pthread_create()'s error. */
int fs_timer_new(struct fs_timer **out);

/* Arms the entry for `due_ms` (ds_call_now_ms()), or moves it there. */
void fs_timer_set(struct fs_timer *timer, struct fs_timer_entry *entry, int64_t due_ms);

/* Disarms the entry and waits until it is not being fired: the caller may free it afterwards. Not
 * with a lock held that `fire` takes. From `fire` itself it only disarms. */
void fs_timer_cancel(struct fs_timer *timer, struct fs_timer_entry *entry);

/* Ends the thread; entries that are still armed are not fired. Harmless on NULL. */
void fs_timer_free(struct fs_timer *timer);

#endif
