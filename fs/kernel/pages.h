/* Pages that the kernel holds of data that was lost after its write had been acknowledged, and
 * names of DataSets that it believes in after they were found gone.
 *
 * To forget pages the kernel waits for the READs and WRITEs of the inode that are under way,
 * anybody's, and to forget a name for those who look up another one. These may be waiting for a
 * worker, or to be read at all, so that no worker may wait for them: a thread of its own does. */
#ifndef FS_PAGES_H
#define FS_PAGES_H

#include "model/node.h"

struct fs_pages;

/* Starts the thread. 0 or a negative errno. */
int fs_pages_start(struct fs *fs);

/* With fs->lock: soon the kernel forgets the node's pages, which are lost data only until then, or
 * the name of a DataSet's directory, unless it is there again by then.
 * After the stop nothing is done: the mount ends. */
void fs_pages_forget(struct fs *fs, struct fs_node *node);

/* With fs->lock: the node is freed. */
void fs_pages_drop(struct fs *fs, struct fs_node *node);

/* Ends the thread. What it waits for must still be answered: while the loop runs. */
void fs_pages_stop(struct fs *fs);

#endif
