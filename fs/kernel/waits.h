/* Threads of which it matters whether they have waited for anything but us. From any thread. */
#ifndef FS_WAITS_H
#define FS_WAITS_H

#include "kernel.h"
#include "opcode.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Begins to count, perhaps anew, for the thread in one of FS_WATCHED places. Its request is
 * running, so the thread waits. True if it was counted there before, and has waited for us alone
 * since then. */
bool fs_waits_begin(struct fs_kernel *kernel, size_t place, pid_t tid);

/* The thread waits again, in a request that has just come. True if it is counted there, and has
 * waited for us alone since that began. */
bool fs_waits_ours_alone(struct fs_kernel *kernel, size_t place, pid_t tid);

/* A request has come. */
void fs_waits_count(struct fs_kernel *kernel, enum fs_opcode opcode, pid_t tid);

#endif
