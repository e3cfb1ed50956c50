/* The simulated vCenter itself, spoken to with curl. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "proxy.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Prints the reply's body, a newline and its status. */
#define CURL                                                                                       \
    "curl -sS --noproxy '*' --max-time 25 --cacert " SIM_CA " --path-as-is -w '\\n%%{http_code}' "
#define LOGIN "-u '" SIM_USER ":" SIM_PASSWORD "' -X POST "
#define JSON "-H 'Content-Type: application/json' "

static char token[64];

/* What curl prints for these further arguments, which begin with options and end with a path. */
__attribute__((format(printf, 1, 2))) static const char *ask(const char *format, ...)
{
    char text[32768];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_in_range(len, 0, sizeof text - 1);
    char *path = strrchr(text, ' ');
    assert_non_null(path);
    *path++ = '\0';
    return shell_run("bash", CURL "-H 'vmware-api-session-id: %s' %s '%s%s'", token, text,
                     sim_rest_url(), path)
        ->out;
}

#define assert_answer(expected, ...) assert_string_equal(ask(__VA_ARGS__), expected)

/* A DataSet "app", the simulator, and a session. */
static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(arguments);
    *token = '\0';
    const char *answer = ask(LOGIN " /api/session");
    assert_int_equal(sscanf(answer, "\"%32[0-9a-f]\"\n201", token), 1);
}

static void test_operations(void **state)
{
    (void)state;
    start(NULL);
    assert_answer("[{\"data_set\":\"app\",\"name\":\"app\",\"description\":\"\"}]\n200",
                  "-X GET /api/vcenter/vm/vm-1/data-sets");
    assert_answer("\n204", JSON "-X PUT -d '\"v\"' /api/vcenter/vm/vm-1/data-sets/app/entries/k");
    assert_store("app", "k", "v");
    assert_answer("\"v\"\n200", "-X GET /api/vcenter/vm/vm-1/data-sets/app/entries/k");
    assert_answer("[\"k\"]\n200", "-X GET /api/vcenter/vm/vm-1/data-sets/app/entries");
    assert_int_equal(sim_sessions(), 1);
    assert_answer("\n204", "-X DELETE /api/session");
    assert_int_equal(sim_sessions(), 0);
}

static void test_proxy(void **state)
{
    (void)state;
    start(NULL);
    proxy_start(NULL);
    const struct shell_result *result = shell_run(
        "bash",
        "curl -sS --noproxy '*' --cacert " SIM_CA " --http2 -H 'vmware-api-session-id: %s' "
        "-o /dev/null -w '%%{http_code} %%{http_version}' %s/api/vcenter/vm",
        token, proxy_url());
    assert_string_equal(result->out, "200 2");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_operations),
    HARNESS_TEST(test_proxy),
};

HARNESS_MAIN(tests)
