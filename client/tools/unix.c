/* Connecting to the simulated host. */
#include "unix.h"

#include "../base/wait.h"
#include "cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* How long to wait for room in the listener's queue, which poll() does not tell. */
enum { QUEUE_WAIT_MS = 5 };

static int fail(struct ds_call *call, const char *path, int error)
{
    int err = error == EACCES || error == EPERM ? -EACCES : -EHOSTUNREACH;
    return ds_call_fail(call, err, "%.150s: %s", path, strerror(error));
}

int ds_unix_connect(const char *path, struct ds_call *call, bool heed_cancel, int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path)
        return ds_call_fail(call, -EINVAL, "%.100s…: a Unix socket's path has at most %zu bytes",
                            path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, len);

    int made DS_AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return fail(call, path, errno);
    while (connect(made, (struct sockaddr *)&address, sizeof address) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return fail(call, path, errno);
        int err = ds_wait_ms(call, heed_cancel, QUEUE_WAIT_MS);
        if (err)
            return err;
    }
    *fd = ds_cleanup_keep(&made);
    return 0;
}
