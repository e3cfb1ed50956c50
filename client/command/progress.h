/* How far a long command is, on standard error if that is a terminal. */
#ifndef DS_PROGRESS_H
#define DS_PROGRESS_H

#include <stddef.h>

/* `done` of `all` entries. */
void ds_progress_show(size_t done, size_t all);

/* Before another line. */
void ds_progress_clear(void);

#endif
