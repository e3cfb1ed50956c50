/* The SOURCE argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        bool side_given;
        const char *words;
    } refusals[] = {
        {"", false, "expected tools, https://HOST/VM or local:FILE"},
        {"x", false, "unknown SOURCE 'x': expected tools, https://HOST/VM or local:FILE"},
        {"/var/lib/x", false, "unknown SOURCE"},
        {"Local:x", false, "unknown SOURCE"},
        {"toolsx", false, "unknown SOURCE"},
        {"ftp://h/x", false, "unknown SOURCE"},
        {"local:", false, "local: needs the name"},
        {"local:", true, "local: needs the name"},
        {"tools:", false, "expected tools, tools:vmtoolsd"},
        {"tools:x", false, "expected tools, tools:vmtoolsd"},
        {"tools:unix", false, "expected tools, tools:vmtoolsd"},
        {"tools:vmtoolsdx", false, "expected tools, tools:vmtoolsd"},
        {"tools:unix=", false, "needs the path of a socket"},
        {"tools:vmtoolsd=", false, "needs the path of a program"},
        {"tools", true, "-o side= is for local:FILE only"},
        {"tools:unix=/x", true, "-o side= is for local:FILE only"},
        {"https://h", false, "needs a virtual machine"},
        {"https://h/", false, "needs a virtual machine"},
        {"https://h/vm-1", true, "-o side= is for local:FILE only"},
        {"http://h/vm-1", false, "use https://"},
        {"HTTP://h/vm-1", false, "use https://"},
        {"https://user:secret@h/vm", false, "do not belong in SOURCE"},
        {"https://secret@h", true, "do not belong in SOURCE"},
        {"http://user:secret@h/vm", false, "use https://"},
        {"user:secret@h", false, "unknown SOURCE"},
        {"ftp://user:secret@h/x", false, "unknown SOURCE"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char why[DS_WHY_BYTES] = "";
        struct ds_source_options options = {.side_given = refusals[i].side_given};
        assert_int_equal(ds_source_check(refusals[i].source, &options, why), -EINVAL);
        if (!strstr(why, refusals[i].words) || strstr(why, "secret") || strchr(why, '\n'))
            fail_msg("%s: '%s' does not say '%s'", refusals[i].source, why, refusals[i].words);
    }
}

static void test_long_source(void **state)
{
    (void)state;
    char why[DS_WHY_BYTES + 1] = "";
    struct ds_buf source = {0};
    struct ds_source_options none = {0};
    why[DS_WHY_BYTES] = 'x';
    for (int i = 0; i < 500; i++)
        assert_int_equal(ds_buf_puts(&source, "ä"), 0);
    assert_int_equal(ds_source_check(source.data, &none, why), -EINVAL);
    assert_true(strlen(why) < DS_WHY_BYTES);
    assert_non_null(strstr(why, "expected tools, https://HOST/VM or local:FILE"));
    assert_int_equal(why[DS_WHY_BYTES], 'x');
    ds_buf_free(&source);
}

static void test_accepted(void **state)
{
    (void)state;
    char why[DS_WHY_BYTES];
    struct ds_source_options none = {0};
    struct ds_source_options guest = {.side = DS_SIDE_GUEST, .side_given = true};
    assert_int_equal(ds_source_check("local:x", &none, why), 0);
    assert_int_equal(ds_source_check("local:/x y/user@z:1", &guest, why), 0);
    assert_int_equal(ds_source_check("tools", &none, why), 0);
    assert_int_equal(ds_source_check("tools:unix=x", &none, why), 0);
    assert_int_equal(ds_source_check("tools:vmtoolsd", &none, why), 0);
    assert_int_equal(ds_source_check("tools:vmtoolsd=/x y", &none, why), 0);
    assert_int_equal(ds_source_check("https://h/vm-1", &none, why), 0);
    assert_int_equal(ds_source_check("HTTPS://h:8443/a@b", &none, why), 0);
}

/* Options of https: do nothing for others, and some contradict each other. */
static void test_options_of_https(void **state)
{
    (void)state;
    static const struct ds_source_options alone[] = {{.credentials = "f"},
                                                     {.cacert = "f"},
                                                     {.pin = "p"},
                                                     {.insecure = true},
                                                     {.rate_given = true}};
    static const char *const others[] = {"local:x", "tools", "tools:unix=x"};
    char why[DS_WHY_BYTES];
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        assert_int_equal(ds_source_check("https://h/vm-1", &alone[i], why), 0);
        for (size_t j = 0; j < sizeof others / sizeof *others; j++) {
            assert_int_equal(ds_source_check(others[j], &alone[i], why), -EINVAL);
            assert_non_null(strstr(why, "for https:// only"));
        }
    }
    static const struct ds_source_options contradictory[] = {
        {.insecure = true, .pin = "p"},
        {.insecure = true, .cacert = "f"},
        {.insecure = true, .cacert = "f", .pin = "p"},
    };
    for (size_t i = 0; i < sizeof contradictory / sizeof *contradictory; i++) {
        assert_int_equal(ds_source_check("https://h/vm-1", &contradictory[i], why), -EINVAL);
        assert_string_equal(why, "-o insecure and cacert= or pin= exclude each other");
    }
    struct ds_source_options together = {.credentials = "f", .cacert = "f", .pin = "p"};
    assert_int_equal(ds_source_check("https://h/vm-1", &together, why), 0);
    assert_int_equal(ds_source_check("local:x", &together, why), -EINVAL);
    assert_string_equal(why, "-o credentials is for https:// only");
    /* The plain fault is told first: another option would not help. */
    assert_int_equal(ds_source_check("http://h/vm-1", &together, why), -EINVAL);
    assert_non_null(strstr(why, "in clear"));
}

static void expect_absolute(const char *source, const char *expected)
{
    char *absolute = NULL;
    assert_int_equal(ds_source_absolute(source, &absolute), 0);
    assert_string_equal(absolute, expected);
    free(absolute);
}

static void test_absolute(void **state)
{
    (void)state;
    char *here = getcwd(NULL, 0);
    struct ds_buf expected = {0};
    assert_int_equal(ds_buf_printf(&expected, "local:%s/a/b", here), 0);
    expect_absolute("local:a/b", expected.data);
    expect_absolute("local:/a/b", "local:/a/b");
    expect_absolute("https://h/vm", "https://h/vm");
    expect_absolute("tools", "tools");
    expect_absolute("tools:vmtoolsd", "tools:vmtoolsd");
    ds_buf_free(&expected);
    assert_int_equal(ds_buf_printf(&expected, "tools:unix=%s/s", here), 0);
    expect_absolute("tools:unix=s", expected.data);
    ds_buf_free(&expected);
    assert_int_equal(ds_buf_printf(&expected, "tools:vmtoolsd=%s/a/b", here), 0);
    expect_absolute("tools:vmtoolsd=a/b", expected.data);
    expect_absolute("tools:vmtoolsd=/a/b", "tools:vmtoolsd=/a/b");
    ds_buf_free(&expected);
    free(here);
}

static void test_open_refuses(void **state)
{
    (void)state;
    struct ds_call call;
    struct ds_client *client = NULL;
    struct ds_source_options none = {0};
    ds_call_init(&call, 60000);
    assert_int_equal(ds_source_open("x", &none, &call, &client), -EINVAL);
    assert_non_null(strstr(call.text, "unknown SOURCE"));
    assert_null(client);
}

/* What is all machines, and what such a SOURCE may not be mistaken for. */
static void test_inventories(void **state)
{
    (void)state;
    static const char *const are[] = {"https://h", "HTTPS://h:8443", "https://[::1]", "local:/x/",
                                      "local:x/y/"};
    static const char *const are_not[] = {"https://h/", "https://h/vm-1", "https://h?",
                                          "https://h#", "http://h",       "local:x",
                                          "local:",     "tools",          "tools:unix=/x/"};
    struct ds_source_options none = {0};
    char why[DS_WHY_BYTES];
    for (size_t i = 0; i < sizeof are / sizeof *are; i++) {
        assert_true(ds_inventory_is(are[i]));
        assert_int_equal(ds_inventory_check(are[i], &none, why), 0);
    }
    for (size_t i = 0; i < sizeof are_not / sizeof *are_not; i++)
        assert_false(ds_inventory_is(are_not[i]));
    assert_int_equal(ds_source_check("https://h", &none, why), -EINVAL);
    assert_int_equal(ds_source_check("https://h/", &none, why), -EINVAL);
    assert_int_equal(ds_inventory_check("https://user:secret@h", &none, why), -EINVAL);
    assert_null(strstr(why, "secret"));
    assert_int_equal(ds_inventory_check("https://h:0", &none, why), -EINVAL);
}

static void test_options_of_inventories(void **state)
{
    (void)state;
    struct ds_machine_filter filter = {.powers = 1U << DS_POWER_ON};
    struct ds_source_options machines = {.machines = &filter};
    struct ds_source_options side = {.side = DS_SIDE_GUEST, .side_given = true};
    struct ds_source_options contradictory = {.insecure = true, .pin = "p"};
    struct ds_source_options credentials = {.credentials = "f"};
    char why[DS_WHY_BYTES];
    assert_int_equal(ds_inventory_check("https://h", &machines, why), 0);
    assert_int_equal(ds_inventory_check("local:x/", &machines, why), -EINVAL);
    assert_int_equal(ds_source_check("https://h/vm-1", &machines, why), -EINVAL);
    assert_int_equal(ds_source_check("tools", &machines, why), -EINVAL);
    assert_int_equal(ds_inventory_check("https://h", &side, why), -EINVAL);
    assert_int_equal(ds_inventory_check("local:x/", &side, why), 0);
    assert_int_equal(ds_inventory_check("https://h", &contradictory, why), -EINVAL);
    assert_int_equal(ds_inventory_check("local:x/", &credentials, why), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventories),  cmocka_unit_test(test_options_of_inventories),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_long_source),
        cmocka_unit_test(test_accepted),     cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_open_refuses), cmocka_unit_test(test_options_of_https),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
