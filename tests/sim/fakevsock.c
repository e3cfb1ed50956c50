/* libfakevsock.so, to be preloaded: AF_VSOCK connections to the host go to the Unix socket of a
 * simulated host, and open-vm-tools' question whether it runs in a virtual machine is answered yes.
 *
 *   FAKEVSOCK_PATH     where to connect to
 *   FAKEVSOCK_LOG      file that gets one line per call: "socket ok", "bind 1023 EADDRINUSE",
 *                      "connect ok"
 *   FAKEVSOCK_SOCKET, FAKEVSOCK_BIND, FAKEVSOCK_CONNECT
 *                      errors of a process's first calls, such as "EADDRINUSE:3,EACCES:1", if it
 *                      runs the program after a "@"; the calls after them succeed
 *   FAKEVSOCK_HELD     how many ports the host still holds: a connection from one that the log has
 *                      among the last so many is reset; for processes one after the other
 *
 * As with the kernel's AF_VSOCK, a connection of a non-blocking socket answers EINPROGRESS, and its
 * outcome is found in SO_ERROR. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
/* Needs struct sockaddr from above. */
#include <linux/vm_sockets.h>

#define HOST_CID 0    /* VMADDR_CID_HYPERVISOR */
#define HOST_PORT 976 /* where the host listens for guest RPC */
#define FDS_MAX 1024

#define EXPORT __attribute__((visibility("default")))

/* In the place of the C library's functions of these names. */
EXPORT int fake_socket(int domain, int type, int protocol) __asm__("socket");
EXPORT int fake_bind(int fd, const struct sockaddr *address, socklen_t len) __asm__("bind");
EXPORT int fake_connect(int fd, const struct sockaddr *address, socklen_t len) __asm__("connect");
EXPORT int fake_getsockopt(int fd, int level, int option, void *value,
                           socklen_t *len) __asm__("getsockopt");
EXPORT int fake_setsockopt(int fd, int level, int option, const void *value,
                           socklen_t len) __asm__("setsockopt");

EXPORT char VmCheck_IsVirtualWorld(void);

static atomic_bool ours[FDS_MAX];      /* this descriptor was asked for as AF_VSOCK */
static atomic_int ports[FDS_MAX];      /* that it was bound to */
static atomic_int late_error[FDS_MAX]; /* what SO_ERROR has to say, 0 if nothing */

/* A call that can be told to fail. */
struct step {
    const char *name;
    const char *variable;
    atomic_uint calls;
};
static struct step socket_step = {.name = "socket", .variable = "FAKEVSOCK_SOCKET"};
static struct step bind_step = {.name = "bind", .variable = "FAKEVSOCK_BIND"};
static struct step connect_step = {.name = "connect", .variable = "FAKEVSOCK_CONNECT"};

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EACCES", EACCES},
    {"EADDRINUSE", EADDRINUSE},
    {"EADDRNOTAVAIL", EADDRNOTAVAIL},
    {"EAFNOSUPPORT", EAFNOSUPPORT},
    {"ECONNREFUSED", ECONNREFUSED},
    {"ECONNRESET", ECONNRESET},
    {"EINTR", EINTR},
    {"ENETUNREACH", ENETUNREACH},
    {"ENOBUFS", ENOBUFS},
    {"ENODEV", ENODEV},
    {"EPERM", EPERM},
    {"ETIMEDOUT", ETIMEDOUT},
};

static int error_number(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strlen(errors[i].name) == len && !strncmp(errors[i].name, name, len))
            return errors[i].number;
    }
    fprintf(stderr, "fakevsock: unknown error '%.*s'\n", (int)len, name);
    abort();
}

/* The error that the plan has for this call, 0 for none. */
static int planned_error(struct step *step)
{
    const char *plan = getenv(step->variable);
    unsigned number = atomic_fetch_add(&step->calls, 1);
    const char *program = plan ? strchr(plan, '@') : NULL;
    if (program && strcmp(program + 1, program_invocation_short_name) != 0)
        return 0;
    while (plan && *plan && *plan != '@') {
        size_t len = strcspn(plan, ":,");
        int error = error_number(plan, len);
        char *end = (char *)plan + len;
        unsigned long times = 1;
        if (*end == ':')
            times = strtoul(end + 1, &end, 10);
        if (number < times)
            return error;
        number -= (unsigned)times;
        plan = *end == ',' ? end + 1 : end;
    }
    return 0;
}

/* Above what programs count on. */
enum { LOG_FD = 200 };

static int log_fd = -1;

/* A daemon that is confined can no longer open the log. */
__attribute__((constructor)) static void open_log(void)
{
    const char *path = getenv("FAKEVSOCK_LOG");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        log_fd = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD);
        close(fd);
    }
}

/* Appends a line to the log in one write. Keeps errno. */
static void note(const struct step *step, const struct sockaddr_vm *address, int error)
{
    int saved = errno;
    const char *outcome = "ok";
    for (size_t i = 0; error && i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].number == error)
            outcome = errors[i].name;
    }
    char line[96];
    int len = address ? snprintf(line, sizeof line, "%s %d %s\n", step->name,
                                 (int)address->svm_port, outcome)
                      : snprintf(line, sizeof line, "%s %s\n", step->name, outcome);
    /* In the background the daemon has closed what it had inherited. */
    if (log_fd >= 0 && write(log_fd, line, (size_t)len) != len && errno != EBADF)
        abort();
    errno = saved;
}

static void *real(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol)
        abort();
    return symbol;
}

static bool is_ours(int fd)
{
    return fd >= 0 && fd < FDS_MAX && atomic_load(&ours[fd]);
}

int fake_socket(int domain, int type, int protocol)
{
    int (*real_socket)(int, int, int);
    *(void **)&real_socket = real("socket");
    bool wanted = domain == AF_VSOCK && getenv("FAKEVSOCK_PATH");
    int error = wanted ? planned_error(&socket_step) : 0;
    int fd = -1;
    if (error)
        errno = error;
    else
        fd = wanted ? real_socket(AF_UNIX, type, 0) : real_socket(domain, type, protocol);
    if (fd >= FDS_MAX && wanted)
        abort();
    if (fd >= 0 && fd < FDS_MAX) {
        atomic_store(&ours[fd], wanted);
        atomic_store(&late_error[fd], 0);
    }
    if (wanted)
        note(&socket_step, NULL, fd < 0 ? errno : 0);
    return fd;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

int fake_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    int (*real_bind)(int, const struct sockaddr *, socklen_t);
    *(void **)&real_bind = real("bind");
    const void *plain = address;
    if (!is_ours(fd))
        return real_bind(fd, address, len);
    if (len < sizeof(struct sockaddr_vm) || address->sa_family != AF_VSOCK)
        return fail(EINVAL);
    int error = planned_error(&bind_step);
    atomic_store(&ports[fd], (int)((const struct sockaddr_vm *)plain)->svm_port);
    note(&bind_step, plain, error);
    return error ? fail(error) : 0;
}

/* True if one of the last connections was made from that port. */
static bool is_held(int port)
{
    enum { HELD_MAX = 1024 };
    const char *variable = getenv("FAKEVSOCK_HELD"), *path = getenv("FAKEVSOCK_LOG");
    size_t most = variable ? strtoul(variable, NULL, 10) : 0;
    FILE *log = most && path ? fopen(path, "re") : NULL;
    int used[HELD_MAX], bound = 0;
    size_t count = 0;
    char line[96];
    while (log && fgets(line, sizeof line, log)) {
        sscanf(line, "bind %d ok", &bound);
        if (strcmp(line, "connect ok\n") == 0)
            used[count++ % HELD_MAX] = bound;
    }
    if (log)
        fclose(log);
    for (size_t i = 1; i <= most && i <= count; i++)
        if (used[(count - i) % HELD_MAX] == port)
            return true;
    return false;
}

/* Connects to the simulated host; a missing one looks as a missing hypervisor does. */
static int connect_to_host(int fd)
{
    int (*real_connect)(int, const struct sockaddr *, socklen_t);
    *(void **)&real_connect = real("connect");
    struct sockaddr_un host = {.sun_family = AF_UNIX};
    const char *path = getenv("FAKEVSOCK_PATH");
    if (!path || strlen(path) >= sizeof host.sun_path)
        abort();
    memcpy(host.sun_path, path, strlen(path));
    const void *plain = &host;
    if (real_connect(fd, plain, sizeof host) == 0)
        return 0;
    return errno == ECONNREFUSED || errno == ENOENT ? ECONNRESET : errno;
}

int fake_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int (*real_connect)(int, const struct sockaddr *, socklen_t);
    *(void **)&real_connect = real("connect");
    if (!is_ours(fd))
        return real_connect(fd, address, len);
    if (len < sizeof(struct sockaddr_vm) || address->sa_family != AF_VSOCK)
        return fail(EINVAL);
    const struct sockaddr_vm *to = (const void *)address;
    int error = planned_error(&connect_step);
    if (!error && (to->svm_cid != HOST_CID || to->svm_port != HOST_PORT))
        error = ENETUNREACH;
    if (!error && is_held(atomic_load(&ports[fd])))
        error = ECONNRESET;
    if (!error)
        error = connect_to_host(fd);
    note(&connect_step, NULL, error);
    if (error == EINTR || error == ENOBUFS)
        return fail(error);
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK)) {
        atomic_store(&late_error[fd], error);
        return fail(EINPROGRESS);
    }
    return error ? fail(error) : 0;
}

int fake_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    int (*real_getsockopt)(int, int, int, void *, socklen_t *);
    *(void **)&real_getsockopt = real("getsockopt");
    if (is_ours(fd) && level == SOL_SOCKET && option == SO_ERROR && *len >= sizeof(int)) {
        int error = atomic_exchange(&late_error[fd], 0);
        if (error) {
            memcpy(value, &error, sizeof error);
            *len = sizeof error;
            return 0;
        }
    }
    return real_getsockopt(fd, level, option, value, len);
}

/* Options of AF_VSOCK itself (buffer sizes, the time that a connection may take) have no meaning
 * here and succeed. */
int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    int (*real_setsockopt)(int, int, int, const void *, socklen_t);
    *(void **)&real_setsockopt = real("setsockopt");
    return is_ours(fd) && level == AF_VSOCK ? 0 : real_setsockopt(fd, level, option, value, len);
}

/* libvmtools' own question; a real answer needs VMware's processor leaf and I/O port. */
char VmCheck_IsVirtualWorld(void)
{
    return 1;
}
