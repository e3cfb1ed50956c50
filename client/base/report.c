/* The lines of an examination. */
#include "report.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A longer line is cut: a file's name may take four thousand bytes. */
enum { LINE_BYTES = 6144 };

__attribute__((format(printf, 5, 0))) static void tell(const struct ds_report *report,
                                                       const char *verdict, const char *what,
                                                       const char *advice, const char *format,
                                                       va_list list)
{
    char line[LINE_BYTES];
    int len = snprintf(line, sizeof line, "%-8s %s: ", verdict, what);
    size_t at;

    if (report->interrupted())
        return;
    vsnprintf(line + len, sizeof line - (size_t)len, format, list);
    at = strlen(line);
    if (advice != NULL)
        snprintf(line + at, sizeof line - at, " -- %s", advice);
    ds_text_clean(line);
    puts(line);
}

void ds_report_ok(struct ds_report *report, const char *what, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    tell(report, "ok", what, NULL, format, list);
    va_end(list);
}

void ds_report_warn(struct ds_report *report, const char *what, const char *advice,
                    const char *format, ...)
{
    va_list list;

    va_start(list, format);
    tell(report, "warning", what, advice, format, list);
    va_end(list);
}

void ds_report_fail(struct ds_report *report, const char *what, const char *advice,
                    const char *format, ...)
{
    va_list list;

    report->failures++;
    va_start(list, format);
    tell(report, "FAILED", what, advice, format, list);
    va_end(list);
}

__attribute__((format(printf, 3, 4))) static void skip(const struct ds_report *report,
                                                       const char *what, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    tell(report, "skipped", what, NULL, format, list);
    va_end(list);
}

void ds_report_skip(struct ds_report *report, const char *what, const char *why)
{
    skip(report, what, "%s", why);
}

const char *ds_report_words(const struct ds_call *call, int err)
{
    return call->text[0] != '\0' ? call->text : strerror(-err);
}
