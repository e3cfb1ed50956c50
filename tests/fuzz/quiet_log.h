/* In place of the log, which would tell of each fault in an input. Included by one file of a
 * program. */
#ifndef QUIET_LOG_H
#define QUIET_LOG_H

#include "fuzz.h"
#include "log.h"

#include <stdarg.h>

void ds_log(enum ds_log_level level, const char *format, ...)
{
    char line[1024];
    va_list list;
    (void)level;
    va_start(list, format);
    require(vsnprintf(line, sizeof line, format, list) >= 0);
    va_end(list);
}

#endif
