/* Values as the store was last seen to hold them: cache, versions, freshness.
 *
 * All but the reference counts: with fs->lock. */
#ifndef FS_VALUE_H
#define FS_VALUE_H

#include "node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A copy of a+b with one reference; NULL when there is no memory. */
struct fs_value *fs_value_new(const char *a, size_t a_len, const char *b, size_t b_len);
struct fs_value *fs_value_ref(struct fs_value *value);
void fs_value_unref(struct fs_value *value); /* harmless on NULL */

/* The store holds `value` (taken) under the node's key. `trusted`: seen just now, so that it may
 * answer for FS_FRESH_MS or the mount's ttl; otherwise the next question asks the store. */
void fs_value_learn(struct fs *fs, struct fs_node *node, struct fs_value *value, bool trusted);

/* The same of what a reader of this mount sees already: neither version nor time moves. */
void fs_value_learn_shown(struct fs *fs, struct fs_node *node, struct fs_value *value,
                          bool trusted);

/* The store holds something under the key that we cannot know, of about `size_bytes`. */
void fs_value_unknown(struct fs *fs, struct fs_node *node, size_t size_bytes);

/* The store holds something under the key that is no value, and can only be replaced or removed. It
 * is shown as empty; to open it for reading fails. */
void fs_value_unreadable(struct fs *fs, struct fs_node *node);

/* The store holds nothing under the key. */
void fs_value_absent(struct fs *fs, struct fs_node *node);

/* Nothing is known of what the store holds. */
void fs_value_unseen(struct fs_node *node);

/* What is known answers the question of that number. */
void fs_value_answered(struct fs_node *node, uint64_t question);

/* The key was seen, or changed by us, just now. */
void fs_value_sighted(struct fs *fs, struct fs_node *node);

/* The next question asks the store. */
void fs_value_distrust(struct fs_node *node);

/* How long it is, of what is no entry. */
void fs_value_set_size(struct fs_node *node, size_t size_bytes);

/* Lets go of what open files had of a key that is gone: there is none any more, or it is back. */
void fs_value_drop_had(struct fs_node *node);

/* True if open files have something to go on reading, although the key is gone. */
bool fs_value_was_had(const struct fs_node *node);

/* True if a reader sees what the store was seen to hold, as far as that is known. */
bool fs_value_is_shown(const struct fs_node *node);

/* Frees the cached bytes; what else is known stays. */
void fs_value_drop(struct fs *fs, struct fs_node *node);

/* The visible content has changed: a new version, modified now. */
void fs_value_touch(struct fs *fs, struct fs_node *node);

/* The same for a change that the store has not taken: fs_value_show_stored() takes it back, so that
 * a refused one moves no time. */
void fs_value_diverge(struct fs *fs, struct fs_node *node);

/* A reader sees the store's value again, of the time that it had; unless that may be another one by
 * now. */
void fs_value_show_stored(struct fs_node *node);

/* The store has what a reader sees. */
void fs_value_agree(struct fs_node *node);

/* When the visible content was last modified. */
struct fs_modified {
    uint64_t version;
    struct timespec mtime;
};
struct fs_modified fs_value_modified(const struct fs_node *node);

/* The visible content, which the store has, is that of then: what the kernel holds and what
 * utimens(2) left is of it. */
void fs_value_set_modified(struct fs_node *node, const struct fs_modified *modified);

/* The same of a directory, whose names alone change. */
void fs_value_set_mtime(struct fs_node *node, const struct timespec *mtime);

/* True if a reader of this mount sees something: the working value, else the store's. */
bool fs_value_exists(const struct fs_node *node);

/* True if what is in memory answers LOOKUP and GETATTR without a request. */
bool fs_value_answers(const struct fs *fs, const struct fs_node *node);

/* True if the cached value is at most `age_ms` old. */
bool fs_value_younger(const struct fs_node *node, int64_t age_ms);

/* False if one of our changes was on its way when node->seen.changes was `changes`, or began since.
 */
bool fs_value_unchanged(const struct fs_node *node, uint64_t changes);

/* True if the answer to the question of that number (fs->clock), asked when
 * node->seen.changes was `changes`, is still worth something: no change of ours and no later answer
 * has overtaken it.
 */
bool fs_value_believes(const struct fs_node *node, uint64_t changes, uint64_t question);

/* Brackets a change of the store by us: a fetch under way meanwhile is not believed. */
void fs_value_change_begin(struct fs_node *node);
void fs_value_change_end(struct fs_node *node);

/* What the store holds as far as we know, for the client's repeat policy; NULL if we do not. The
 * bytes are those of node->seen.value. */
const struct ds_previous *fs_value_previous(const struct fs_node *node,
                                            struct ds_previous *previous);

#endif
