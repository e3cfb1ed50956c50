/* The simulated host itself, spoken to by hand. */
#include "harness.h"

#include "cleanup.h"
#include "guest.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK "1 {\"result\":true}"
#define INVALID "1 {\"result\":false,\"error-id\":\"invalid-argument\""

static void start(const char *const *arguments)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(arguments);
}

#define start_with(...) start((const char *const[]){__VA_ARGS__, NULL})

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

/* The request is refused as malformed. */
static void assert_invalid(const char *request)
{
    char *reply DS_AUTO_FREE = guest_ask("%s", request);
    if (!begins(reply, INVALID))
        fail_msg("'%s' is answered by '%s'", request, reply ? reply : "(nothing)");
}

static void test_commands(void **state)
{
    (void)state;
    start(NULL);
    assert_reply("1 {\"result\":true,\"datasets\":[{\"name\":\"app\",\"description\":\"\"}]}",
                 "datasets-list");
    assert_reply("1 {\"result\":true,\"keys\":[]}", "datasets-list-keys {\"dataset\":\"app\"}");
    assert_reply(OK,
                 "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\","
                 "\"value\":\"one\"},{\"value\":\"\\u00e9\\ud83d\\ude00\",\"key\":\"l/\\\"\"}]}");
    assert_store("app", "k", "one");
    assert_store("app", "l/\"", "\xc3\xa9\xf0\x9f\x98\x80");
    assert_reply(OK, "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\","
                     "\"value\":\" two\",\"append\":true},{\"key\":\"n\",\"value\":\"new\","
                     "\"append\":true},{\"key\":\"k\",\"value\":\"!\",\"append\":true}]}");
    assert_store("app", "k", "one two!");
    assert_store("app", "n", "new");
    assert_reply("1 {\"result\":true,\"keys\":[\"k\",\"l/\\\"\",\"n\"]}",
                 "datasets-list-keys {\"dataset\":\"app\"}");
    assert_reply("1 {\"result\":true,\"entries\":[{\"n\":\"new\"},{\"k\":\"one two!\"}]}",
                 "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"n\",\"k\"]}");
    assert_reply("1 {\"result\":true,\"description\":\"\",\"used\":22,\"host\":\"READ_WRITE\","
                 "\"guest\":\"READ_WRITE\"}",
                 "datasets-query {\"dataset\":\"app\"}");
    assert_reply(OK, "datasets-delete-entry {\"dataset\":\"app\",\"keys\":[\"k\",\"n\"]}");
    assert_int_equal(peer_keys("app"), 1);
}

/* The store decides: access is the guest's, and the limits are those of vSphere. */
static void test_store_decides(void **state)
{
    (void)state;
    start(NULL);
    peer_create("shut", DS_ACCESS_READ_WRITE, DS_ACCESS_NONE);
    peer_create("look", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    peer_set("look", "k", "v");
    static const char denied[] = "1 {\"result\":false,\"error-id\":\"permission-denied\"";
    static const char *const requests[] = {
        "datasets-list-keys {\"dataset\":\"shut\"}",
        "datasets-get-entry {\"dataset\":\"shut\",\"keys\":[\"k\"]}",
        "datasets-set-entry {\"dataset\":\"look\",\"entries\":[{\"key\":\"k\",\"value\":\"w\"}]}",
        "datasets-delete-entry {\"dataset\":\"look\",\"keys\":[\"k\"]}",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char *reply DS_AUTO_FREE = guest_ask("%s", requests[i]);
        assert_true(begins(reply, denied));
    }
    assert_reply("1 {\"result\":true,\"entries\":[{\"k\":\"v\"}]}",
                 "datasets-get-entry {\"dataset\":\"look\",\"keys\":[\"k\"]}");
    char *key DS_AUTO_FREE = calloc(1, DS_KEY_MAX_BYTES + 2);
    memset(key, 'k', DS_KEY_MAX_BYTES + 1);
    char *request DS_AUTO_FREE = NULL;
    assert_true(
        asprintf(&request, "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"%s\"]}", key) > 0);
    assert_invalid(request);
}

static void test_refusals(void **state)
{
    (void)state;
    start(NULL);
    static const char *const requests[] = {
        "datasets-list {}",
        "datasets-query",
        "datasets-query ",
        "datasets-query []",
        "datasets-query {}",
        "datasets-query {\"dataset\":1}",
        "datasets-query {\"dataset\":\"app\"} x",
        "datasets-query {\"dataset\":\"app\",\"dataset\":\"app\"}",
        "datasets-query {\"dataset\":\"app\",\"other\":1}",
        "datasets-query {\"dataset\":\"a\\u0000pp\"}",
        "datasets-query {\"dataset\":\"\xff\"}",
        "datasets-query {\"dataset\":\"\xed\xa0\x80\"}",
        "datasets-query {\"dataset\":\"\\ud800\"}",
        "datasets-query {\"dataset\":\"a\tb\"}",
        "datasets-list-keys {\"dataset\":\"app\",\"context\":1}",
        "datasets-list-keys {\"dataset\":\"app\",\"context\":\"\"}",
        "datasets-list-keys {\"dataset\":\"app\",\"context\":\"7\"}",
        "datasets-get-entry {\"dataset\":\"app\"}",
        "datasets-get-entry {\"keys\":[\"k\"]}",
        "datasets-get-entry {\"dataset\":\"app\",\"keys\":\"k\"}",
        "datasets-get-entry {\"dataset\":\"app\",\"keys\":[]}",
        "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"k\",2]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":{\"k\":\"v\"}}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\"}]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"value\":\"v\"}]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\",\"value\":1}]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\",\"value\":\"v\","
        "\"append\":\"true\"}]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\",\"value\":\"v\"},7]}",
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\","
        "\"value\":\"v\\u0000\"}]}",
        "datasets-delete-entry {\"dataset\":\"app\",\"keys\":[]}",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        assert_invalid(requests[i]);
    assert_int_equal(peer_keys("app"), 0);
    static const char *const unknown[] = {"datasets-create {}", "datasets-lis", "datasets-list\n",
                                          "info-get guestinfo.x", ""};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_reply("0 Unknown command", "%s", unknown[i]);
}

static void test_failure_styles(void **state)
{
    (void)state;
    static const struct {
        const char *style;
        const char *reply;
    } styles[] = {
        {"json", "1 {\"result\":false,\"error-id\":\"not-found\",\"error-message\":"},
        {"rpc", "0 not-found: "},
        {"rpc-json", "0 {\"result\":false,\"error-id\":\"not-found\",\"error-message\":"},
    };
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        sim_start((const char *const[]){"--failure", styles[i].style, NULL});
        char *reply DS_AUTO_FREE = guest_ask("datasets-query {\"dataset\":\"none\"}");
        assert_true(begins(reply, styles[i].reply));
        sim_stop();
    }
}

static void test_missing(void **state)
{
    (void)state;
    static const char request[] = "datasets-get-entry {\"dataset\":\"app\",\"keys\":"
                                  "[\"a\",\"none\",\"b\"]}";
    start(NULL);
    peer_set("app", "a", "1");
    peer_set("app", "b", "2");
    assert_reply("1 {\"result\":true,\"entries\":[{\"a\":\"1\"},{\"b\":\"2\"}]}", "%s", request);
    sim_stop();
    sim_start((const char *const[]){"--missing", "error", NULL});
    char *reply DS_AUTO_FREE = guest_ask("%s", request);
    assert_true(begins(reply, "1 {\"result\":false,\"error-id\":\"not-found\""));
}

static void assert_query(const char *members, const char *const *arguments)
{
    char expected[256];
    sim_start(arguments);
    snprintf(expected, sizeof expected, "1 {\"result\":true,\"description\":\"\",\"used\":0%s}",
             members);
    assert_reply(expected, "datasets-query {\"dataset\":\"d\"}");
    sim_stop();
}

#define assert_query_with(members, ...)                                                            \
    assert_query(members, (const char *const[]){__VA_ARGS__, NULL})

static void test_access_spelling(void **state)
{
    (void)state;
    peer_create("d", DS_ACCESS_READ_ONLY, DS_ACCESS_NONE);
    assert_query_with(",\"host\":\"READ_ONLY\",\"guest\":\"NONE\"", "--access-spelling", "host");
    assert_query_with(",\"host-access\":\"READ_ONLY\",\"guest-access\":\"NONE\"",
                      "--access-spelling", "host-access");
    assert_query_with(",\"host_access\":\"READ_ONLY\",\"guest_access\":\"NONE\"",
                      "--access-spelling", "host_access");
    assert_query_with(",\"access\":{\"hostAccess\":\"READ_ONLY\",\"guestAccess\":\"NONE\"}",
                      "--access-spelling", "hostAccess", "--access-nested");
    assert_query_with("", "--access-none");
}

static void test_entry_shapes(void **state)
{
    (void)state;
    start_with("--entries", "keyvalue", "--raw-control");
    peer_set("app", "k\t", "\x01\x1f\n\r\t\b\f\x7f\"\\\xc3\xa9");
    static const char request[] = "datasets-get-entry {\"dataset\":\"app\",\"keys\":[\"k\\t\"]}";
    assert_reply("1 {\"result\":true,\"entries\":[{\"key\":\"k\t\",\"value\":"
                 "\"\x01\x1f\n\r\t\\b\\f\x7f\\\"\\\\\xc3\xa9\"}]}",
                 "%s", request);
    sim_stop();
    sim_start(NULL);
    assert_reply("1 {\"result\":true,\"entries\":[{\"k\\t\":"
                 "\"\\u0001\\u001f\\n\\r\\t\\b\\f\x7f\\\"\\\\\xc3\xa9\"}]}",
                 "%s", request);
}

/* A set whose whole message has `len` bytes. */
static char *set_of(size_t len)
{
    static const char begin[] =
        "datasets-set-entry {\"dataset\":\"app\",\"entries\":[{\"key\":\"k\",\"value\":\"";
    static const char end[] = "\"}]}";
    char *text = calloc(1, len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + len - (sizeof end - 1), end, sizeof end - 1);
    return text;
}

static void test_message_limit(void **state)
{
    (void)state;
    start(NULL);
    char *fits DS_AUTO_FREE = set_of(65536);
    char *over DS_AUTO_FREE = set_of(65537);
    char *far_over DS_AUTO_FREE = set_of(1000000);
    int fd DS_AUTO_CLOSE = guest_connect();
    static const char *const expected[] = {OK, "0 Message too long", "0 Message too long", OK};
    const char *const sent[] = {fits, over, far_over, fits};
    for (size_t i = 0; i < 4; i++) {
        guest_send(fd, sent[i]);
        char *reply DS_AUTO_FREE = guest_reply(fd);
        assert_string_equal(reply, expected[i]);
    }
    assert_int_equal(sim_log_count("outcome=too-long"), 2);
    char *value DS_AUTO_FREE = peer_get("app", "k");
    assert_non_null(value);
    assert_true(strlen(value) < 65536 && strlen(value) > 65000);
}

/* The bytes that a stock guest sends, and others that mean the same. */
static void test_packets(void **state)
{
    (void)state;
    start(NULL);
    static const char reply_text[] =
        "1 {\"result\":true,\"datasets\":[{\"name\":\"app\",\"description\":\"\"}]}";
    static const unsigned char open_packet[] = {
        0, 0,    0,   0x29, 0,   0,   0,   1,   0,   0,   0,   1,   0,   0,   0,
        1, 0,    0,   0,    0,   0,   0,   0,   2,   0,   0,   0,   2,   0,   0,
        0, 0x0d, 'd', 'a',  't', 'a', 's', 'e', 't', 's', '-', 'l', 'i', 's', 't'};
    static const unsigned char close_packet[] = {
        0,   0,   0, 0x47, 0, 0, 0, 2,    0,   0,   0,   9,   0,   0,   0,   2,   '?', '?', 0,
        0,   0,   1, 0,    0, 0, 3, 0,    0,   0,   1,   0,   0,   0,   0,   0,   0,   0,   2,
        0,   0,   0, 2,    0, 0, 0, 0x0d, 'd', 'a', 't', 'a', 's', 'e', 't', 's', '-', 'l', 'i',
        's', 't', 0, 0,    0, 1, 0, 0,    0,   1,   0,   0,   0,   1,   0,   0,   0,   0};
    int fd DS_AUTO_CLOSE = guest_connect();
    /* Two at once, then one byte by byte; the channel stays open. */
    guest_send_bytes(fd, open_packet, sizeof open_packet);
    guest_send_bytes(fd, open_packet, sizeof open_packet);
    for (size_t i = 0; i < sizeof open_packet; i++)
        guest_send_bytes(fd, open_packet + i, 1);
    for (int i = 0; i < 3; i++) {
        char *reply DS_AUTO_FREE = guest_reply(fd);
        assert_string_equal(reply, reply_text);
    }
    /* An unknown field, the payload last but one, and the host closes. */
    guest_send_bytes(fd, close_packet, sizeof close_packet);
    char *reply DS_AUTO_FREE = guest_reply(fd);
    assert_string_equal(reply, reply_text);
    char byte;
    assert_int_equal(guest_read_rest(fd, &byte, 1), 0);
}

static void test_no_packets(void **state)
{
    (void)state;
    start(NULL);
    static const char *const garbage[] = {
        "\xff\xff\xff\xff",                           /* too long */
        "GET / HTTP/1.1\r\n\r\n",                     /* no length */
        "\0\0\0\x10\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0", /* no payload */
        "\0\0\0\x0c\0\0\0\2\0\0\0\2\0\0\0\1",         /* past the packet */
        "\0\0\0\x0d\0\0\0\3\0\0\0\2\0\0\0\1x",        /* unknown type */
    };
    static const size_t sizes[] = {4, 18, 20, 16, 17};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int fd DS_AUTO_CLOSE = guest_connect();
        char byte;
        guest_send_bytes(fd, garbage[i], sizes[i]);
        assert_int_equal(guest_read_rest(fd, &byte, 1), 0);
    }
    assert_int_equal(sim_log_count("connection="), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_commands),     HARNESS_TEST(test_store_decides),
    HARNESS_TEST(test_refusals),     HARNESS_TEST(test_failure_styles),
    HARNESS_TEST(test_missing),      HARNESS_TEST(test_access_spelling),
    HARNESS_TEST(test_entry_shapes), HARNESS_TEST(test_message_limit),
    HARNESS_TEST(test_packets),      HARNESS_TEST(test_no_packets),
};

HARNESS_MAIN(tests)
