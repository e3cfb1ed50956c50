/* Who the threads are that send requests. */
#ifndef FS_PROCESS_H
#define FS_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* The parent of the thread's process, as proc(5) has it in field 4 of /proc/TID/stat; 0 if there is
 * none, or no such thread any more, or it is hidden. */
pid_t fs_process_parent(pid_t tid);

/* The session of the thread's process, by getsid(2); 0 if its leader is not in this namespace of
 * processes, as of all that somebody else has let into a container; -1: no such thread any more. */
pid_t fs_process_session(pid_t tid);

/* How often the thread was given a processor so far, from the third field of /proc/TID/schedstat
 * (the kernel's Documentation/scheduler/sched-stats.rst); -1 if that is not known. One more each
 * time that it has waited for anything. */
int64_t fs_process_turns(pid_t tid);

#endif
