/* Who the threads are that send requests. */
#ifndef FS_PROCESS_H
#define FS_PROCESS_H

#include <sys/types.h>

/* The parent of the thread's process, as proc(5) has it in field 4 of /proc/TID/stat; 0 if there is
 * none, or no such thread any more, or it is hidden. */
pid_t fs_process_parent(pid_t tid);

#endif
