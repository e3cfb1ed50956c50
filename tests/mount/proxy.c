#include "proxy.h"

#include "cleanup.h"
#include "place.h"
#include "process.h"
#include "sim_rest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define OUTPUT "proxy.out"
#define ATTEMPTS 8 /* the port that was free may be taken before the proxy has it */

static pid_t proxy_pid;           /* 0: none runs */
static uint16_t port;             /* of the running test; kept for its next start */
static char port_is_of[PATH_MAX]; /* the test's directory */

static struct sockaddr_in address_of(uint16_t number)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(number),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = address_of(0);
    socklen_t len = sizeof address;
    void *plain = &address;
    int fd DS_AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_ok(bind(fd, plain, len));
    assert_ok(getsockname(fd, plain, &len));
    return ntohs(address.sin_port);
}

static bool listens(void)
{
    struct sockaddr_in address = address_of(port);
    const void *plain = &address;
    int fd DS_AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, plain, sizeof address) == 0;
}

static void become_proxy(const char *const *arguments)
{
    char front[64];
    char back[64];
    snprintf(front, sizeof front, "--frontend=127.0.0.1,%u", (unsigned)port);
    snprintf(back, sizeof back, "--backend=127.0.0.1,%u;;tls;proto=http/1.1",
             (unsigned)sim_rest_port());
    const char *argv[ARGUMENTS_MAX] = {"nghttpx",
                                       "--conf=/dev/null",
                                       front,
                                       back,
                                       "--single-process",
                                       "--workers=1",
                                       "--insecure",
                                       "--no-ocsp",
                                       "--log-level=WARN",
                                       "--accesslog-file=/dev/null"};
    size_t count = 10;
    while (arguments && *arguments && count < ARGUMENTS_MAX - 3)
        argv[count++] = *arguments++;
    argv[count++] = "server.key";
    argv[count++] = "server.pem";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(OUTPUT, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    execvp(argv[0], (char *const *)argv); // NOLINT: execvp() does not change them
    _exit(127);
}

/* False when the child ends or takes too long. */
static bool wait_listening(void)
{
    int64_t until = harness_now_ms() + HARNESS_START_MS;
    int pidfd DS_AUTO_CLOSE = (int)syscall(SYS_pidfd_open, proxy_pid, 0);
    while (harness_now_ms() < until) {
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};
        if (listens())
            return true;
        if (poll(&ended, 1, 5) != 0)
            return false;
    }
    return false;
}

void proxy_start(const char *const *arguments)
{
    assert_int_equal(proxy_pid, 0);
    bool again = strcmp(port_is_of, harness_dir()) == 0;
    snprintf(port_is_of, sizeof port_is_of, "%s", harness_dir());
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!again)
            port = free_port();
        proxy_pid = fork();
        if (proxy_pid == 0)
            become_proxy(arguments);
        assert_true(proxy_pid > 0);
        if (wait_listening())
            return;
        harness_wait_child(proxy_pid, 0, false);
        proxy_pid = 0;
    }
    harness_print_file(OUTPUT);
    fail_msg("nghttpx does not listen");
}

const char *proxy_url(void)
{
    static char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u", (unsigned)port);
    return url;
}

uint16_t proxy_port(void)
{
    return port;
}

bool proxy_end(void)
{
    pid_t pid = proxy_pid;
    proxy_pid = 0;
    return !pid || harness_end_child(pid, SIGKILL, 128 + SIGKILL, "the proxy", OUTPUT);
}

void proxy_stop(void)
{
    if (!proxy_end())
        fail();
}
