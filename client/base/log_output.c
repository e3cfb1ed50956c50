/* The daemon's own words. */
#include "log.h"

#include "cleanup.h"
#include "text.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { LINE_BYTES = 1024, SUBJECT_BYTES = 255 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the next two */
static bool to_syslog;
static char about[SUBJECT_BYTES + 3];             /* what each line begins with */
static enum ds_log_level max_level = DS_LOG_INFO; /* set before there are threads */

void ds_log_to_syslog(const char *subject)
{
    DS_LOCK_SCOPE(&lock);
    if (subject && !to_syslog)
        openlog("datasetfs", LOG_PID, LOG_DAEMON);
    if (!subject && to_syslog)
        closelog();
    to_syslog = subject != NULL;
    about[0] = '\0';
    if (subject)
        snprintf(about, sizeof about, "%.*s: ", SUBJECT_BYTES, subject);
    ds_text_clean(about);
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
    static const char ident[] = "datasetfs: "; /* syslog adds its own */
    enum { IDENT_BYTES = sizeof ident - 1 };

    if (level > max_level)
        return;
    int saved = errno;
    char line[LINE_BYTES];
    DS_LOCK_SCOPE(&lock);
    size_t begin = (size_t)snprintf(line, sizeof line, "%s%s", ident, about);
    va_list list;
    va_start(list, format);
    /* One byte less than there is: the newline's. */
    if (vsnprintf(line + begin, sizeof line - begin - 1, format, list) < 0)
        line[begin] = '\0';
    va_end(list);

    ds_text_clean(line + begin); /* the subject is clean */
    char *end = line + strlen(line);
    if (to_syslog) {
        syslog(priority(level), "%s", line + IDENT_BYTES);
    } else {
        /* One write, so that lines of several threads do not mix. */
        *end++ = '\n';
        ssize_t ignored = write(STDERR_FILENO, line, (size_t)(end - line));
        (void)ignored;
    }
    errno = saved;
}
