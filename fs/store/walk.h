/* Readers that follow the listing of a DataSet, and how far they are. All with fs->lock.
 *
 * A thread that has listed the DataSet follows from the first name on that it looks up, in the
 * order of the listing or in that of the inode numbers (cp -r, and find or du where there are very
 * many), and may leave names out. Others are readers of reader.h. Nobody is shown a value that was
 * asked for before he began to follow. */
#ifndef FS_WALK_H
#define FS_WALK_H

#include "model/datasets.h"
#include "reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The thread has just listed the DataSet. */
void fs_walk_listed(struct fs_dataset *dataset, pid_t tid);

/* The thread has come to the key; it may say so several times. True if it follows the last listing;
 * `*step` is where. Reads /proc once for a thread that was not seen before. */
bool fs_walk_comes(struct fs_dataset *dataset, pid_t tid, const char *key, struct fs_step *step);

/* When the thread itself has listed the DataSet; 0: it has not. */
int64_t fs_walk_listed_ms(const struct fs_dataset *dataset, pid_t tid);

/* How many values the reader should be given at once: as many as it will have used before they are
 * too old, as far as its last ones tell. `most`: that a request can ask for. */
size_t fs_walk_batch(const struct fs_dataset *dataset, const struct fs_step *step, size_t most);

/* It was given that many, which were asked for at that time of ds_call_now_ms(). */
void fs_walk_given(struct fs_dataset *dataset, const struct fs_step *step, size_t count,
                   int64_t asked_ms);

/* Nobody follows any more. */
void fs_walk_end(struct fs_dataset *dataset);

#endif
