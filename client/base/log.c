/* The daemon's own words. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { LINE_BYTES = 1024 };

static bool to_syslog;
static enum ds_log_level max_level = DS_LOG_INFO;

void ds_log_to_syslog(bool enabled)
{
    if (enabled && !to_syslog)
        openlog("datasetfs", LOG_PID, LOG_DAEMON);
    if (!enabled && to_syslog)
        closelog();
    to_syslog = enabled;
}

void ds_log_set_level(enum ds_log_level level)
{
    max_level = level;
}

static int priority(enum ds_log_level level)
{
    switch (level) {
    case DS_LOG_ERROR:
        return LOG_ERR;
    case DS_LOG_WARNING:
        return LOG_WARNING;
    case DS_LOG_INFO:
        return LOG_INFO;
    case DS_LOG_DEBUG:
        break;
    }
    return LOG_DEBUG;
}

void ds_log(enum ds_log_level level, const char *format, ...)
{
    static const char prefix[] = "datasetfs: ";
    enum { PREFIX_BYTES = sizeof prefix - 1 };

    if (level > max_level)
        return;
    int saved = errno;
    char line[LINE_BYTES];
    memcpy(line, prefix, PREFIX_BYTES);
    va_list list;
    va_start(list, format);
    /* One byte less than there is: the newline's. */
    if (vsnprintf(line + PREFIX_BYTES, sizeof line - PREFIX_BYTES - 1, format, list) < 0)
        line[PREFIX_BYTES] = '\0';
    va_end(list);

    char *end = line + PREFIX_BYTES;
    for (; *end; end++)
        if ((unsigned char)*end < 0x20 || *end == 0x7F)
            *end = '?';

    if (to_syslog) {
        syslog(priority(level), "%s", line + PREFIX_BYTES);
    } else {
        /* One write, so that lines of several threads do not mix. */
        *end++ = '\n';
        ssize_t ignored = write(STDERR_FILENO, line, (size_t)(end - line));
        (void)ignored;
    }
    errno = saved;
}
