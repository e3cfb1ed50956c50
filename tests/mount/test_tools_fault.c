/* The simulated host's pages, faults, log and end: a fault that does not strike would prove
 * nothing. */
#include "harness.h"

#include "cleanup.h"
#include "guest.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK "1 {\"result\":true}"
#define SET_BEGIN "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\",\"value\":"
#define SET(value) SET_BEGIN "\"" value "\"}]}"
#define APPEND(value) SET_BEGIN "\"" value "\",\"append\":true}]}"
#define LIST_KEYS "datasets-list-keys {\"dataset\":\"app\"}"

static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(arguments);
}

#define start_with(...) start((const char *const[]){__VA_ARGS__, NULL})

/* The text after `"context":`, quotes and escapes included, for the caller to free; NULL: none. */
static char *context_in(const char *reply)
{
    const char *found = strstr(reply, "],\"context\":");
    if (!found)
        return NULL;
    found += strlen("],\"context\":");
    return strndup(found, strlen(found) - 1);
}

/* Asks page after page; the elements of all, joined by commas, for the caller to free. */
static char *read_pages(const char *command, const char *arguments, const char *member,
                        size_t page_bytes, size_t *pages)
{
    char *all = strdup("");
    char *context = NULL;
    *pages = 0;
    do {
        char *reply DS_AUTO_FREE =
            guest_ask("%s {\"dataset\":\"app\"%s%s%s}", command, arguments,
                      context ? ",\"context\":" : "", context ? context : "");
        assert_non_null(reply);
        char *begin = strstr(reply, member);
        assert_non_null(begin);
        begin += strlen(member);
        free(context);
        context = context_in(reply);
        size_t len = (size_t)(strrchr(reply, ']') - begin);
        if (strchr(begin, ','))
            assert_true(len < page_bytes + 64);
        char *longer = NULL;
        assert_true(asprintf(&longer, "%s%s%.*s", all, *pages ? "," : "", (int)len, begin) >= 0);
        free(all);
        all = longer;
        (*pages)++;
    } while (context);
    return all;
}

static void test_pages(void **state)
{
    (void)state;
    start_with("--page", "200");
    char keys[2048] = "";
    char entries[4096] = "";
    for (int i = 0; i < 40; i++) {
        char key[32];
        snprintf(key, sizeof key, "key%02d", i);
        peer_set("app", key, "va]l,ue");
        size_t at = strlen(keys);
        snprintf(keys + at, sizeof keys - at, "%s\"%s\"", at ? "," : "", key);
        at = strlen(entries);
        snprintf(entries + at, sizeof entries - at, "%s{\"%s\":\"va]l,ue\"}", at ? "," : "", key);
    }
    size_t pages;
    char *all DS_AUTO_FREE = read_pages("datasets-list-keys", "", "\"keys\":[", 200, &pages);
    assert_string_equal(all, keys);
    assert_in_range(pages, 2, 10);
    char *wanted DS_AUTO_FREE = NULL;
    assert_true(asprintf(&wanted, ",\"keys\":[\"none\",%s,\"none\"]", keys) > 0);
    char *values DS_AUTO_FREE =
        read_pages("datasets-get-entry", wanted, "\"entries\":[", 200, &pages);
    assert_string_equal(values, entries);
    assert_in_range(pages, 5, 15);
    /* A context is only good for the command that gave it. */
    char *reply DS_AUTO_FREE = guest_ask("datasets-list-keys {\"dataset\":\"app\"}");
    char *context DS_AUTO_FREE = context_in(reply);
    assert_non_null(context);
    char *refused DS_AUTO_FREE = guest_ask(
        "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"key00\"],\"context\":%s}", context);
    assert_non_null(strstr(refused, "invalid-argument"));
}

/* By default a page is 1 MiB, and a value is never split, however long. */
static void test_large_values(void **state)
{
    (void)state;
    start(NULL);
    char *value DS_AUTO_FREE = calloc(1, DS_VALUE_MAX_BYTES + 1);
    for (int i = 0; i < 3; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        memset(value, i == 1 ? '\x01' : 'x', i == 1 ? DS_VALUE_MAX_BYTES : 600000);
        value[i == 1 ? DS_VALUE_MAX_BYTES : 600000] = '\0';
        peer_set("app", key, value);
    }
    char *first DS_AUTO_FREE =
        guest_ask("datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"k0\",\"k2\",\"k1\"]}");
    assert_in_range(strlen(first), 600000, 601000);
    char *large DS_AUTO_FREE =
        guest_ask("datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"k1\",\"k0\"]}");
    assert_in_range(strlen(large), 6 * DS_VALUE_MAX_BYTES, 6 * DS_VALUE_MAX_BYTES + 200);
    char *context DS_AUTO_FREE = context_in(large);
    assert_non_null(context);
}

/* The channel closes after exactly so much of the reply, for every length. */
static void test_drop_after(void **state)
{
    (void)state;
    start(NULL);
    size_t size;
    char whole[512];
    unsigned char *packet DS_AUTO_FREE = guest_packet(LIST_KEYS, strlen(LIST_KEYS), true, &size);
    int fd DS_AUTO_CLOSE = guest_connect();
    guest_send_bytes(fd, packet, size);
    ssize_t len = guest_read_rest(fd, whole, sizeof whole);
    assert_in_range(len, 40, 200);
    for (ssize_t n = 0; n <= len; n++) {
        char part[512];
        int channel DS_AUTO_CLOSE = guest_connect();
        sim_fault("drop-after=%zd:count=1", n);
        guest_send(channel, LIST_KEYS);
        assert_int_equal(guest_read_rest(channel, part, sizeof part), n);
        assert_memory_equal(part, whole, (size_t)n);
    }
    assert_int_equal(sim_fired(), (uint64_t)len + 1);
    assert_int_equal(sim_log_count("fault=drop-after", "outcome=ok"), (size_t)len + 1);
}

/* The channel closes after exactly so much of the request, and nothing of it is done. */
static void test_drop_request_after(void **state)
{
    (void)state;
    start(NULL);
    size_t size;
    unsigned char *packet DS_AUTO_FREE = guest_packet(SET("x"), strlen(SET("x")), false, &size);
    for (size_t n = 0; n <= size; n++) {
        char words[32];
        char byte;
        int fd DS_AUTO_CLOSE = guest_connect();
        sim_fault("drop-request-after=%zu:count=1", n);
        guest_send_bytes(fd, packet, size);
        assert_int_equal(guest_read_rest(fd, &byte, 1), 0);
        snprintf(words, sizeof words, " in=%zu out=0 ", n);
        assert_int_equal(sim_log_count("fault=drop-request-after", words), 1);
    }
    assert_not_in_store("app", "k");
    /* With a command others are spared. */
    size_t before = sim_log_count("command=datasets-set-entry", " in=96 ");
    sim_fault("drop-request-after=10:command=datasets-set-entry");
    assert_reply("1 {\"result\":true,\"keys\":[]}", LIST_KEYS);
    assert_null(guest_ask(SET("x")));
    assert_not_in_store("app", "k");
    assert_int_equal(sim_log_count("command=datasets-set-entry", " in=96 "), before + 1);
}

/* What becomes of one set under a fault: its reply (NULL: none), and whether it was carried out. */
static void assert_struck(const char *spec, const char *reply, bool carried_out)
{
    peer_set("app", "k", "old");
    uint64_t fired = sim_fired();
    sim_fault("%s:count=1", spec);
    char *got DS_AUTO_FREE = guest_ask(SET("new"));
    if (reply ? !got || strcmp(got, reply) != 0 : got != NULL)
        fail_msg("%s: the reply is '%s'", spec, got ? got : "(nothing)");
    assert_store("app", "k", carried_out ? "new" : "old");
    assert_int_equal(sim_fired(), fired + 1);
    assert_reply(OK, SET("next")); /* struck once only */
}

static void test_each_fault(void **state)
{
    (void)state;
    start(NULL);
    assert_struck("close", NULL, true);
    assert_struck("close-before", NULL, false);
    assert_struck("reset-on-connect", NULL, false);
    assert_struck("truncate", "1 {\"resu", true);
    assert_struck("busy",
                  "1 {\"result\":false,\"error-id\":\"resource-busy\","
                  "\"error-message\":\"busy, try again\"}",
                  false);
    assert_struck("error=not-found",
                  "1 {\"result\":false,\"error-id\":\"not-found\","
                  "\"error-message\":\"a failure by order\"}",
                  false);
    assert_struck("rpc-error=Permission denied", "0 Permission denied", false);
    assert_int_equal(harness_write("words", O_CREAT, "1 {\"result\":[]}"), 0);
    assert_struck("say=words", "1 {\"result\":[]}", false);
    assert_struck("say-after=words", "1 {\"result\":[]}", true);
    assert_struck("slow=1", OK, true);
    char part[128];
    int fd DS_AUTO_CLOSE = guest_connect();
    sim_fault("garbage");
    guest_send(fd, SET("garbage"));
    assert_in_range(guest_read_rest(fd, part, sizeof part), 10, sizeof part - 1);
    assert_memory_equal(part, "HTTP/1.1", 8);
    assert_store("app", "k", "garbage");
}

/* No reply comes, the channel stays open, and others are served meanwhile. */
static void test_never_reply(void **state)
{
    (void)state;
    start(NULL);
    int fd DS_AUTO_CLOSE = guest_connect();
    int other DS_AUTO_CLOSE = guest_connect();
    sim_fault("never-reply:count=1");
    guest_send(fd, SET("new"));
    assert_soon(sim_fired() == 1);
    assert_soon(peer_has("app", "k", "new")); /* it strikes first and is carried out then */
    sim_fault("never-reply-before:count=1");
    guest_send(other, SET("newer"));
    assert_soon(sim_fired() == 2);
    assert_reply("1 {\"result\":true,\"keys\":[\"k\"]}", LIST_KEYS);
    assert_true(guest_is_silent(fd, 50));
    assert_true(guest_is_silent(other, 0));
    assert_store("app", "k", "new");
    /* The simulator ends although both still wait. */
    sim_stop();
    char byte;
    assert_int_equal(guest_read_rest(fd, &byte, 1), 0);
}

static void test_delay(void **state)
{
    (void)state;
    start(NULL);
    int fd DS_AUTO_CLOSE = guest_connect();
    int64_t begin = harness_now_ms();
    sim_fault("delay=300:count=1");
    guest_send(fd, SET("delayed"));
    char *reply DS_AUTO_FREE = guest_reply(fd);
    assert_string_equal(reply, OK);
    assert_true(harness_now_ms() - begin >= 300);
    /* Done before, not after the delay. */
    sim_fault("delay=100000:count=1");
    guest_send(fd, SET("first"));
    assert_soon(peer_has("app", "k", "first"));
    /* A host does not notice that the guest is gone. */
    int gone = guest_connect();
    sim_fault("delay-before=300:count=1");
    begin = harness_now_ms();
    guest_send(gone, SET("late"));
    assert_soon(sim_fired() == 3);
    close(gone);
    assert_soon(peer_has("app", "k", "late"));
    assert_true(harness_now_ms() - begin >= 300);
}

static void test_restrictions(void **state)
{
    (void)state;
    start_with("--fault", "close-before:command=datasets-set-entry:skip=1:count=2");
    assert_reply(OK, SET("1"));
    assert_null(guest_ask(SET("2")));
    assert_reply("1 {\"result\":true,\"keys\":[\"k\"]}", LIST_KEYS);
    assert_null(guest_ask(SET("3")));
    assert_reply(OK, SET("4"));
    assert_int_equal(sim_fired(), 2);
    /* The first that matches strikes, until all are cleared. */
    sim_fault("rpc-error=one:count=1");
    sim_fault("rpc-error=two");
    assert_reply("0 one", LIST_KEYS);
    assert_reply("0 two", LIST_KEYS);
    assert_reply("0 two", LIST_KEYS);
    sim_clear();
    assert_reply("1 {\"result\":true,\"keys\":[\"k\"]}", LIST_KEYS);
}

static void test_control(void **state)
{
    (void)state;
    start(NULL);
    static const char *const wrong[] = {
        "fault ",
        "fault none",
        "fault delay",
        "fault delay=",
        "fault delay=1s",
        "fault close=1",
        "fault error",
        "fault error=",
        "fault close:count=-1",
        "fault close:command=datasets",
        "fault close:colour=red",
        "fault reset-on-connect:command=datasets-list",
        "help",
        "",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *answer = sim_control("%s", wrong[i]);
        if (strncmp(answer, "error ", 6) != 0)
            fail_msg("'%s' is answered by '%s'", wrong[i], answer);
    }
    /* Spent faults are forgotten, and any number may stand. */
    for (int i = 0; i < 100; i++) {
        sim_fault("close-before:count=1");
        assert_null(guest_ask(LIST_KEYS));
    }
    for (int i = 0; i < 100; i++)
        sim_fault("delay=1");
}

static void test_log(void **state)
{
    (void)state;
    start(NULL);
    int fd DS_AUTO_CLOSE = guest_connect();
    guest_send(fd, SET("secret"));
    free(guest_reply(fd));
    guest_send(fd, APPEND("secret"));
    free(guest_reply(fd));
    free(guest_ask("datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"a\\nb\",\"k\"]}"));
    free(guest_ask("datasets-query {\"dataset\":\"none\"}"));
    free(guest_ask("nonsense"));
    static const char log[] =
        "connection=1 command=datasets-set-entry dataset=\"app\" keys=1 [\"k\"] append=0 in=109 "
        "out=49 outcome=ok fault=none\n"
        "connection=1 command=datasets-set-entry dataset=\"app\" keys=1 [\"k\"] append=1 in=123 "
        "out=49 outcome=ok fault=none\n"
        "connection=2 command=datasets-get-entry dataset=\"app\" keys=2 [\"a\\nb\",\"k\"] in=88 "
        "out=82 outcome=ok fault=none\n"
        "connection=3 command=datasets-query dataset=\"none\" in=65 out=117 outcome=not-found "
        "fault=none\n"
        "connection=4 command=unknown in=40 out=49 outcome=unknown-command fault=none\n";
    assert_content(SIM_LOG, log);
    assert_int_equal(sim_log_count("command=datasets-set-entry", "append=1"), 1);
    assert_int_equal(sim_log_count("command="), 5);
}

/* Sockets are the owner's, one left by a killed simulator is taken over, one in use is not. */
static void test_sockets(void **state)
{
    start(NULL);
    assert_int_equal(harness_mode(SIM_SOCKET), 0600);
    assert_int_equal(harness_mode(SIM_CONTROL), 0600);
    char binary[PATH_MAX];
    harness_program("DATASETS_SIM", "datasets-sim", binary);
    assert_sh_fails(*state, "Address already in use", "%s --store s.db --rpc unix:%s", binary,
                    SIM_SOCKET);
    int fd DS_AUTO_CLOSE = guest_connect();
    char byte;
    sim_kill();
    assert_int_equal(guest_read_rest(fd, &byte, 1), 0);
    assert_int_equal(access(SIM_SOCKET, F_OK), 0);
    sim_start(NULL);
    assert_reply(OK, SET("x"));
    sim_stop();
    assert_errno(access(SIM_SOCKET, F_OK), ENOENT);
}

/* A store that hangs delays one request, not the end. */
static void test_blocked_store(void **state)
{
    (void)state;
    start(NULL);
    int fd DS_AUTO_CLOSE = guest_connect();
    peer_set("app", "k", "old");
    peer_block();
    guest_send(fd, SET("new"));
    assert_true(guest_is_silent(fd, 50));
    assert_reply("1 {\"result\":true,\"keys\":[\"k\"]}", LIST_KEYS);
    sim_stop();
    peer_unblock();
    assert_store("app", "k", "old");
}

static void test_usage(void **state)
{
    char binary[PATH_MAX];
    harness_program("DATASETS_SIM", "datasets-sim", binary);
    const struct shell_result *ran = shell_run(*state, "%s -h", binary);
    assert_int_equal(ran->status, 0);
    assert_non_null(strstr(ran->out, "--fault SPEC"));
    static const char *const wrong[] = {
        "",
        "--store s.db",
        "--rpc unix:rpc",
        "--store s.db --rpc rpc",
        "--store s.db --rpc unix:rpc --fault nothing",
        "--store s.db --rpc unix:rpc --page x",
        "--store s.db --rpc unix:rpc --failure loud",
        "--store s.db --rpc unix:rpc --entries x",
        "--store s.db --rpc unix:rpc --missing x",
        "--store s.db --rpc unix:rpc --access-spelling x",
        "--store s.db --rpc unix:rpc --ready-fd -1",
        "--store s.db --rpc unix:rpc more",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ran = shell_run(*state, "%s %s", binary, wrong[i]);
        assert_int_equal(ran->status, 2);
        assert_true(ran->err_len > 0);
    }
    assert_sh_fails(*state, "none/s.db", "%s --store none/s.db --rpc unix:rpc", binary);
    assert_errno(access(SIM_SOCKET, F_OK), ENOENT);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_pages),      HARNESS_TEST(test_large_values),
    HARNESS_TEST(test_drop_after), HARNESS_TEST(test_drop_request_after),
    HARNESS_TEST(test_each_fault), HARNESS_TEST(test_never_reply),
    HARNESS_TEST(test_delay),      HARNESS_TEST(test_restrictions),
    HARNESS_TEST(test_control),    HARNESS_TEST(test_log),
    HARNESS_SHELLS(test_sockets),  HARNESS_TEST(test_blocked_store),
    HARNESS_SHELLS(test_usage),
};

HARNESS_MAIN(tests)
