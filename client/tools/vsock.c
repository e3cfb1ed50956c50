/* Connecting to the hypervisor. */
#include "vsock.h"

#include "../base/wait.h"
#include "cleanup.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* Needs struct sockaddr from above. */
#include <linux/vm_sockets.h>

/* From open-vm-tools, lib/rpcChannel/simpleSocket.c and lib/include/vmware/guestrpc. */
enum {
    RPC_PORT = 976,
    PRIVILEGED_PORTS = 1023, /* from that number downward */
    MAX_RESETS = 8,
    MAX_NO_BUFFERS = 5,
    NO_BUFFERS_WAIT_MS = 1,
};

/* How many ports this process has taken so far. */
static atomic_uint taken;

/* What has been tried so far. */
struct attempts {
    unsigned port; /* the next one to bind */
    unsigned in_use;
    unsigned resets;
    unsigned no_buffers;
};

static int unreachable(struct ds_call *call, int error)
{
    return ds_call_fail(call, -EHOSTUNREACH,
                        "not inside a VMware virtual machine, or guest RPC is disabled (%s)",
                        strerror(error));
}

/* The host holds a port for a while after a connection from it has ended. So that processes which
 * come one after the other need not find out which, each begins at a place of its own. */
static unsigned next_port(void)
{
    unsigned number = (unsigned)getpid() + atomic_fetch_add(&taken, 1);
    return PRIVILEGED_PORTS - number % PRIVILEGED_PORTS;
}

/* Gives `fd` a privileged port. 0 or a negative errno with words. */
static int bind_privileged(struct ds_call *call, int fd, struct attempts *attempts)
{
    for (; attempts->in_use < PRIVILEGED_PORTS; attempts->port = next_port(), attempts->in_use++) {
        struct sockaddr_vm address = {
            .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = attempts->port};
        if (!bind(fd, (struct sockaddr *)&address, sizeof address))
            return 0;
        if (errno == EACCES || errno == EPERM)
            return ds_call_fail(call, -EACCES,
                                "root is needed: the host listens to privileged ports only");
        if (errno != EADDRINUSE)
            return unreachable(call, errno);
    }
    return ds_call_fail(call, -EHOSTUNREACH, "all privileged ports are in use");
}

/* True with what to change in `attempts` done, false if it is of no use to go on after `error`. */
static bool try_again(struct attempts *attempts, int error)
{
    switch (error) {
    case EINTR:
        return true;
    case ECONNRESET: /* the host still holds the pair of ports */
        attempts->port = next_port();
        return ++attempts->resets < MAX_RESETS;
    case ENOBUFS:
        return ++attempts->no_buffers < MAX_NO_BUFFERS;
    default:
        return false;
    }
}

/* One connect() on a bound socket. The result is 0 or the deadline's or the cancellation's error,
 * with words; `*error` is the connection's own errno, positive, or 0. */
static int connect_once(struct ds_call *call, bool heed_cancel, int fd, int *error)
{
    struct sockaddr_vm address = {
        .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HYPERVISOR, .svm_port = RPC_PORT};
    *error = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    if (*error != EINPROGRESS)
        return 0;
    return ds_wait_connected(call, heed_cancel, fd, error);
}

int ds_vsock_connect(struct ds_call *call, bool heed_cancel, int *fd)
{
    struct attempts attempts = {.port = next_port()};
    for (;;) {
        int err = ds_wait_check(call, heed_cancel);
        if (err)
            return err;
        int made DS_AUTO_CLOSE = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (made < 0)
            return unreachable(call, errno);
        err = bind_privileged(call, made, &attempts);
        if (err)
            return err;
        int error;
        err = connect_once(call, heed_cancel, made, &error);
        if (err == -ETIMEDOUT)
            return ds_call_fail(call, err, "%s: is this a VMware virtual machine?", call->text);
        if (err)
            return err;
        if (!error) {
            *fd = ds_cleanup_keep(&made);
            return 0;
        }
        if (!try_again(&attempts, error))
            return unreachable(call, error);
        if (error == ENOBUFS) {
            err = ds_wait_ms(call, heed_cancel, NO_BUFFERS_WAIT_MS);
            if (err)
                return err;
        }
    }
}

int ds_vsock_try_port(struct ds_call *call)
{
    struct attempts attempts = {.port = next_port()};
    int fd DS_AUTO_CLOSE = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? unreachable(call, errno) : bind_privileged(call, fd, &attempts);
}

bool ds_vsock_exists(void)
{
    int fd DS_AUTO_CLOSE = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 || (errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT);
}
