/* The daemon's own words: standard error while in the foreground, syslog afterwards. */
#ifndef DS_LOG_H
#define DS_LOG_H

enum ds_log_level { DS_LOG_ERROR, DS_LOG_WARNING, DS_LOG_INFO, DS_LOG_DEBUG };

/* Sends further lines to syslog (facility daemon, ident "datasetfs"), each with `subject` in front,
 * of which 255 bytes are kept; or, if that is NULL, to standard error, which is the default. Not
 * thread-safe: call before threads exist or from the main thread right before it detaches from the
 * terminal. */
void ds_log_to_syslog(const char *subject);

/* Drops lines above `level`; the default is DS_LOG_INFO. Same rule for threads. */
void ds_log_set_level(enum ds_log_level level);

/* Writes one line, at most 1 KiB; what a terminal would obey in it is written as '?' (text.h),
 * since keys and messages come from others. Never pass a value or a credential. Keeps errno. */
void ds_log(enum ds_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
