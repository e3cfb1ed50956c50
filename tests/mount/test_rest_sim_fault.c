/* The simulated vCenter's faults, life and end, seen by curl. */
#include "harness.h"

#include "peer.h"
#include "sim.h"
#include "sim_rest.h"
#include "web.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Exit statuses of curl. */
enum {
    CURL_NO_CONNECTION = 7,
    CURL_PARTIAL = 18,
    CURL_NO_TLS = 35,
    CURL_NOTHING = 52,
    CURL_BROKEN = 56,
    CURL_BAD_CERTIFICATE = 60
};

#define PUT_NEW "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"new\"'"
#define GET_KEY "GET", WEB_ENTRIES "/k", NULL

/* A DataSet "app" with "k" = "old", the simulator, and a session. */
static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "old");
    sim_start_rest(arguments);
    web_login();
}

static void test_closed(void **state)
{
    (void)state;
    start(NULL);
    sim_fault("close-before:command=rest-set:count=1");
    assert_web_broken(CURL_NOTHING, CURL_BROKEN, PUT_NEW);
    assert_store("app", "k", "old");
    sim_fault("close:command=rest-set:count=1");
    assert_web_broken(CURL_NOTHING, CURL_BROKEN, PUT_NEW);
    assert_store("app", "k", "new");
    sim_fault("reset-on-connect:count=1");
    assert_web_broken(CURL_NO_TLS, CURL_BROKEN, GET_KEY);
    sim_fault("drop-after=3:command=rest-get:count=1");
    const struct shell_result *result = web_ask(GET_KEY);
    assert_true(result->status == CURL_PARTIAL || result->status == CURL_BROKEN);
    assert_string_equal(result->out, "\"ne\n200");
    assert_web("\"new\"\n200", GET_KEY);
    assert_int_equal(sim_fired(), 4);
    assert_int_equal(sim_log_count("rest=rest-set", "status=0 ", "outcome=none fault=close-before"),
                     1);
    assert_int_equal(sim_log_count("rest=rest-set", "status=0 ", "outcome=ok fault=close "), 1);
    assert_int_equal(sim_log_count("fault=reset-on-connect"), 1);
    assert_int_equal(sim_log_count("rest=rest-get", "status=200 ", "outcome=ok fault=drop-after"),
                     1);
}

/* The caller of a request gives up while it waits for the answer, when the store holds this. */
static void give_up(const char *fault, const char *value, const char *method, const char *options)
{
    uint64_t fired = sim_fired();
    sim_fault("%s:count=1", fault);
    pid_t pid = web_spawn(method, WEB_ENTRIES "/k", options);
    assert_soon(sim_fired() > fired);
    assert_soon(peer_has("app", "k", value));
    assert_ok(kill(pid, SIGKILL));
    assert_int_equal(shell_wait(pid), 128 + SIGKILL); /* it had got no answer */
    assert_store("app", "k", value);
}

static void test_late(void **state)
{
    (void)state;
    static const char new[] = WEB_JSON "-d '\"new\"'";
    start(NULL);
    give_up("never-reply-before:command=rest-set", "old", "PUT", new);
    give_up("never-reply:command=rest-set", "new", "PUT", new);
    peer_set("app", "k", "old");
    give_up("delay=600000:command=rest-set", "new", "PUT", new);
    give_up("delay-before=600000:command=rest-remove", "new", "DELETE", "");
    int64_t begin = harness_now_ms();
    sim_fault("delay=100:command=rest-get:count=1");
    assert_web("\"new\"\n200", GET_KEY);
    sim_fault("delay-before=100:command=rest-get:count=1");
    assert_web("\"new\"\n200", GET_KEY);
    sim_fault("slow=20:command=rest-get:count=1");
    assert_web("\"new\"\n200", GET_KEY);
    assert_true(harness_now_ms() - begin >= 100 + 100 + 5 * 20);
}

static void test_wrong_replies(void **state)
{
    (void)state;
    start(NULL);
    sim_fault("garbage:command=rest-set:count=1");
    assert_web_error("200", "<title>Sign in</title>", PUT_NEW);
    sim_fault("status=502:command=rest-set:count=1");
    assert_web("\n502", PUT_NEW);
    sim_fault("error=SERVICE_UNAVAILABLE:command=rest-set:count=1");
    assert_web_error("503", "\"error_type\":\"SERVICE_UNAVAILABLE\"", PUT_NEW);
    sim_fault("busy:command=rest-set:count=1");
    assert_web_error("500", "\"error_type\":\"RESOURCE_BUSY\"", PUT_NEW);
    sim_fault("huge=3000000:command=rest-set:count=1");
    assert_int_equal(web_ask(PUT_NEW)->out_len, 3000000 + 2 + 4);
    sim_fault("retry-after=7:command=rest-set:count=1");
    assert_web_error("503", "\"error_type\":\"SERVICE_UNAVAILABLE\"", "PUT", WEB_ENTRIES "/k",
                     WEB_JSON "-d '\"new\"' -D headers");
    assert_sh_ok("bash", "Retry-After: 7\n", "tr -d '\\r' <headers | grep -i retry-after");
    sim_fault("redirect=/login:command=rest-set:count=1");
    assert_web("\n302", "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"new\"' -D headers");
    assert_sh_ok("bash", "Location: /login\n", "tr -d '\\r' <headers | grep -i location");
    assert_store("app", "k", "old");
    assert_int_equal(sim_log_count("rest=rest-set", "outcome=none"), 7);
    sim_fault("truncate:command=rest-get:count=1");
    assert_web("\"o\n200", GET_KEY);
    sim_fault("error=UNAUTHENTICATED:command=rest-query:skip=1:count=1");
    assert_web_error("200", "\"app\"", "GET", WEB_DATA_SETS "/app", NULL);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS "/app", NULL);
    assert_web_error("200", "\"app\"", "GET", WEB_DATA_SETS "/app", NULL);
    assert_int_equal(harness_write("words", O_CREAT, "200 application/json\n[1]"), 0);
    sim_fault("say-after=words:command=rest-set:count=1");
    assert_web("[1]\n200", PUT_NEW);
    assert_store("app", "k", "new");
}

/* Each operation has a name, and a fault for it strikes no other. */
static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *method;
        const char *path;
        const char *options;
    } operations[] = {
        {"rest-login", "POST", "/api/session", WEB_LOGIN},
        {"rest-vms", "GET", "/api/vcenter/vm", NULL},
        {"rest-vm", "GET", "/api/vcenter/vm/vm-1", NULL},
        {"rest-list", "GET", WEB_DATA_SETS, NULL},
        {"rest-create", "POST", WEB_DATA_SETS, WEB_JSON "-d '{}'"},
        {"rest-query", "GET", WEB_DATA_SETS "/app", NULL},
        {"rest-update", "PATCH", WEB_DATA_SETS "/app", WEB_JSON "-d '{}'"},
        {"rest-destroy", "DELETE", WEB_DATA_SETS "/app", NULL},
        {"rest-list-keys", "GET", WEB_ENTRIES, NULL},
        {"rest-get", "GET", WEB_ENTRIES "/k", NULL},
        {"rest-set", "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"v\"'"},
        {"rest-remove", "DELETE", WEB_ENTRIES "/k", NULL},
        {"rest-logout", "DELETE", "/api/session", NULL},
    };
    char word[64];
    start(NULL);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        sim_clear();
        for (size_t j = 0; j < sizeof operations / sizeof *operations; j++)
            sim_fault("status=%d:command=%s", i == j ? 555 : 556, operations[j].name);
        assert_web("\n555", operations[i].method, operations[i].path, operations[i].options);
        snprintf(word, sizeof word, "rest=%s ", operations[i].name);
        assert_int_equal(sim_log_count(word, "status=555", "fault=status"), 1);
    }
    assert_int_equal(sim_sessions(), 1);
}

static void test_certificates(void **state)
{
    (void)state;
    start(NULL);
    sim_make_certificate("elsewhere", "DNS:elsewhere.example", false);
    sim_make_certificate("alone", "IP:127.0.0.1", true);
    assert_web_broken(CURL_BAD_CERTIFICATE, CURL_BAD_CERTIFICATE, "GET", WEB_DATA_SETS,
                      "--cacert alone.pem");
    sim_stop();
    sim_start_rest_with("--cert", "elsewhere.pem", "--key", "elsewhere.key");
    assert_web_broken(CURL_BAD_CERTIFICATE, CURL_BAD_CERTIFICATE, GET_KEY);
    sim_stop();
    sim_start_rest_with("--cert", "alone.pem", "--key", "alone.key");
    assert_web_broken(CURL_BAD_CERTIFICATE, CURL_BAD_CERTIFICATE, GET_KEY);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS, "--cacert alone.pem");
}

/* Ends the simulator while a request that the words describe hangs. */
static void stop_during(const char *fault, const char *method, const char *path,
                        const char *options, const char *logged)
{
    size_t before = sim_log_count(logged);
    sim_fault("%s:count=1", fault);
    pid_t pid = web_spawn(method, path, options);
    assert_soon(sim_log_count(logged) > before);
    sim_stop();
    assert_int_not_equal(shell_wait(pid), 0);
    sim_start_rest(NULL);
    web_login();
}

static void test_end(void **state)
{
    (void)state;
    start(NULL);
    stop_during("never-reply", PUT_NEW, "fault=never-reply ");
    stop_during("never-reply-before", GET_KEY, "fault=never-reply-before");
    stop_during("delay=600000", GET_KEY, "fault=delay ");
    stop_during("slow=600000", GET_KEY, "fault=slow");
    stop_during("huge=900000000", "GET", WEB_ENTRIES "/k", "--limit-rate 1000 --max-time 3",
                "fault=huge");

    /* Hangs before it is in the log. */
    sim_fault("delay-before=600000:count=1");
    uint64_t fired = sim_fired();
    pid_t pid = web_spawn(GET_KEY);
    assert_soon(sim_fired() > fired);
    sim_stop();
    assert_int_not_equal(shell_wait(pid), 0);
}

/* The store itself hangs. */
static void test_end_blocked(void **state)
{
    (void)state;
    start(NULL);
    peer_block();
    sim_fault("delay-before=1:command=rest-set:count=1");
    pid_t pid = web_spawn(PUT_NEW);
    assert_soon(sim_fired() == 1);
    sim_stop();
    assert_int_not_equal(shell_wait(pid), 0);
    peer_unblock();
    assert_store("app", "k", "old");
}

static void test_restart(void **state)
{
    (void)state;
    start(NULL);
    uint16_t port = sim_rest_port();
    for (int i = 0; i < 3; i++) {
        assert_web("\"old\"\n200", GET_KEY);
        if (i == 1)
            sim_kill();
        else
            sim_stop();
        assert_web_broken(CURL_NO_CONNECTION, CURL_NO_CONNECTION, GET_KEY);
        sim_start_rest(NULL);
        assert_int_equal(sim_rest_port(), port);
        assert_web_error("401", "\"UNAUTHENTICATED\"", GET_KEY);
        web_login();
    }
}

/* As many of everything as a test can want. */
static void test_many(void **state)
{
    (void)state;
    enum { MACHINES = 17, FAULTS = 70 };
    char arguments[2 * MACHINES][64];
    const char *list[2 * MACHINES + 1] = {NULL};
    char filters[64 * MACHINES] = "/api/vcenter/vm?names=none";
    for (int i = 0; i < MACHINES; i++) {
        snprintf(arguments[i], sizeof *arguments, "--vm=vm-%d=web-%d=v%d.db", i, i, i);
        snprintf(arguments[MACHINES + i], sizeof *arguments, "--vm-state=vm-%d=suspended", i);
        list[i] = arguments[i];
        list[MACHINES + i] = arguments[MACHINES + i];
        snprintf(filters + strlen(filters), sizeof filters - strlen(filters), "&names=web-%d", i);
    }
    sim_start_rest(list);
    web_login();
    const struct shell_result *all = web_ask("GET", filters, NULL);
    for (int i = 0; i < MACHINES; i++) {
        char name[64];
        snprintf(name, sizeof name, "\"vm\":\"vm-%d\"", i);
        assert_non_null(strstr(all->out, name));
    }
    for (int i = 0; i < FAULTS; i++)
        assert_string_equal(sim_control("fault status=%d:count=1:command=rest-vms", 500 + i), "ok");
    for (int i = 0; i < FAULTS; i++) {
        char status[16];
        snprintf(status, sizeof status, "\n%d", 500 + i);
        assert_non_null(strstr(web_ask("GET", "/api/vcenter/vm", NULL)->out, status));
    }
    char text[600] = "";
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(sim_control("fault error=%.100s", text), "error File name too long");
    assert_string_equal(sim_control("fault status=%.10s", "1234567890"),
                        "error Numerical result out of range");
    assert_string_equal(sim_control("%s", text), "error the line is too long");
}

static void test_command_line(void **state)
{
    (void)state;
    char binary[PATH_MAX];
    harness_program("DATASETS_SIM", "datasets-sim", binary);
    static const char needed[] = "--https 127.0.0.1:0 --user u --cert c --key k";
    static const char *const wrong[] = {
        "",
        "--store s.db",
        "--https 127.0.0.1:0 --store s.db",
        "--https 127.0.0.1:65536",
        "--https 0.0.0.0:1",
        "--https 127.0.0.1",
        "--vm vm-1=web",
        "--vm vm-1==s.db",
        "--vm vm-1=a=s.db --vm vm-1=b=t.db",
        "--vm-directory missing",
        "--place host=h",
        "--place rack=r=r",
        "--place host=h=h=nowhere",
        "--place host=h=h --place cluster=h=h",
        "--list-max x",
        "--fault delay=1:vm=",
        "--fault reset-on-connect:vm=vm-1",
        "--error-style other",
        "--unauthorized-status 401",
        "--success 201",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct shell_result *result = shell_run("bash", "%s %s", binary, wrong[i]);
        assert_int_equal(result->status, 2);
        assert_true(result->err_len > 0);
    }
    assert_sh_fails("bash", "'vm-1=b=t.db': File exists", "%s --vm vm-1=a=s.db --vm vm-1=b=t.db",
                    binary);
    assert_sh_fails("bash", "Numerical result out of range", "%s --page 99999999", binary);
    assert_sh_fails("bash", "Numerical result out of range", "%s --ready-fd 1000000000000", binary);
    assert_sh_fails("bash", "No space left on device", "%s --help >/dev/full", binary);
    assert_sh_fails("bash", "--https needs --cert", "%s %s --store s.db", binary, needed);
    assert_sh_fails("bash", "--https needs --vm, --vm-directory or --store",
                    "%s %s --password-file p", binary, needed);
    assert_sh_fails("bash", "no machine or no state: vm-2=suspended",
                    "%s %s --password-file p --store s.db --vm-state vm-2=suspended", binary,
                    needed);
    assert_sh_fails("bash", "c: No such file", "%s %s --password-file p --store s.db", binary,
                    needed);
    assert_int_equal(
        shell_run("bash", "touch c k p; %s %s --password-file p --store s.db", binary, needed)
            ->status,
        1);
    assert_int_equal(shell_run("bash", "%s --help | grep -c -e --id-prefix", binary)->status, 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_closed),        HARNESS_TEST(test_late),
    HARNESS_TEST(test_wrong_replies), HARNESS_TEST(test_names),
    HARNESS_TEST(test_certificates),  HARNESS_TEST(test_end),
    HARNESS_TEST(test_end_blocked),   HARNESS_TEST(test_restart),
    HARNESS_TEST(test_many),          HARNESS_TEST(test_command_line),
};

HARNESS_MAIN(tests)
