/* A ring of the last failures. */
#include "error_log.h"

#include "call.h"
#include "cleanup.h"
#include "errno_name.h"
#include "file_name.h"
#include "log.h"
#include "text.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct failure {
    time_t when;           /* the first time */
    int64_t until_ms;      /* equal ones before that time are counted */
    unsigned long repeats; /* of these */
    unsigned long untold;  /* and not in the log yet */
    const char *operation; /* static */
    int error;
    char path[3 * (DS_FILE_NAME_MAX_BYTES + 1) + 32];
    char text[256];
};

struct fs_error_log {
    pthread_mutex_t lock; /* everything below */
    struct failure ring[FS_ERROR_LOG_KEPT];
    size_t added;           /* since the start; the next goes to added % FS_ERROR_LOG_KEPT */
    struct fs_timer *timer; /* NULL: nobody tells when it is time */
    struct fs_timer_entry look;
    int64_t look_ms; /* when the timer fires next; 0: it does not */
    int repeat_ms;
    int64_t window_until_ms; /* of the bound of logged lines */
    unsigned logged;         /* in this window */
    unsigned long unlogged;  /* beyond the bound */
};

/* A line for the log, made with the lock and written without. */
struct line {
    bool given;
    struct failure failure;
    unsigned long more; /* 0: the failure itself, else how often it came again */
};

static void print_more(unsigned long count, char *more, size_t size)
{
    snprintf(more, size, ": … %lu more time%s", count, count == 1 ? "" : "s");
}

static void write_line(const struct line *line)
{
    const struct failure *failure = &line->failure;
    char more[48] = "";

    if (!line->given)
        return;
    if (line->more > 0)
        print_more(line->more, more, sizeof(more));
    ds_log(DS_LOG_WARNING, "%s %s: %s (%s)%s", failure->operation, failure->path, failure->text,
           ds_errno_name(-failure->error), more);
}

/* With the lock: takes what is to be told of the failure. */
static struct line take_untold(struct failure *failure)
{
    struct line line = {.given = failure->untold > 0, .more = failure->untold};

    if (line.given)
        line.failure = *failure;
    failure->untold = 0;
    return line;
}

static size_t kept(const struct fs_error_log *errors)
{
    return errors->added < FS_ERROR_LOG_KEPT ? errors->added : FS_ERROR_LOG_KEPT;
}

/* With the lock: the first that is to be told, `now_ms` being the time; INT64_MAX tells all.
 * `*next_ms` is when there is more to tell. */
static struct line next_untold(struct fs_error_log *errors, int64_t now_ms, int64_t *next_ms)
{
    *next_ms = INT64_MAX;
    for (size_t i = 0; i < kept(errors); i++) {
        struct failure *failure = &errors->ring[i];

        if (failure->untold == 0)
            continue;
        if (failure->until_ms <= now_ms)
            return take_untold(failure);
        if (failure->until_ms < *next_ms)
            *next_ms = failure->until_ms;
    }
    return (struct line){0};
}

/* With the lock: how many lines beyond the bound are to be told of. */
static unsigned long take_unlogged(struct fs_error_log *errors, int64_t now_ms, int64_t *next_ms)
{
    unsigned long count = errors->unlogged;

    if (count > 0 && errors->window_until_ms > now_ms) {
        if (errors->window_until_ms < *next_ms)
            *next_ms = errors->window_until_ms;
        return 0;
    }
    errors->unlogged = 0;
    return count;
}

/* Logs what is to be told by `now_ms`. The time when there is more, INT64_MAX if there is none. */
static int64_t tell(struct fs_error_log *errors, int64_t now_ms)
{
    int64_t next_ms;
    struct line line;
    unsigned long unlogged;

    do {
        pthread_mutex_lock(&errors->lock);
        line = next_untold(errors, now_ms, &next_ms);
        unlogged = line.given ? 0 : take_unlogged(errors, now_ms, &next_ms);
        pthread_mutex_unlock(&errors->lock);
        write_line(&line);
    } while (line.given);
    if (unlogged > 0)
        ds_log(DS_LOG_WARNING, "… %lu more failures: there are too many to log each", unlogged);
    return next_ms;
}

/* With the lock: the timer looks again in time. */
static void watch(struct fs_error_log *errors, int64_t at_ms)
{
    if (errors->timer == NULL || (errors->look_ms != 0 && errors->look_ms <= at_ms))
        return;
    errors->look_ms = at_ms;
    fs_timer_set(errors->timer, &errors->look, at_ms);
}

static void fire(struct fs_timer_entry *entry)
{
    struct fs_error_log *errors =
        (struct fs_error_log *)((char *)entry - offsetof(struct fs_error_log, look));
    int64_t next_ms;

    pthread_mutex_lock(&errors->lock);
    errors->look_ms = 0;
    pthread_mutex_unlock(&errors->lock);
    next_ms = tell(errors, ds_call_now_ms());
    DS_LOCK_SCOPE(&errors->lock);
    if (next_ms != INT64_MAX)
        watch(errors, next_ms);
}

struct fs_error_log *fs_error_log_new(int repeat_ms)
{
    struct fs_error_log *errors = calloc(1, sizeof(*errors));

    if (errors == NULL)
        return NULL;
    pthread_mutex_init(&errors->lock, NULL);
    errors->look.fire = fire;
    errors->repeat_ms = repeat_ms;
    return errors;
}

void fs_error_log_set_timer(struct fs_error_log *errors, struct fs_timer *timer)
{
    struct fs_timer *before;

    pthread_mutex_lock(&errors->lock);
    before = errors->timer;
    errors->timer = timer;
    pthread_mutex_unlock(&errors->lock);
    if (timer == NULL && before != NULL) {
        fs_timer_cancel(before, &errors->look);
        tell(errors, INT64_MAX);
    }
}

void fs_error_log_free(struct fs_error_log *errors)
{
    if (errors == NULL)
        return;
    tell(errors, INT64_MAX);
    pthread_mutex_destroy(&errors->lock);
    free(errors);
}

static void print_path(const struct fs_error_log_about *about, char *whole, size_t size)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1] = "", sub[DS_FILE_NAME_MAX_BYTES + 1] = "";
    char *path = whole;

    if (about->machine != NULL) {
        int len = snprintf(path, size, "/%s", about->machine);

        path += len;
        size -= (size_t)len;
    }
    if (about->dataset != NULL)
        ds_file_name_encode(DS_FILE_NAME_IN_ROOT, about->dataset, name);
    if (about->key != NULL)
        ds_file_name_encode(DS_FILE_NAME_IN_DATASET, about->key, sub);
    if (about->info)
        snprintf(path, size, "/%s/info/%s", DS_FILE_NAME_CONTROL, name);
    else if (about->key != NULL)
        snprintf(path, size, "/%s/%s", name, sub);
    else if (about->dataset != NULL || about->machine == NULL)
        snprintf(path, size, "/%s", name);
    ds_text_clean(whole);
}

/* With the lock: the last failure that is equal to this one; NULL: none. */
static struct failure *find_equal(struct fs_error_log *errors, const struct failure *failure)
{
    for (size_t i = 0; i < kept(errors); i++) {
        struct failure *other = &errors->ring[(errors->added - 1 - i) % FS_ERROR_LOG_KEPT];

        if (other->error == failure->error && strcmp(other->operation, failure->operation) == 0 &&
            strcmp(other->path, failure->path) == 0 && strcmp(other->text, failure->text) == 0)
            return other;
    }
    return NULL;
}

/* With the lock: true if the log takes one line more. */
static bool may_log(struct fs_error_log *errors, int64_t now_ms)
{
    if (now_ms >= errors->window_until_ms && errors->unlogged == 0) {
        errors->window_until_ms = now_ms + errors->repeat_ms;
        errors->logged = 0;
    }
    if (errors->logged < FS_ERROR_LOG_LOGGED) {
        errors->logged++;
        return true;
    }
    errors->unlogged++;
    watch(errors, errors->window_until_ms);
    return false;
}

void fs_error_log_note(struct fs_error_log *errors, const char *operation,
                       const struct fs_error_log_about *about, int error, const char *text)
{
    struct failure failure = {.when = time(NULL), .operation = operation, .error = error};
    struct line before = {0}, line = {0};
    struct failure *equal, *place;
    int64_t now_ms = ds_call_now_ms();

    print_path(about, failure.path, sizeof(failure.path));
    snprintf(failure.text, sizeof(failure.text), "%s", text[0] != '\0' ? text : strerror(-error));
    ds_text_clean(failure.text);

    pthread_mutex_lock(&errors->lock);
    equal = find_equal(errors, &failure);
    if (equal != NULL && now_ms < equal->until_ms) {
        equal->repeats++;
        equal->untold++;
        watch(errors, equal->until_ms);
    } else {
        place = &errors->ring[errors->added++ % FS_ERROR_LOG_KEPT];
        if (equal != NULL)
            before = take_untold(equal);
        else if (errors->added > FS_ERROR_LOG_KEPT)
            before = take_untold(place);
        failure.until_ms = now_ms + errors->repeat_ms;
        *place = failure;
        line = (struct line){.given = may_log(errors, now_ms), .failure = failure};
    }
    pthread_mutex_unlock(&errors->lock);
    write_line(&before);
    write_line(&line);
}

int fs_error_log_print(struct fs_error_log *errors, struct ds_buf *out)
{
    DS_LOCK_SCOPE(&errors->lock);
    size_t first = errors->added > FS_ERROR_LOG_KEPT ? errors->added - FS_ERROR_LOG_KEPT : 0;

    for (size_t i = first; i < errors->added; i++) {
        const struct failure *failure = &errors->ring[i % FS_ERROR_LOG_KEPT];
        struct tm utc;
        char when[32], more[48] = "";
        int err;

        gmtime_r(&failure->when, &utc);
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
        if (failure->repeats > 0)
            print_more(failure->repeats, more, sizeof(more));
        err = ds_buf_printf(out, "%s\t%s\t%s\t%s\t%s%s\n", when, failure->operation, failure->path,
                            ds_errno_name(-failure->error), failure->text, more);
        if (err != 0)
            return err;
    }
    return 0;
}
