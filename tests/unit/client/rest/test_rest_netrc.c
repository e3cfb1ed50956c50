/* ~/.netrc as people have written it since 1978. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/netrc.h"

#include "cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

static int find(const char *text, size_t len, struct ds_login *found, unsigned *line)
{
    char *copy DS_AUTO_FREE = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    memset(found, 0, sizeof *found);
    return ds_netrc_find(copy, len, "vc.example.com", found, line);
}

static void test_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *username;
        const char *password;
    } rows[] = {
        {"machine vc.example.com login u password p", "u", "p"},
        {"machine vc.example.com login u password p\n", "u", "p"},
        {"machine VC.Example.COM\r\n\tlogin u\r\n\tpassword p\r\n", "u", "p"},
        {"machine\nvc.example.com\nlogin\nu\npassword\np", "u", "p"},
        {"MACHINE vc.example.com Login u Password p", "u", "p"},
        {"machine vc.example.com password p login u", "u", "p"},
        {"machine vc.example.com login u account a password p", "u", "p"},
        {"machine vc.example.com port 443 login u password p", "u", "p"},
        /* One word too much moves nothing. */
        {"machine vc.example.com tls login u password p", "u", "p"},
        /* Of several. */
        {"machine a login x password y\nmachine vc.example.com login u password p\n"
         "machine b login x password y",
         "u", "p"},
        {"machine vc.example.com login u password p\nmachine vc.example.com login x password y",
         "u", "p"},
        {"machine vc.example.com.evil login x password y\nmachine xvc.example.com login x password "
         "y\nmachine vc.example.com login u password p",
         "u", "p"},
        {"machine a login x password y default login u password p", "u", "p"},
        {"machine vc.example.com login u password p default login x password y", "u", "p"},
        {"default login u password p", "u", "p"},
        /* Half an entry lends nothing to the next. */
        {"machine vc.example.com login x\nmachine vc.example.com login u password p", "u", "p"},
        {"machine vc.example.com password x\nmachine a login b password c\ndefault login u "
         "password p",
         "u", "p"},
        /* Keywords as values. */
        {"machine a login machine password default\nmachine vc.example.com login login password "
         "password",
         "login", "password"},
        {"machine a login x password machine vc.example.com login x password y\n"
         "machine vc.example.com login u password p",
         "u", "p"},
        {"machine a login macdef password #\nmachine vc.example.com login u password #p#", "u",
         "#p#"},
        /* Comments. */
        {"# machine vc.example.com login x password y\nmachine vc.example.com login u password p",
         "u", "p"},
        {"# it's three words\nmachine vc.example.com # here\nlogin u # password x\npassword p", "u",
         "p"},
        {"#\n#odd\n\n  #\nmachine vc.example.com login u password p #", "u", "p"},
        /* Macros. */
        {"macdef init\nmachine vc.example.com login x password y\n\nmachine vc.example.com login u "
         "password p",
         "u", "p"},
        {"macdef init\r\ncd x\r\n\r\nmachine vc.example.com login u password p", "u", "p"},
        {"macdef\nget \"x\n\nmachine vc.example.com login u password p", "u", "p"},
        {"machine a login x password y\nmacdef init\nquit\n \t\nmachine vc.example.com login u "
         "password p",
         "u", "p"},
        {"macdef init\n\nmachine vc.example.com login u password p", "u", "p"},
        /* Quotes. */
        {"machine \"vc.example.com\" login \"a b\" password \"p \\\"q\\\" \\\\ #\"", "a b",
         "p \"q\" \\ #"},
        {"machine vc.example.com login u password \"\\n\\r\\t\\x\"", "u", "\n\r\tx"},
        {"machine vc.example.com login u password p\"q", "u", "p\"q"},
        {"machine vc.example.com login DOMAIN\\user password p\\", "DOMAIN\\user", "p\\"},
        {"machine vc.example.com login \"u\"password \"p\"", "u", "p"},
        {"machine vc.example.com login ü password =€=", "ü", "=€="},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ds_login found;
        unsigned line = 0;
        int err = find(rows[i].text, strlen(rows[i].text), &found, &line);
        if (err || strcmp(found.username, rows[i].username) != 0 ||
            strcmp(found.password, rows[i].password) != 0)
            fail_msg("%s: %d '%s' '%s'", rows[i].text, err, found.username, found.password);
    }
}

static void test_not_found(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n \t\n",
        "#",
        "machine",
        "machine vc.example.com",
        "machine vc.example.com login",
        "machine vc.example.com login u",
        "machine vc.example.com login u password",
        "machine vc.example.com password p",
        "machine vc.example.com login \"\" password p",
        "machine vc.example.com login u password \"\"",
        "login u password p",
        "machine a login u password p",
        "machine vc.example login u password p",
        "machine vc.example.com login u\nmachine a password p",
        /* A password without a login is no login. */
        "machine vc.example.com password p\nmachine a login u password p",
        "machine vc.example.com password p\ndefault login u",
        "macdef x\nmachine vc.example.com login u password p",
        "macdef",
        "default",
    };
    for (size_t i = 0; i < LEN(texts); i++) {
        struct ds_login found;
        unsigned line = 77;
        int err = find(texts[i], strlen(texts[i]), &found, &line);
        if (err != -ENODATA || line != 77)
            fail_msg("%s: %d", texts[i], err);
    }
}

static void expect_wrong(const char *text, size_t len, unsigned expected)
{
    struct ds_login found;
    unsigned line = 0;
    int err = find(text, len, &found, &line);
    if (err != -EINVAL || line != expected)
        fail_msg("%.60s: %d, line %u", text, err, line);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {
        {"\"", 1},
        {"machine vc.example.com\nlogin u\npassword \"p\nmachine a", 3},
        {"machine a\nlogin \"u\\", 2},
        {"# a\n\nmachine \"vc.example.com", 3},
        {"macdef x\na\n\npassword \"\\\"\n", 4},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_wrong(rows[i].text, strlen(rows[i].text), rows[i].line);
    expect_wrong("machine a\nlogin \0 u", 19, 2);
    expect_wrong("\0", 1, 1);
}

/* A value is kept whole or not at all. */
static void test_lengths(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char text[4096];
        struct ds_login found;
        unsigned line = 0;
        int len = snprintf(text, sizeof text, "machine vc.example.com\nlogin %0*d\npassword %0*d\n",
                           (int)(DS_USERNAME_MAX_BYTES + more), 0, DS_PASSWORD_MAX_BYTES, 0);
        assert_int_equal(find(text, (size_t)len, &found, &line), more ? -EINVAL : 0);
        assert_int_equal(line, more ? 2 : 0);
        len = snprintf(text, sizeof text, "machine vc.example.com login u password %0*d",
                       (int)(DS_PASSWORD_MAX_BYTES + more), 0);
        line = 0;
        assert_int_equal(find(text, (size_t)len, &found, &line), more ? -EINVAL : 0);
        assert_int_equal(line, more);
        /* Not ours: none of our business. */
        len = snprintf(text, sizeof text,
                       "machine a login u password %01500d\ndefault login u "
                       "password p",
                       0);
        assert_int_equal(find(text, (size_t)len, &found, &line), 0);
    }
}

/* Each beginning of a good file is read within its bounds. */
static void test_cut(void **state)
{
    (void)state;
    static const char text[] = "#c\nmacdef m\nx\n\nmachine a login \"b \\\"\" password c\n"
                               "machine vc.example.com login u password \"p\"";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct ds_login found;
        unsigned line = 0;
        int err = find(text, len, &found, &line);
        assert_true(err == -ENODATA || err == -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found), cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_wrong), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
