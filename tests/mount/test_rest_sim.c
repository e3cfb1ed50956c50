/* The simulated vCenter itself, spoken to with curl: operations, sessions, refusals, styles. */
#include "harness.h"

#include "cleanup.h"
#include "guest.h"
#include "peer.h"
#include "proxy.h"
#include "sim.h"
#include "sim_rest.h"
#include "web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define INVALID "\"error_type\":\"INVALID_ARGUMENT\""

/* A DataSet "app", the simulator, and a session. */
static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start_rest(arguments);
    web_login();
}

#define start_with(...) start((const char *const[]){__VA_ARGS__, NULL})

static void test_datasets(void **state)
{
    (void)state;
    start(NULL);
    assert_web("[{\"data_set\":\"app\",\"name\":\"app\",\"description\":\"\"}]\n200", "GET",
               WEB_DATA_SETS, NULL);
    assert_web("\"n/%\"\n201", "POST", WEB_DATA_SETS,
               WEB_JSON
               "-d '{\"name\":\"n/%\",\"description\":\"a \\u00e9\",\"host\":\"READ_ONLY\","
               "\"guest\":\"NONE\",\"omit_from_snapshot_and_clone\":true}'");
    assert_web("{\"name\":\"n/%\",\"description\":\"a \xc3\xa9\",\"host\":\"READ_ONLY\","
               "\"guest\":\"NONE\",\"used\":0,\"omit_from_snapshot_and_clone\":true}\n200",
               "GET", WEB_DATA_SETS "/n%2F%25", NULL);
    assert_web("\n204", "PATCH", WEB_DATA_SETS "/n%2F%25",
               WEB_JSON "-d '{\"host\":\"READ_WRITE\",\"description\":\"b\"}'");
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    assert_true(peer_query("n/%", &attributes));
    assert_string_equal(attributes.description, "b");
    assert_int_equal(attributes.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(attributes.guest, DS_ACCESS_NONE);
    assert_int_equal(attributes.omit_from_snapshot_and_clone, DS_FLAG_ON);
    peer_set("n/%", "k", "v");
    assert_web_error("400", "\"RESOURCE_IN_USE\"", "DELETE", WEB_DATA_SETS "/n%2F%25", NULL);
    assert_web_error("400", "\"RESOURCE_IN_USE\"", "DELETE", WEB_DATA_SETS "/n%2F%25?force=false",
                     NULL);
    assert_web("\n204", "DELETE", WEB_DATA_SETS "/n%2F%25?force=true", NULL);
    assert_web("\n204", "DELETE", WEB_DATA_SETS "/app", NULL);
    assert_web("[]\n200", "GET", WEB_DATA_SETS, NULL);
}

static void test_entries(void **state)
{
    (void)state;
    start(NULL);
    assert_web("[]\n200", "GET", WEB_ENTRIES, NULL);
    assert_web("\n204", "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"one\\u00e9\\n\"'");
    assert_store("app", "k", "one\xc3\xa9\n");
    assert_web("\"one\xc3\xa9\\n\"\n200", "GET", WEB_ENTRIES "/k", NULL);
    assert_web("\n204", "PUT", WEB_ENTRIES "/k",
               "-H 'content-type: application/json; charset=utf-8' -d '\"\"'");
    assert_web("\"\"\n200", "GET", WEB_ENTRIES "/k", NULL);
    assert_web("[\"k\"]\n200", "GET", WEB_ENTRIES, NULL);
    assert_web("\n204", "DELETE", WEB_ENTRIES "/k", NULL);
    assert_web_error("404", "\"error_type\":\"NOT_FOUND\"", "DELETE", WEB_ENTRIES "/k", NULL);
    assert_web_error("404", "\"error_type\":\"NOT_FOUND\"", "GET", WEB_ENTRIES "/k", NULL);
    assert_web_error("404", "\"NOT_FOUND\"", "GET", WEB_DATA_SETS "/other/entries", NULL);
    assert_web_error("404", "\"NOT_FOUND\"", "GET", "/api/vcenter/vm/vm-2/data-sets", NULL);
    assert_int_equal(
        sim_log_count("rest=rest-set vm=vm-1 dataset=\"app\" key=\"k\" status=204 in=13 out=0 "
                      "outcome=ok fault=none session=1 http=1.1"),
        1);
    assert_int_equal(sim_log_count("rest=rest-get ", "key=\"k\"", "outcome=NOT_FOUND"), 1);
}

/* What stands in a path is decoded exactly once. */
static void test_keys(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *key;
        const char *logged;
    } keys[] = {
        {WEB_ENTRIES "/a%2Fb%2f", "a/b/", "key=\"a/b/\""},
        {WEB_ENTRIES "/%25", "%", "key=\"%\""},
        {WEB_ENTRIES "/%2541", "%41", "key=\"%41\""},
        {WEB_ENTRIES "/%3F%23%20%2B%22", "?# +\"", "key=\"?# +\\\"\""},
        {WEB_ENTRIES "/%C3%A9%F0%9F%98%80", "\xc3\xa9\xf0\x9f\x98\x80",
         "key=\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {WEB_ENTRIES "/-._~", "-._~", "key=\"-._~\""},
        {WEB_ENTRIES "/%0A%01%5C", "\n\x01\\", "key=\"\\n\\u0001\\\\\""},
        {WEB_ENTRIES "/...", "...", "key=\"...\""},
    };
    start(NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_web("\n204", "PUT", keys[i].path, WEB_JSON "-d '\"v\"'");
        assert_store("app", keys[i].key, "v");
        assert_web("\"v\"\n200", "GET", keys[i].path, NULL);
        assert_int_equal(sim_log_count("rest=rest-get ", keys[i].logged), 1);
        assert_web("\n204", "DELETE", keys[i].path, NULL);
        assert_not_in_store("app", keys[i].key);
    }
}

static void test_paths(void **state)
{
    (void)state;
    static const char *const bad[] = {
        WEB_ENTRIES "/a+b", WEB_ENTRIES "/a:b",  WEB_ENTRIES "/a\"b",
        WEB_ENTRIES "/%",   WEB_ENTRIES "/%4",   WEB_ENTRIES "/%zz",
        WEB_ENTRIES "/%00", WEB_ENTRIES "/%41%", WEB_ENTRIES "/{k}",
    };
    static const char *const dots[] = {WEB_ENTRIES "/..",      WEB_ENTRIES "/%2e%2e",
                                       WEB_ENTRIES "/.%2E",    WEB_ENTRIES "/.",
                                       WEB_DATA_SETS "/../vm", WEB_DATA_SETS "/%2E/entries"};
    static const char *const queries[] = {
        WEB_DATA_SETS "/app?x=1",
        WEB_ENTRIES "/k?force=true",
        WEB_DATA_SETS "/app?force=yes",
        WEB_DATA_SETS "/app?force",
        WEB_DATA_SETS "/app?force=true&x=1",
    };
    static const char *const none[] = {
        "/api/session/",
        WEB_DATA_SETS "/",
        WEB_ENTRIES "/",
        WEB_ENTRIES "//k",
        WEB_ENTRIES "/k/",
        WEB_ENTRIES "/k/more",
        "/",
        "/api",
        "/api/vcenter/vm/vm-1/",
        "/rest/vcenter/vm",
        "//api/session",
    };
    start(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_web_error("400", INVALID, "DELETE", bad[i], NULL);
    for (size_t i = 0; i < sizeof dots / sizeof *dots; i++)
        assert_web_error("400", INVALID, "DELETE", dots[i], NULL);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        assert_web_error("400", INVALID, "DELETE", queries[i], NULL);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_web("no such route\n\n404", "DELETE", none[i], NULL);
    /* curl itself would encode it. */
    assert_web_error("400", INVALID, "DELETE", WEB_ENTRIES "/k",
                     "--request-target '" WEB_ENTRIES "/\xc3\xa9'");
    assert_web("no such method\n\n405", "POST", WEB_ENTRIES "/k", NULL);
    assert_web_error("400", INVALID, "GET", "/api/vcenter/vm?names=a+b", NULL);
    assert_web_error("400", INVALID, "GET", "/api/vcenter/vm?standalone=true", NULL);
    assert_web_error("400", INVALID, "GET", "/api/vcenter/host?vms=vm-1", NULL);
    assert_int_equal(sim_log_count("outcome=bad-path"), sizeof bad / sizeof *bad + 1);
    assert_int_equal(sim_log_count("outcome=dot-segment"), sizeof dots / sizeof *dots);
    assert_int_equal(sim_log_count("path=\"" WEB_ENTRIES "/%2e%2e\""), 1);
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    assert_true(peer_query("app", &attributes));
}

/* Headers that are missing or that a strict server does not take. */
static void test_headers(void **state)
{
    (void)state;
    start(NULL);
    assert_web_error("415", INVALID, "PUT", WEB_ENTRIES "/k", "-H 'Content-Type:' -d '\"v\"'");
    assert_web_error("415", INVALID, "PUT", WEB_ENTRIES "/k", "-d '\"v\"'");
    assert_web_error("415", INVALID, "POST", WEB_DATA_SETS,
                     "-H 'Content-Type: application/jsonp' -d '{}'");
    assert_web("\n411", "PUT", WEB_ENTRIES "/k", WEB_JSON);
    assert_web("\n411", "PUT", WEB_ENTRIES "/k",
               WEB_JSON "-H 'Transfer-Encoding: chunked' -d '\"v\"'");
    assert_web("\n417", "PUT", WEB_ENTRIES "/k", WEB_JSON "-H 'Expect: 100-continue' -d '\"v\"'");
    assert_int_equal(peer_keys("app"), 0);
    web_forget();
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS, NULL);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", "/api/vcenter/vm", NULL);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS, WEB_LOGIN);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "DELETE", "/api/session", NULL);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS,
                     "-H 'vmware-api-session-id: 0123'");
}

static void test_bodies(void **state)
{
    (void)state;
    static const char *const values[] = {"v",    "1",           "null",        "{}",
                                         "",     "[\"v\"]",     "\"v\" \"w\"", "\"v",
                                         "true", "\"\\u0000\"", "\"\\ud800\"", "\"\xff\""};
    static const char *const datasets[] = {
        "[]",
        "{}",
        "{\"name\":\"x\"}",
        "{\"name\":\"\",\"description\":\"\",\"host\":\"NONE\",\"guest\":\"NONE\"}",
        "{\"name\":\"x\",\"description\":\"\",\"host\":\"none\",\"guest\":\"NONE\"}",
        "{\"name\":\"x\",\"description\":\"\",\"host\":\"UNKNOWN\",\"guest\":\"NONE\"}",
        "{\"name\":\"x\",\"description\":1,\"host\":\"NONE\",\"guest\":\"NONE\"}",
        "{\"name\":\"x\",\"description\":\"\",\"host\":\"NONE\",\"guest\":\"NONE\",\"used\":1}",
        ("{\"name\":\"x\",\"description\":\"\",\"host\":\"NONE\",\"guest\":\"NONE\","
         "\"omit_from_snapshot_and_clone\":\"true\"}"),
    };
    char options[512];
    start(NULL);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(options, sizeof options, WEB_JSON "-d '%s'", values[i]);
        assert_web_error("400", INVALID, "PUT", WEB_ENTRIES "/k", options);
    }
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++) {
        snprintf(options, sizeof options, WEB_JSON "-d '%s'", datasets[i]);
        assert_web_error("400", INVALID, "POST", WEB_DATA_SETS, options);
    }
    assert_web_error("400", INVALID, "PATCH", WEB_DATA_SETS "/app",
                     WEB_JSON "-d '{\"name\":\"x\"}'");
    assert_web_error("400", "\"ALREADY_EXISTS\"", "POST", WEB_DATA_SETS,
                     WEB_JSON "-d '{\"name\":\"app\",\"description\":\"\",\"host\":\"NONE\","
                              "\"guest\":\"NONE\"}'");
    assert_int_equal(peer_keys("app"), 0);
}

/* Writes a body of `letters` and returns curl's options for it. */
static const char *body_of(size_t letters)
{
    char *text DS_AUTO_FREE = calloc(1, letters + 3);
    assert_non_null(text);
    memset(text, 'x', letters + 2);
    text[0] = text[letters + 1] = '"';
    assert_int_equal(harness_write("body", O_CREAT | O_TRUNC, text), 0);
    return WEB_JSON "-H 'Expect:' --data-binary @body";
}

static void test_limits(void **state)
{
    (void)state;
    start(NULL);
    assert_web("\n204", "PUT", WEB_ENTRIES "/k", body_of(DS_VALUE_MAX_BYTES));
    char *value DS_AUTO_FREE = peer_get("app", "k");
    assert_non_null(value);
    assert_int_equal(strlen(value), DS_VALUE_MAX_BYTES);
    assert_int_equal(web_ask("GET", WEB_ENTRIES "/k", NULL)->out_len, DS_VALUE_MAX_BYTES + 2 + 4);
    assert_web_error("400", INVALID, "PUT", WEB_ENTRIES "/k", body_of(DS_VALUE_MAX_BYTES + 1));
    assert_web_error("413", INVALID, "PUT", WEB_ENTRIES "/k", body_of((size_t)8 << 20));

    /* Two bytes a letter, of which each is three in the path. */
    char path[sizeof WEB_ENTRIES + 1 + 3 * DS_KEY_MAX_BYTES + 1];
    char key[DS_KEY_MAX_BYTES + 1] = "";
    size_t len = (size_t)snprintf(path, sizeof path, WEB_ENTRIES "/");
    for (size_t i = 0; i < DS_KEY_MAX_BYTES; i += 2) {
        len += (size_t)snprintf(path + len, sizeof path - len, "%%C3%%A9");
        memcpy(key + i, "\xc3\xa9", 2);
    }
    assert_web("\n204", "PUT", path, WEB_JSON "-d '\"v\"'");
    assert_store("app", key, "v");
    assert_int_equal(sim_log_count("rest=rest-set", key), 1);
    snprintf(path + len, sizeof path - len, "x");
    assert_web_error("400", INVALID, "PUT", path, WEB_JSON "-d '\"v\"'");
}

static void test_access(void **state)
{
    (void)state;
    start(NULL);
    peer_create("shut", DS_ACCESS_NONE, DS_ACCESS_READ_WRITE);
    peer_create("look", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    peer_set("look", "k", "v");
    static const char denied[] = "\"error_type\":\"UNAUTHORIZED\"";
    assert_web_error("403", denied, "GET", WEB_DATA_SETS "/shut/entries", NULL);
    assert_web_error("403", denied, "GET", WEB_DATA_SETS "/shut/entries/k", NULL);
    assert_web_error("403", denied, "PUT", WEB_DATA_SETS "/look/entries/k", WEB_JSON "-d '\"w\"'");
    assert_web_error("403", denied, "DELETE", WEB_DATA_SETS "/look/entries/k", NULL);
    assert_web("\"v\"\n200", "GET", WEB_DATA_SETS "/look/entries/k", NULL);
    sim_stop();
    sim_start_rest_with("--unauthorized-status", "400");
    web_login();
    assert_web_error("400", denied, "GET", WEB_DATA_SETS "/shut/entries", NULL);
    sim_fault("error=UNABLE_TO_ALLOCATE_RESOURCE:command=rest-list-keys");
    assert_web_error("400", "UNABLE_TO_ALLOCATE", "GET", WEB_ENTRIES, NULL);
}

static void test_sessions(void **state)
{
    (void)state;
    char answer[128];
    start(NULL);
    assert_int_equal(sim_sessions(), 1);
    web_login();
    assert_int_equal(sim_sessions(), 2);
    assert_web("\n204", "DELETE", "/api/session", NULL);
    assert_int_equal(sim_sessions(), 1);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS, NULL);
    web_login();
    assert_string_equal(sim_control("expire"), "ok");
    assert_int_equal(sim_sessions(), 0);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "GET", WEB_DATA_SETS, NULL);
    web_forget();
    assert_web_error("401", "\"UNAUTHENTICATED\"", "POST", "/api/session", NULL);
    assert_web_error("401", "\"UNAUTHENTICATED\"", "POST", "/api/session", "-u '" SIM_USER ":x'");
    assert_web_error("401", "\"UNAUTHENTICATED\"", "POST", "/api/session",
                     "-u 'x:" SIM_PASSWORD "'");
    sim_stop();

    sim_start_rest_with("--no-api-session", "--no-vm-list");
    assert_web("no such route\n\n404", "POST", "/api/session", WEB_LOGIN);
    snprintf(answer, sizeof answer, "%s",
             web_ask("POST", "/rest/com/vmware/cis/session", WEB_LOGIN)->out);
    assert_non_null(strstr(answer, "\"}\n200"));
    assert_memory_equal(answer, "{\"value\":\"", 10);
    answer[10 + 32] = '\0';
    char options[192];
    snprintf(options, sizeof options, "-H 'vmware-api-session-id: %s'", answer + 10);
    assert_web("no such route\n\n404", "GET", "/api/vcenter/vm", options);
    assert_web("[]\n200", "GET", WEB_ENTRIES, options);
    assert_web("\n200", "DELETE", "/rest/com/vmware/cis/session", options);
    assert_int_equal(sim_sessions(), 0);
    assert_true(sim_log_count("rest=rest-login status=201 in=0", "session=1") == 1);
    assert_int_equal(sim_log_count(answer + 10), 0);
    assert_int_equal(sim_log_count(SIM_PASSWORD), 0);
}

static void test_error_styles(void **state)
{
    (void)state;
    static const struct {
        const char *style;
        const char *answer;
    } styles[] = {
        {"vapi", "{\"error_type\":\"NOT_FOUND\",\"messages\":[{\"id\":\"com.vmware.vapi.datasets."
                 "NOT_FOUND\",\"default_message\":\"there is no such virtual machine\","
                 "\"args\":[]}]}\n404"},
        {"status", "{\"messages\":[{\"id\":\"com.vmware.vapi.datasets.NOT_FOUND\",\"default_message"
                   "\":\"there is no such virtual machine\",\"args\":[]}]}\n404"},
        {"empty", "\n404"},
        {"legacy", "{\"type\":\"com.vmware.vapi.std.errors.not_found\",\"value\":{\"messages\":[{"
                   "\"id\":\"com.vmware.vapi.datasets.NOT_FOUND\",\"default_message\":\"there is "
                   "no such virtual machine\",\"args\":[]}]}}\n404"},
    };
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        sim_start_rest_with("--error-style", styles[i].style);
        web_login();
        assert_web(styles[i].answer, "GET", "/api/vcenter/vm/vm-9/data-sets", NULL);
        sim_stop();
    }
    assert_int_equal(sim_log_count("outcome=NOT_FOUND"), 4);
}

static void test_success_200(void **state)
{
    (void)state;
    start_with("--success", "200");
    assert_web("\"new\"\n200", "POST", WEB_DATA_SETS,
               WEB_JSON "-d '{\"name\":\"new\",\"description\":\"\",\"host\":\"READ_WRITE\","
                        "\"guest\":\"NONE\",\"omit_from_snapshot_and_clone\":false}'");
    assert_web("\n200", "PATCH", WEB_DATA_SETS "/new", WEB_JSON "-d '{}'");
    assert_web("\n200", "PUT", WEB_DATA_SETS "/new/entries/k", WEB_JSON "-d '\"v\"'");
    assert_web("null\n200", "DELETE", WEB_DATA_SETS "/new/entries/k", NULL);
    assert_web("null\n200", "DELETE", WEB_DATA_SETS "/new", NULL);
}

static void test_machines(void **state)
{
    (void)state;
    start_with("--vm", "vm-1=web-01=s.db", "--vm", "vm-2=web-01=t.db", "--vm", "vm-3=d b=u.db",
               "--vm-state", "vm-2=poweredOff", "--vm-state", "vm-3=unsupported");
    static const char one[] = "{\"memory_size_MiB\":1024,\"vm\":\"vm-1\",\"name\":\"web-01\","
                              "\"power_state\":\"POWERED_ON\",\"cpu_count\":1}";
    static const char two[] = "{\"memory_size_MiB\":1024,\"vm\":\"vm-2\",\"name\":\"web-01\","
                              "\"power_state\":\"POWERED_OFF\",\"cpu_count\":1}";
    static const char three[] = "{\"memory_size_MiB\":1024,\"vm\":\"vm-3\",\"name\":\"d b\","
                                "\"power_state\":\"POWERED_ON\",\"cpu_count\":1}";
    char answer[512];
    snprintf(answer, sizeof answer, "[%s,%s,%s]\n200", one, two, three);
    assert_web(answer, "GET", "/api/vcenter/vm", NULL);
    snprintf(answer, sizeof answer, "[%s,%s]\n200", one, two);
    assert_web(answer, "GET", "/api/vcenter/vm?names=web-01", NULL);
    snprintf(answer, sizeof answer, "[%s,%s]\n200", one, three);
    assert_web(answer, "GET", "/api/vcenter/vm?vms=vm-1&vms=vm-3", NULL);
    snprintf(answer, sizeof answer, "[%s]\n200", three);
    assert_web(answer, "GET", "/api/vcenter/vm?names=d%20b&vms=vm-3", NULL);
    assert_web("[]\n200", "GET", "/api/vcenter/vm?names=d%20b&vms=vm-1", NULL);
    assert_int_equal(sim_log_count("rest=rest-vms names=\"web-01\" status=200"), 1);
    assert_web("[]\n200", "GET", "/api/vcenter/vm/vm-2/data-sets", NULL);
    assert_web_error("400", "\"UNSUPPORTED\"", "GET", "/api/vcenter/vm/vm-3/data-sets", NULL);
    assert_web("[]\n200", "GET", WEB_ENTRIES, NULL);
}

static void test_states(void **state)
{
    (void)state;
    static const char refused[] = "\"error_type\":\"NOT_ALLOWED_IN_CURRENT_STATE\"";
    start_with("--vm-state", "vm-1=suspended");
    peer_set("app", "k", "v");
    assert_web("\"v\"\n200", "GET", WEB_ENTRIES "/k", NULL);
    assert_web_error("400", refused, "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"w\"'");
    assert_web_error("400", refused, "DELETE", WEB_ENTRIES "/k", NULL);
    assert_web_error("400", refused, "DELETE", WEB_DATA_SETS "/app?force=true", NULL);
    assert_web_error("400", refused, "PATCH", WEB_DATA_SETS "/app", WEB_JSON "-d '{}'");
    assert_web_error("400", refused, "POST", WEB_DATA_SETS,
                     WEB_JSON "-d '{\"name\":\"new\",\"description\":\"\",\"host\":\"NONE\","
                              "\"guest\":\"NONE\"}'");
    assert_string_equal(sim_control("state vm-1 poweredOff"), "ok");
    assert_web("\n204", "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"w\"'");
    assert_string_equal(sim_control("state vm-1 suspended"), "ok");
    assert_string_equal(sim_control("destroy vm-1 app"), "ok");
    assert_web_error("404", "\"NOT_FOUND\"", "GET", WEB_ENTRIES, NULL);
    assert_string_equal(sim_control("destroy vm-1 app"), "error No such file or directory");
    assert_string_equal(sim_control("state vm-9 suspended"), "error No such file or directory");
    assert_string_equal(sim_control("state vm-1 asleep"), "error Invalid argument");
}

static void test_ids(void **state)
{
    (void)state;
    start_with("--id-prefix", "id:", "--no-slash-keys");
    assert_web("[{\"data_set\":\"id:app\",\"name\":\"app\",\"description\":\"\"}]\n200", "GET",
               WEB_DATA_SETS, NULL);
    assert_web_error("404", "\"NOT_FOUND\"", "GET", WEB_ENTRIES, NULL);
    assert_web("[]\n200", "GET", WEB_DATA_SETS "/id%3Aapp/entries", NULL);
    assert_web_error("200", "{\"name\":\"app\",", "GET", WEB_DATA_SETS "/id%3Aapp", NULL);
    assert_web("\"id:n\"\n201", "POST", WEB_DATA_SETS,
               WEB_JSON "-d '{\"name\":\"n\",\"description\":\"\",\"host\":\"NONE\","
                        "\"guest\":\"NONE\"}'");
    assert_web("<html><body>Not Found</body></html>\n\n404", "GET",
               WEB_DATA_SETS "/id%3Aapp/entries/a%2Fb", NULL);
    assert_int_equal(sim_log_count("outcome=no-slash-keys", "key=\"a/b\""), 1);
}

/* Both interfaces at once, on one store. */
static void test_both(void **state)
{
    (void)state;
    start(NULL);
    assert_web("\n204", "PUT", WEB_ENTRIES "/k", WEB_JSON "-d '\"v\"'");
    assert_reply("1 {\"result\":true,\"entries\":[{\"k\":\"v\"}]}",
                 "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"k\"]}");
    sim_fault("error=x-y:count=2");
    assert_reply("1 {\"result\":false,\"error-id\":\"x-y\",\"error-message\":\"a failure by "
                 "order\"}",
                 "datasets-list");
    assert_web_error("500", "\"error_type\":\"x-y\"", "GET", WEB_DATA_SETS, NULL);
    sim_fault("error=x:command=rest-list");
    assert_reply("1 {\"result\":true,\"keys\":[\"k\"]}",
                 "datasets-list-keys {\"dataset\":\"app\"}");
    assert_string_equal(sim_control("fault rpc-error=x:command=rest-list"),
                        "error Invalid argument");
    assert_string_equal(sim_control("fault status=500:command=datasets-list"),
                        "error Invalid argument");
    assert_string_equal(sim_control("fault status=500:command=rest-nothing"),
                        "error Invalid argument");
}

/* HTTP/2 reaches the same routes; and a proxy may resolve dot segments, encoded or not. */
static void test_proxy(void **state)
{
    (void)state;
    start(NULL);
    peer_set("app", "a/b", "v");
    proxy_start(NULL);
    static const char options[] = "--http2 -w ' %{http_code} %{http_version}'";
    const struct shell_result *result =
        web_ask_at(proxy_url(), "GET", WEB_ENTRIES "/a%2Fb", options);
    assert_string_equal(result->out, "\"v\" 200 2");
    result = web_ask_at(proxy_url(), "DELETE", WEB_ENTRIES "/%2e%2e", options);
    assert_string_equal(result->out, "no such route\n 404 2");
    assert_int_equal(sim_log_count("path=\"" WEB_DATA_SETS "/app/\""), 1);
    sim_stop(); /* while the proxy keeps a connection open */
    result = web_ask_at(proxy_url(), "GET", WEB_ENTRIES, options);
    assert_non_null(strstr(result->out, "502 2"));
    sim_start_rest(NULL);
    web_login();
    /* The proxy does not try at once again. */
    assert_soon(
        !strcmp(web_ask_at(proxy_url(), "GET", WEB_ENTRIES, options)->out, "[\"a/b\"] 200 2"));
    proxy_stop();
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_datasets),     HARNESS_TEST(test_entries),     HARNESS_TEST(test_keys),
    HARNESS_TEST(test_paths),        HARNESS_TEST(test_headers),     HARNESS_TEST(test_bodies),
    HARNESS_TEST(test_limits),       HARNESS_TEST(test_access),      HARNESS_TEST(test_sessions),
    HARNESS_TEST(test_error_styles), HARNESS_TEST(test_success_200), HARNESS_TEST(test_machines),
    HARNESS_TEST(test_states),       HARNESS_TEST(test_ids),         HARNESS_TEST(test_both),
    HARNESS_TEST(test_proxy),
};

HARNESS_MAIN(tests)
