/* REST when the answer is a strange one: its words, its headers, what it lists. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void start(const char *options)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(NULL);
    harness_start_source("m", sim_rest_source(), sim_rest_options(options));
    assert_ok(access("m/app", F_OK));
}

/* A header over libcurl's limit is the server's fault, and no lack of memory. */
static void test_long_header(void **state)
{
    (void)state;
    start(NULL);
    peer_set("app", "k", "v");
    sim_fault("header=120000:command=rest-get");
    assert_sh_fails("bash", "Protocol error", "cat m/app/k");
    sim_clear();
    assert_content("m/app/k", "v");
    assert_sh_ok("bash", "", "grep -q 'EPROTO.*headers' m/.datasetfs/errors");
    assert_sh_ok("bash", "", "! grep -q 'memory' m/.datasetfs/errors");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_long_header),
};

HARNESS_MAIN(tests)
