/* What signals mean to the daemon, whatever its caller had set. */
#ifndef FS_SIGNALS_H
#define FS_SIGNALS_H

#include <signal.h>

/* Interrupts a system call of the thread that it is sent to, and does nothing else. */
#define FS_SIGNALS_WAKE SIGUSR1

/* HUP, INT, QUIT, TERM and XCPU (the time of a processor that was granted is over) become readable
 * in `*out`, a signalfd. Others that are sent to end a process, but not for a fault of its own, do
 * nothing from now on; with XFSZ ignored, a write beyond the limit of file sizes fails with EFBIG.
 * 0 or a negative errno. Call before any thread exists. */
int fs_signals_take(int *out);

/* For a process that only waits for its children: the same ones and CHLD become readable in `*out`,
 * a non-blocking signalfd; TSTP, TTIN and TTOU stop it, and all others wait for ever. 0 or a
 * negative errno. Children inherit what is blocked, until fs_signals_take(). */
int fs_signals_watch(int *out);

#endif
