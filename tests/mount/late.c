/* Lines that are committed late. */
#include "late.h"

#include "cleanup.h"
#include "peer.h"
#include "sim.h"

#include <fcntl.h>
#include <string.h>

struct harness_daemon *late_start(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "other", "x");
    peer_set("app", "k", "");
    peer_set("app", "l", "");
    sim_start(NULL);
    return harness_start_source("m", sim_source(), options);
}

void late_put(int fd, int count)
{
    for (int i = 0; i < count; i++)
        harness_put(fd, LATE_LINE);
}

bool late_stored(const char *key, size_t count)
{
    char *value DS_AUTO_FREE = peer_get("app", key);
    return value && strlen(value) == count * strlen(LATE_LINE);
}

int late_open(const char *path, int flags)
{
    int fd = -1;
    assert_soon((fd = open(path, flags | O_CLOEXEC, 0600)) >= 0);
    return fd;
}

bool late_reported(const char *words)
{
    char text[4096];
    return harness_read("m/.datasetfs/errors", text, sizeof text) >= 0 && strstr(text, words);
}
