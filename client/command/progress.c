/* How far a long command is. */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool shown;

void ds_progress_show(size_t done, size_t all)
{
    if (isatty(STDERR_FILENO) != 1)
        return;
    fprintf(stderr, "\r%zu of %zu entries", done, all);
    shown = true;
}

void ds_progress_clear(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}
