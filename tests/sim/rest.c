#include "rest.h"

#include "cleanup.h"
#include "cut.h"
#include "out.h"
#include "rest_exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* For the headers of one request and its reply; a key of 4096 bytes has three times as many in the
 * path, and a fault makes one longer than clients take. */
#define HEADERS_BYTES ((size_t)512 * 1024)

struct sim_rest {
    struct sim_host *host;
    struct sim_rest_service service;
    struct MHD_Daemon *daemon;
    char *cert; /* texts of files */
    char *key;
    char *password;
    atomic_ulong connections; /* so far */
    pthread_mutex_t lock;
    struct sim_rest_exchange *exchanges; /* all that there are; under lock */
    bool stopping;                       /* under lock */
    bool cut; /* the connection that has been accepted last, by the thread that does that */
    size_t cut_after;
};

static enum MHD_Result accept_connection(void *argument, const struct sockaddr *address,
                                         socklen_t len)
{
    struct sim_rest *rest = argument;
    struct sim_fault fault;
    (void)address;
    (void)len;
    if (!sim_faults_take(rest->host->faults, SIM_WIRE_REST, SIM_STAGE_CONNECT, NULL, NULL, &fault))
        return MHD_YES;
    if (fault.kind == SIM_FAULT_CUT_CONNECTION) {
        rest->cut = true;
        rest->cut_after = fault.number;
        return MHD_YES;
    }
    sim_rest_exchange_log_refused(rest->host, &fault);
    return MHD_NO;
}

static int descriptor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return fd ? fd->connect_fd : -1;
}

static void begin_connection(void *argument, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode code)
{
    struct sim_rest *rest = argument;
    int fd = descriptor_of(connection);
    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        sim_cut_end(fd);
        return;
    }
    *context = (void *)(uintptr_t)(atomic_fetch_add(&rest->connections, 1) + 1);
    sim_cut_begin(fd);
    if (rest->cut)
        sim_cut_after(fd, SIM_CUT_WIRE, rest->cut_after);
    rest->cut = false;
}

static void link_exchange(struct sim_rest *rest, struct sim_rest_exchange *exchange)
{
    DS_LOCK_SCOPE(&rest->lock);
    exchange->next = rest->exchanges;
    if (exchange->next)
        exchange->next->previous = exchange;
    rest->exchanges = exchange;
    if (rest->stopping)
        ds_call_cancel(&exchange->call);
}

static void unlink_exchange(struct sim_rest *rest, struct sim_rest_exchange *exchange)
{
    DS_LOCK_SCOPE(&rest->lock);
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    if (exchange->previous)
        exchange->previous->next = exchange->next;
    else
        rest->exchanges = exchange->next;
}

/* The request line has come; this alone shows it undecoded. */
static void *begin_exchange(void *argument, const char *target, struct MHD_Connection *connection)
{
    struct sim_rest *rest = argument;
    struct sim_rest_exchange *exchange = calloc(1, sizeof *exchange);
    char *copy = strdup(target);
    if (!exchange || !copy)
        abort();
    const union MHD_ConnectionInfo *context =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->host = rest->host;
    exchange->service = &rest->service;
    exchange->io = (struct sim_io){.fd = descriptor_of(connection), .stop_fd = rest->host->stop_fd};
    exchange->connection = context ? (unsigned long)(uintptr_t)context->socket_context : 0;
    exchange->target = copy;
    ds_call_init(&exchange->call, 0);
    ds_call_set_cancel_fd(&exchange->call, rest->host->stop_fd);
    link_exchange(rest, exchange);
    return exchange;
}

static enum MHD_Result take(void *argument, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *data, size_t *len,
                            void **context)
{
    (void)argument;
    (void)url; /* decoded, so of no use */
    return sim_rest_exchange_take(*context, connection, method, version, data, len);
}

static void end_exchange(void *argument, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct sim_rest *rest = argument;
    struct sim_rest_exchange *exchange = *context;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    unlink_exchange(rest, exchange);
    sim_rest_exchange_clear(exchange);
    free(exchange);
    *context = NULL;
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "datasets-sim: %s: %s\n", what, strerror(-err));
    return err;
}

/* The text of a file, or NULL with errno set. */
static char *read_file(const char *path)
{
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    int fd DS_AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[4096];
    ssize_t got = -1;
    if (fd < 0)
        return NULL;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        sim_out_bytes(&text, chunk, (size_t)got);
    if (got < 0)
        return NULL;
    sim_out_text(&text, "");
    char *content = text.data;
    text = (struct ds_buf){0};
    return content;
}

static int read_files(struct sim_rest *rest, const struct sim_rest_options *options)
{
    const struct {
        const char *path;
        char **text;
    } files[] = {
        {options->cert, &rest->cert},
        {options->key, &rest->key},
        {options->password_file, &rest->password},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        *files[i].text = read_file(files[i].path);
        if (!*files[i].text)
            return fail(files[i].path, errno ? -errno : -ENODATA);
    }
    rest->password[strcspn(rest->password, "\n")] = '\0';
    return 0;
}

/* Listens on 127.0.0.1, also where a simulator has just ended; `*port` 0 becomes the port. */
static int listen_at(uint16_t *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    void *plain = &address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, plain, len) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, plain, &len) != 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* All of it or nothing appears at `path`. */
static int write_port(const char *path, uint16_t port)
{
    char *temporary DS_AUTO_FREE = NULL;
    if (!path)
        return 0;
    if (asprintf(&temporary, "%s.new", path) < 0)
        return -ENOMEM;
    FILE *file = fopen(temporary, "we");
    if (!file)
        return -errno;
    bool good = fprintf(file, "%u\n", (unsigned)port) > 0;
    good = fclose(file) == 0 && good;
    if (good && rename(temporary, path) == 0)
        return 0;
    return errno ? -errno : -EIO;
}

/* Takes the listening socket, also on failure. */
static int start_daemon(struct sim_rest *rest, int fd)
{
    rest->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_TLS,
        0, accept_connection, rest, take, rest, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_HTTPS_MEM_KEY, rest->key, MHD_OPTION_HTTPS_MEM_CERT, rest->cert,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADERS_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, rest, MHD_OPTION_NOTIFY_COMPLETED,
        end_exchange, rest, MHD_OPTION_NOTIFY_CONNECTION, begin_connection, rest, MHD_OPTION_END);
    if (rest->daemon)
        return 0;
    close(fd);
    return fail("the certificate or key does not serve", -EINVAL);
}

int sim_rest_start(struct sim_host *host, const struct sim_rest_options *options,
                   struct sim_rest **out)
{
    uint16_t port = options->port;
    struct sim_rest *rest = calloc(1, sizeof *rest);
    if (!rest)
        return fail("cannot begin", -ENOMEM);
    pthread_mutex_init(&rest->lock, NULL);
    signal(SIGPIPE, SIG_IGN); /* TLS writes with a plain write(2) */
    rest->host = host;
    rest->service = (struct sim_rest_service){.shape = options->shape,
                                              .vms = &host->vms,
                                              .sessions = host->sessions,
                                              .user = options->user};
    int err = read_files(rest, options);
    int fd = err ? err : listen_at(&port);
    if (!err && fd < 0)
        err = fail("cannot listen", fd);
    rest->service.password = rest->password;
    if (!err)
        err = start_daemon(rest, fd);
    if (!err && (err = write_port(options->port_file, port)) != 0)
        fail(options->port_file, err);
    if (err)
        sim_rest_stop(rest);
    else
        *out = rest;
    return err;
}

static void cancel_all(struct sim_rest *rest)
{
    DS_LOCK_SCOPE(&rest->lock);
    rest->stopping = true;
    for (struct sim_rest_exchange *at = rest->exchanges; at; at = at->next)
        ds_call_cancel(&at->call);
}

void sim_rest_stop(struct sim_rest *rest)
{
    if (!rest)
        return;
    cancel_all(rest);
    if (rest->daemon)
        MHD_stop_daemon(rest->daemon);
    pthread_mutex_destroy(&rest->lock);
    free(rest->cert);
    free(rest->key);
    free(rest->password);
    free(rest);
}
