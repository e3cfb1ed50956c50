/* Threads of which it matters whether they have waited for anything but us. From any thread. */
#ifndef FS_WAITS_H
#define FS_WAITS_H

#include "kernel.h"
#include "opcode.h"

#include <stdbool.h>
#include <sys/types.h>

/* Begins to count for the thread in one of FS_WATCHED places. False if that is not possible here
 * (fs_process_turns()). Its caller's request is running, so the thread waits. */
bool fs_waits_begin(struct fs_kernel *kernel, size_t place, pid_t tid);

/* The thread of that place waits again, in a request that has just come. True if since the
 * beginning it has waited for its requests to us alone. Nobody is in that place from then on if it
 * has not. */
bool fs_waits_ours_alone(struct fs_kernel *kernel, size_t place);

/* A request has come. */
void fs_waits_count(struct fs_kernel *kernel, enum fs_opcode opcode, pid_t tid);

#endif
