/* A command under way. */
#include "session.h"

#include "log.h"
#include "shown.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A server hears of our end, or not; the command's work is done. */
enum { END_MAX_MS = 5000 };

static volatile sig_atomic_t came; /* the signal */
static struct ds_call *current;    /* set before the handler is */

static void interrupt(int number)
{
    int saved = errno;

    came = number;
    ds_call_cancel(current);
    errno = saved;
}

bool ds_session_interrupted(void)
{
    return came != 0;
}

int ds_session_begin(struct ds_session *session, const struct ds_arguments *arguments)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    /* The second one ends it at once. */
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};

    *session = (struct ds_session){.arguments = arguments};
    ds_call_init(&session->call, arguments->store.timeout_ms);
    session->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->interrupt < 0)
        return -errno;
    current = &session->call;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction before;

        /* What nohup and background shells ignore stays ignored. */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* told by EPIPE, after which sessions are ended */
    return 0;
}

struct ds_call *ds_session_call_within(struct ds_session *session, int64_t timeout_ms)
{
    ds_call_init(&session->call, timeout_ms);
    ds_call_set_cancel_fd(&session->call, session->interrupt);
    if (came != 0) /* also while the call was made */
        ds_call_cancel(&session->call);
    return &session->call;
}

struct ds_call *ds_session_call(struct ds_session *session)
{
    return ds_session_call_within(session, session->arguments->store.timeout_ms);
}

int ds_session_connect(struct ds_session *session, struct ds_call *call)
{
    struct ds_source_options options = session->arguments->store.source;

    options.delay_connect = true; /* the first request finds out, and costs no other */
    if (session->arguments->inventory)
        return ds_inventory_open(session->arguments->source, &options, call, &session->inventory);
    return ds_source_open(session->arguments->source, &options, call, &session->client);
}

enum ds_status ds_session_open(struct ds_session *session)
{
    int err = ds_session_connect(session, ds_session_call(session));

    return err == 0 ? DS_STATUS_OK : ds_session_fail(session, err, NULL, NULL);
}

enum ds_status ds_session_fail(const struct ds_session *session, int err, const char *dataset,
                               const char *key)
{
    const struct ds_call *call = &session->call;
    const char *words = call->text;
    char shown[DS_SHOWN_BYTES];

    if (came != 0)
        return ds_status_of(err, call);
    if (words[0] == '\0' && err == -ENOENT)
        words = key != NULL       ? "there is no such key or DataSet"
                : dataset != NULL ? "there is no such DataSet"
                                  : "there is no such store";
    if (words[0] == '\0')
        words = err == -EBADMSG
                    ? "what stands there is no text, or too long: it can be replaced or "
                      "removed"
                    : strerror(-err);
    if (dataset != NULL)
        ds_log(DS_LOG_ERROR, "%s: %s", ds_shown(dataset, key, shown), words);
    else
        ds_log(DS_LOG_ERROR, "%s", words);
    return ds_status_of(err, call);
}

/* What has been printed arrives now, or not. */
static enum ds_status flush(enum ds_status status)
{
    int err = fflush(stdout) != 0 ? errno : ferror(stdout) != 0 ? EIO : 0;

    if (err == EPIPE)
        came = SIGPIPE;
    if (err == 0 || err == EPIPE)
        return status;
    ds_log(DS_LOG_ERROR, "standard output: %s", strerror(err));
    return DS_STATUS_FAILED;
}

enum ds_status ds_session_end(struct ds_session *session, enum ds_status status)
{
    int64_t timeout_ms = session->arguments->store.timeout_ms;
    struct ds_call call;

    status = flush(status);
    ds_call_init(&call, timeout_ms < END_MAX_MS ? timeout_ms : END_MAX_MS);
    ds_client_free(session->client, &call);
    ds_inventory_free(session->inventory, &call);
    if (came != 0) {
        signal(came, SIG_DFL);
        raise(came);
    }
    close(session->interrupt);
    return status;
}
