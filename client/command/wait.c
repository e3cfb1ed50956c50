/* wait: asks once an interval, until a key is as it should be. */
#include "cleanup.h"
#include "file_name.h"
#include "input.h"
#include "log.h"
#include "print.h"
#include "spelling.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct wait {
    struct ds_session *session;
    const char *dataset_word;
    const char *key_word;
    char *dataset; /* NULL: a path is read instead */
    char *key;
    struct ds_buf value; /* as last read */
    int err;             /* of the last question, and its words */
    char words[DS_CALL_TEXT_BYTES];
    int64_t end_ms; /* INT64_MAX: never */
};

/* A command that looks like one with a path has that instead of SOURCE. */
static const char *path_of(const struct wait *wait)
{
    return wait->dataset_word == NULL ? wait->session->arguments->source : NULL;
}

static int64_t left_ms(const struct wait *wait)
{
    return wait->end_ms == INT64_MAX ? INT64_MAX : wait->end_ms - ds_call_now_ms();
}

/* A call that ends with the waiting. */
static struct ds_call *begin_call(struct wait *wait)
{
    int64_t timeout_ms = wait->session->arguments->store.timeout_ms, left = left_ms(wait);

    return ds_session_call_within(wait->session, timeout_ms < left ? timeout_ms
                                                 : left > 0        ? left
                                                                   : 1);
}

/* Opens the store if it is not, and reads the value. */
static int ask_store(struct wait *wait)
{
    struct ds_session *session = wait->session;
    struct ds_call *call = begin_call(wait);
    int err = 0;

    if (session->client == NULL)
        err = ds_session_connect(session, call);
    if (err == 0)
        err = ds_client_get_one(session->client, call, wait->dataset, wait->key, &wait->value);
    snprintf(wait->words, sizeof wait->words, "%s", call->text);
    return err;
}

static int read_path(struct wait *wait, const char *path)
{
    int fd DS_AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);

    return fd >= 0 ? ds_input_all(fd, DS_VALUE_MAX_BYTES, &wait->value) : -errno;
}

/* True if no later question can have another answer. */
static bool is_refused(int err)
{
    switch (err) {
    case -EACCES:
    case -EPERM:
    case -EROFS:
    case -EOPNOTSUPP:
    case -EINVAL:
    case -EILSEQ:
    case -ENAMETOOLONG:
    case -ENOMEM:
    case -EISDIR:
        return true;
    default:
        return false;
    }
}

static size_t without_newline(const char *text, size_t len)
{
    return len > 0 && text[len - 1] == '\n' ? len - 1 : len;
}

/* One newline at the end of either does not count. */
static bool equals(const struct wait *wait, const char *text)
{
    size_t len = without_newline(text, strlen(text));

    return without_newline(wait->value.data, wait->value.len) == len &&
           (len == 0 || memcmp(wait->value.data, text, len) == 0);
}

static bool fits(const struct wait *wait)
{
    const struct ds_arguments *arguments = wait->session->arguments;

    if (arguments->gone) /* as a store says that is there */
        return wait->err == -ENOENT && (path_of(wait) != NULL || wait->session->client != NULL);
    if (wait->err != 0)
        return false;
    if (arguments->equals != NULL)
        return equals(wait, arguments->equals);
    return arguments->not_equals == NULL || !equals(wait, arguments->not_equals);
}

/* Until the next interval begins. False if the waiting is over. */
static bool sleep_until(struct wait *wait, int64_t next_ms)
{
    int64_t left = left_ms(wait), ms = next_ms - ds_call_now_ms();
    struct ds_call *call;

    if (left <= ms)
        ms = left; /* the last answer would come too late to count */
    call = ds_session_call_within(wait->session, INT_MAX);
    if (ms > 0 && ds_call_sleep(call, (int)(ms < INT_MAX ? ms : INT_MAX)) != 0)
        return false;
    return left_ms(wait) > 0 && !ds_session_interrupted();
}

static bool ask_until(struct wait *wait)
{
    int64_t interval_ms = wait->session->arguments->interval_ms, next_ms = ds_call_now_ms();
    const char *path = path_of(wait);

    do {
        ds_buf_free(&wait->value);
        wait->err = path != NULL ? read_path(wait, path) : ask_store(wait);
        if (fits(wait))
            return true;
        if (is_refused(wait->err))
            return false;
        do
            next_ms += interval_ms;
        while (next_ms <= ds_call_now_ms());
    } while (sleep_until(wait, next_ms));
    return false;
}

static enum ds_status tell(const struct wait *wait, const char *what)
{
    const char *path = path_of(wait);

    if (ds_session_interrupted())
        return DS_STATUS_NOT_THERE;
    if (path != NULL)
        ds_log(DS_LOG_ERROR, "%s %s", path, what);
    else
        ds_log(DS_LOG_ERROR, "%s/%s %s", wait->dataset_word, wait->key_word, what);
    return DS_STATUS_NOT_THERE;
}

/* True if the DataSet itself is known to be missing. */
static bool lacks_dataset(struct wait *wait)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    char directory[PATH_MAX];
    const char *path = path_of(wait), *slash = path != NULL ? strrchr(path, '/') : NULL;
    struct stat there;

    if (path == NULL)
        return wait->session->client != NULL &&
               ds_client_query(wait->session->client, ds_session_call(wait->session), wait->dataset,
                               &attributes) == -ENOENT;
    if (slash == NULL || slash == path || slash - path >= (int)sizeof directory)
        return false;
    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    return stat(directory, &there) != 0 && errno == ENOENT;
}

/* It is not as it should be: why, as far as the last question tells. */
static enum ds_status tell_missing(struct wait *wait)
{
    const struct ds_arguments *arguments = wait->session->arguments;
    const char *dataset = wait->dataset_word != NULL ? wait->dataset_word : "of this path";
    char words[DS_CALL_TEXT_BYTES];

    if (wait->err == 0)
        return tell(wait, arguments->gone ? "is still there" : "has another value so far");
    if (wait->err == -ENOENT && !ds_session_interrupted() && lacks_dataset(wait)) {
        ds_log(DS_LOG_ERROR, "DataSet %s does not exist yet", dataset);
        return DS_STATUS_NOT_THERE;
    }
    if (wait->err == -ENOENT && wait->words[0] == '\0')
        return tell(wait, "does not exist yet");
    snprintf(words, sizeof words, "is not known yet: %.200s",
             wait->words[0] != '\0' ? wait->words : strerror(-wait->err));
    return tell(wait, words);
}

const char *ds_wait_fault(const struct ds_arguments *arguments)
{
    int conditions = (arguments->equals != NULL) + (arguments->not_equals != NULL) +
                     arguments->exists + arguments->gone;

    if (arguments->count == 1)
        return "it takes SOURCE DATASET KEY, or the PATH of a file in a mount";
    if (conditions > 1)
        return "--equals, --not-equals, --exists and --gone exclude each other";
    for (size_t i = 0; i < arguments->count; i++)
        if (ds_file_name_is_shortened(arguments->words[i]))
            return "a shortened name says nothing of what is not there yet";
    return NULL;
}

/* What the command line says. The status. */
static enum ds_status prepare(struct wait *wait)
{
    const struct ds_arguments *arguments = wait->session->arguments;
    enum ds_status status;

    wait->end_ms = arguments->wait_ms > 0 ? ds_call_now_ms() + arguments->wait_ms : INT64_MAX;
    if (arguments->count == 0)
        return DS_STATUS_OK;
    wait->dataset_word = arguments->words[0];
    wait->key_word = arguments->words[1];
    status = ds_spelling_dataset(wait->session, wait->dataset_word, &wait->dataset);
    if (status == DS_STATUS_OK)
        status = ds_spelling_key(wait->session, wait->dataset, wait->key_word, &wait->key);
    return status;
}

static enum ds_status conclude(struct wait *wait, bool fitted)
{
    if (fitted) {
        if (wait->err == 0)
            ds_print_bytes(wait->value.data, wait->value.len);
        return DS_STATUS_OK;
    }
    if (!is_refused(wait->err))
        return tell_missing(wait);
    if (path_of(wait) == NULL)
        return ds_session_fail(wait->session, wait->err, wait->dataset, wait->key);
    ds_log(DS_LOG_ERROR, "%s: %s", path_of(wait), strerror(-wait->err));
    return ds_status_of(wait->err, &wait->session->call);
}

enum ds_status ds_wait_run(struct ds_session *session)
{
    struct wait wait = {.session = session};
    enum ds_status status = prepare(&wait);

    if (status == DS_STATUS_OK)
        status = conclude(&wait, ask_until(&wait));
    ds_buf_free(&wait.value);
    free(wait.dataset);
    free(wait.key);
    return status;
}
