/* Replies without memory: what is no fault of theirs is not called one, and what was read is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/base/json_load.h"
#include "client/rest/json.h"
#include "client/tools/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static long allocations_left; /* below 0: as many as are wanted */

static void *allocate(size_t size)
{
    if (!allocations_left)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return malloc(size);
}

static int set_up(void **state)
{
    (void)state;
    json_set_alloc_funcs(allocate, free);
    allocations_left = -1;
    return 0;
}

#define LONG "a text that is long enough to need room of its own, twice over and then some more"

static const char keys[] =
    "[\"first\",\"" LONG "\",\"\\u00e4\",\"\\ud83d\\ude00 " LONG "\",\"\xff\"]";

/* Fails every allocation after the first N, for each N until all is read. */
static void test_keys(void **state)
{
    (void)state;
    int err = -ENOMEM;
    long n = 0;
    for (; err; n++) {
        struct ds_names names = {0};
        allocations_left = n;
        err = ds_rest_json_read_keys(keys, sizeof keys - 1, &names);
        allocations_left = -1;
        if (err && err != -ENOMEM)
            fail_msg("after %ld allocations: %d", n, err);
        if (!err) {
            assert_int_equal(names.count, 4);
            assert_string_equal(names.names[1], LONG);
            assert_string_equal(names.names[2], "ä");
        }
        ds_names_clear(&names);
    }
    assert_true(n > 10);
}

static void test_reply(void **state)
{
    (void)state;
    static const char text[] =
        "{\"result\":true,\"entries\":[{\"k\":\"" LONG "\"},"
        "{\"key\":\"l\",\"value\":\"\\u00e4\",\"size\":99999999999999999999}]}";
    int err = -ENOMEM;
    long n = 0;
    for (; err; n++) {
        struct ds_entry entries[] = {{.key = "k", .error = -ENOENT},
                                     {.key = "l", .error = -ENOENT}};
        struct ds_tools_reply *reply = NULL;
        allocations_left = n;
        err = ds_tools_reply_parse(text, sizeof text - 1, &reply);
        if (!err)
            err = ds_tools_reply_entries(reply, entries, 2);
        allocations_left = -1;
        if (err && err != -ENOMEM)
            fail_msg("after %ld allocations: %d", n, err);
        if (!err) {
            assert_int_equal(entries[0].error, 0);
            assert_string_equal(entries[0].value.data, LONG);
            assert_int_equal(entries[1].error, 0);
            assert_string_equal(entries[1].value.data, "ä");
        }
        ds_buf_free(&entries[0].value);
        ds_buf_free(&entries[1].value);
        ds_tools_reply_free(reply);
    }
    assert_true(n > 10);
}

/* A fault of the text is still one. */
static void test_faults(void **state)
{
    (void)state;
    json_t *json = NULL;
    assert_int_equal(ds_json_load("{\"a\":", 5, 0, &json), -EPROTO);
    assert_int_equal(ds_json_load("[1,]", 4, 0, &json), -EPROTO);
    assert_null(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_keys, set_up),
        cmocka_unit_test_setup(test_reply, set_up),
        cmocka_unit_test_setup(test_faults, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
