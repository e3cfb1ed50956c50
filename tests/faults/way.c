#include "way.h"

#include "clock.h"

#include "tests/mount/peer.h"
#include "tests/mount/sim.h"
#include "tests/mount/sim_rest.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *title;
} ways[WAY_COUNT] = {
    [WAY_LOCAL] = {"local", "local:FILE"},
    [WAY_TOOLS] = {"tools-all", "tools"},
    [WAY_REST] = {"rest", "https://HOST/VM"},
    [WAY_MACHINES] = {"rest-machines", "https://HOST"},
};

enum way way_of_run(void)
{
    const char *chosen = getenv("DATASETFS_TEST_SOURCE");
    if (!chosen || !*chosen)
        return WAY_LOCAL;
    for (int way = WAY_LOCAL + 1; way < WAY_COUNT; way++)
        if (strcmp(chosen, ways[way].name) == 0)
            return (enum way)way;
    fail_msg("DATASETFS_TEST_SOURCE=%s has no column here", chosen);
    return WAY_LOCAL;
}

const char *way_name(enum way way)
{
    return ways[way].name;
}

const char *way_title(enum way way)
{
    return ways[way].title;
}

void way_start_simulator(enum way way)
{
    if (IN(way) & IN_TOOLS)
        sim_start(NULL);
    else
        sim_start_rest(NULL);
}

/* Of an operation, in seconds. */
static const char *deadline = "timeout=1";

static struct harness_daemon *mount_it(void)
{
    clock_preload();
    struct harness_daemon *daemon = harness_start("m", deadline);
    clock_preload_end();
    return daemon;
}

struct harness_daemon *way_remount(struct harness_daemon *daemon, bool large)
{
    harness_stop(daemon);
    deadline = large ? "timeout=60" : "timeout=1";
    return mount_it();
}

struct harness_daemon *way_begin(enum way way)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("few", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "well", "well");
    peer_set("few", "one", "1");
    if (IN(way) & IN_SIMULATED)
        way_start_simulator(way);
    return mount_it();
}

const char *way_source(enum way way)
{
    return way == WAY_LOCAL      ? HARNESS_SOURCE
           : way == WAY_TOOLS    ? sim_source()
           : way == WAY_MACHINES ? sim_rest_url()
                                 : sim_rest_source();
}

const char *way_options(enum way way)
{
    return IN(way) & IN_REST ? sim_rest_options(deadline) : deadline;
}
