/* Tickets: a value that one request of a thread fetched serves a later one of that thread, which
 * comes too late for everybody else's rules. With fs->lock.
 *
 * The OPEN that follows a LOOKUP or GETATTR uses the value fetched by that, once. A value that was
 * fetched ahead (store/read_ahead.h) serves one stat and one open of a reader that follows the
 * listing, up to FS_TICKET_AHEAD_MS after it came, however small the mount's ttl is. */
#ifndef FS_OPEN_TICKET_H
#define FS_OPEN_TICKET_H

#include "node.h"

#include <stdbool.h>

#define FS_TICKET_AHEAD_MS 1000

enum fs_ticket_use { FS_TICKET_STAT, FS_TICKET_OPEN };

/* The value has just been fetched for the thread. */
void fs_ticket_give(struct fs_node *node, pid_t tid);

/* A value is fetched ahead; and what was asked for then has come, or not. */
void fs_ticket_expect(struct fs_node *node);
void fs_ticket_expected(struct fs_node *node, int64_t asked_ms, bool came);

/* True if it is on its way. */
bool fs_ticket_is_expected(const struct fs_node *node);

/* True if the value came ahead, asked for not before that time, and still waits for that use. */
bool fs_ticket_waits(const struct fs_node *node, enum fs_ticket_use use, int64_t since_ms);

/* The same, and that use is had thereby: for who follows the listing since then. */
bool fs_ticket_take_ahead(struct fs_node *node, enum fs_ticket_use use, int64_t since_ms);

/* True if the thread has a ticket of its own to open the node; there is none from then on. */
bool fs_ticket_take(struct fs_node *node, pid_t tid);

/* True if the value that is in memory is the one that came ahead. */
bool fs_ticket_came_ahead(const struct fs_node *node);

/* The value is another one now: no ticket holds. */
void fs_ticket_void(struct fs_node *node);

#endif
