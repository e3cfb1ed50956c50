/* The machines of an inventory, as last told. All functions: with fs->lock.
 *
 * A machine is found by its id for as long as anything of it is used here. It is *shown*, and found
 * by its file name, while the last listing had it or it was found since. */
#ifndef FS_MACHINES_H
#define FS_MACHINES_H

#include "fs.h"
#include "kernel/error_log.h"
#include "kernel/request.h"
#include "listing.h"
#include "vm.h"

#include <stdbool.h>

/* For so long what the inventory has told of a machine is believed: a name that another machine has
 * by now, a machine that is gone. */
#define FS_MACHINES_TRUST_MS 60000

/* True if the mount shows an inventory. From any thread. */
bool fs_machines_any(const struct fs *fs);

/* The machine that is shown under that file name, or NULL. */
struct fs_vm *fs_machines_shown(const struct fs *fs, const char *file_name);

/* The same by its id, shown or not. */
struct fs_vm *fs_machines_of_id(const struct fs *fs, const char *id);

/* True if what was told of it is believed: for a minute, and as long as the inventory is silent. */
bool fs_machines_believes(const struct fs_vm *vm);

/* The inventory has told of one machine: it is shown from now on. `ambiguous`: another one has the
 * same name. NULL when there is no memory. */
struct fs_vm *fs_machines_learn(struct fs *fs, const struct ds_machine *machine, bool ambiguous);

/* The inventory has listed all, sorted: those that it no longer has are not shown from now on. 0 or
 * -ENOMEM, then some were learned. `asked`: as of a listing; `tid`: the thread that had it asked.
 */
int fs_machines_listed(struct fs *fs, const struct ds_machines *machines, uint64_t asked,
                       pid_t tid);

/* True if the last listing was told so many milliseconds ago, or later; or to this thread just now,
 * which has been about to open what it has looked at. */
bool fs_machines_listed_lately(const struct fs *fs, int64_t max_age_ms, pid_t tid);

/* There is no such machine any more, or not under its name. */
void fs_machines_gone(struct fs *fs, struct fs_vm *vm);

/* Its store says that it is gone: whether there is one of its id again is asked for before it is
 * used next, and that may be another one. */
void fs_machines_distrust(struct fs_vm *vm);

/* Any machine, or any that is not shown and of which nothing is used here: it is not known from now
 * on, and the caller's. NULL if there is none. */
struct fs_vm *fs_machines_take(struct fs *fs);
struct fs_vm *fs_machines_take_unused(struct fs *fs);

/* What a failure about the node's key, or its DataSet, is about; good until the lock is released.
 */
struct fs_error_log_about fs_machines_about(const struct fs_node *node);

/* From now on a failure of the request is about something in that machine; of a mount of one
 * machine, and of the root of an inventory, that goes without saying. */
void fs_machines_below(struct fs_request *request, const struct fs_vm *vm);

/* The client of a machine that was gone since the client was opened, which is the caller's then: a
 * machine of the same id may be another one. NULL if it was not. */
struct ds_client *fs_machines_take_old_client(struct fs_vm *vm);

/* Requests to the store and calls of it that failed, of all machines. */
uint64_t fs_machines_requests(const struct fs *fs, enum ds_op op);
uint64_t fs_machines_errors(const struct fs *fs, enum ds_op op);

#endif
