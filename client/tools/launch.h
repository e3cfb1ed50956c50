/* A program with descriptors of its own. */
#ifndef DS_TOOLS_LAUNCH_H
#define DS_TOOLS_LAUNCH_H

#include <sys/types.h>

/* What the program gets, in this order: its output, its errors, one that it knows nothing of and
 * that closes when it ends, and its input. */
enum { DS_LAUNCH_OUTPUT, DS_LAUNCH_ERRORS, DS_LAUNCH_ALIVE, DS_LAUNCH_INPUT, DS_LAUNCH_COUNT };

/* The file that the program finds its input under. */
#define DS_LAUNCH_INPUT_NAME "/proc/self/fd/3"

/* The number of the last descriptor that it gets; none in `fds` may be lower. */
enum { DS_LAUNCH_LAST_FD = 4 };

/* Runs argv[0], looked for in PATH if it has no slash, in a process group of its own, with no
 * signal blocked or ignored, and in a UTF-8 locale. `fds` are borrowed. 0 or a positive errno. */
int ds_launch(const char *const argv[], const int fds[DS_LAUNCH_COUNT], pid_t *pid);

#endif
