/* The SOURCE of a vCenter, in every form that somebody may type, and the parts of paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/url.h"

#include "dataset.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *base;
        const char *host;
        const char *vm;
        bool by_name;
    } rows[] = {
        {"https://vc/vm-42", "https://vc", "vc", "vm-42", false},
        {"https://vc/vm-0", "https://vc", "vc", "vm-0", false},
        {"HTTPS://VC.Example.COM/vm-42", "https://VC.Example.COM", "VC.Example.COM", "vm-42",
         false},
        {"hTTpS://vc./web", "https://vc.", "vc.", "web", true},
        {"https://vc:443/web", "https://vc:443", "vc", "web", true},
        {"https://vc:1/web", "https://vc:1", "vc", "web", true},
        {"https://vc:65535/web", "https://vc:65535", "vc", "web", true},
        {"https://192.0.2.7:8443/web", "https://192.0.2.7:8443", "192.0.2.7", "web", true},
        {"https://[::1]/web", "https://[::1]", "::1", "web", true},
        {"https://[::1]:8443/web", "https://[::1]:8443", "::1", "web", true},
        {"https://[2001:DB8::192.0.2.7]:8443/vm-1", "https://[2001:DB8::192.0.2.7]:8443",
         "2001:DB8::192.0.2.7", "vm-1", false},
        {"https://my_vc-1/web", "https://my_vc-1", "my_vc-1", "web", true},
        /* An id is exactly "vm-" and digits. */
        {"https://vc/VM-42", "https://vc", "vc", "VM-42", true},
        {"https://vc/vm-", "https://vc", "vc", "vm-", true},
        {"https://vc/vm-42x", "https://vc", "vc", "vm-42x", true},
        {"https://vc/vm--42", "https://vc", "vc", "vm--42", true},
        {"https://vc/vm-42 ", "https://vc", "vc", "vm-42 ", true},
        {"https://vc/xvm-42", "https://vc", "vc", "xvm-42", true},
        {"https://vc/name=vm-42", "https://vc", "vc", "vm-42", true},
        {"https://vc/name=web", "https://vc", "vc", "web", true},
        {"https://vc/name=name=x", "https://vc", "vc", "name=x", true},
        {"https://vc/name%3Dweb", "https://vc", "vc", "name=web", true},
        {"https://vc/Name=web", "https://vc", "vc", "Name=web", true},
        /* RFC 3986, 2.3: an unreserved character is the same whether it is encoded or not. */
        {"https://vc/vm-%34%32", "https://vc", "vc", "vm-42", false},
        {"https://vc/%76m%2d42", "https://vc", "vc", "vm-42", false},
        {"https://vc/name=%76m-42", "https://vc", "vc", "vm-42", true},
        /* Decoded once. */
        {"https://vc/a%20b", "https://vc", "vc", "a b", true},
        {"https://vc/a b", "https://vc", "vc", "a b", true},
        {"https://vc/a+b", "https://vc", "vc", "a+b", true},
        {"https://vc/100%25", "https://vc", "vc", "100%", true},
        {"https://vc/a%252Fb", "https://vc", "vc", "a%2Fb", true},
        {"https://vc/a%2Fb%3f%23", "https://vc", "vc", "a/b?#", true},
        {"https://vc/%c3%a4", "https://vc", "vc", "ä", true},
        {"https://vc/ä", "https://vc", "vc", "ä", true},
        {"https://vc/..", "https://vc", "vc", "..", true},
        /* Behind the slash an '@' belongs to the name. */
        {"https://vc/joe@web", "https://vc", "vc", "joe@web", true},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        char why[DS_WHY_BYTES] = "";
        struct ds_url url = {0};
        if (ds_url_parse(rows[i].source, &url, why))
            fail_msg("%s: %s", rows[i].source, why);
        assert_string_equal(url.base, rows[i].base);
        assert_string_equal(url.host, rows[i].host);
        assert_string_equal(url.vm, rows[i].vm);
        if (url.by_name != rows[i].by_name)
            fail_msg("%s: by name: %d", rows[i].source, url.by_name);
        ds_url_clear(&url);
        assert_null(url.base);
        ds_url_clear(&url);
    }
}

/* One line, valid, bounded, without the secret; and nothing is given out. */
static void expect_refusal(const char *source, const char *words)
{
    static const struct ds_url untouched = {.base = (char *)"b", .by_name = true};
    char why[DS_WHY_BYTES + 1];
    struct ds_url url = untouched;
    memset(why, 'x', sizeof why);
    why[0] = '\0';
    int err = ds_url_parse(source, &url, why);
    assert_int_equal(why[DS_WHY_BYTES], 'x');
    why[DS_WHY_BYTES] = '\0';
    if (err != -EINVAL || !strstr(why, words) || strstr(why, "hunter2") || strchr(why, '\n') ||
        strlen(why) > DS_WHY_BYTES - 2 || !ds_utf8_valid(why, strlen(why)))
        fail_msg("%s: %d, '%s' does not say '%s'", source, err, why, words);
    assert_memory_equal(&url, &untouched, sizeof url);
}

static void test_refused(void **state)
{
    (void)state;
    static const char host[] = "is not a host's name or address";
    static const char port[] = "port from 1 to 65535";
    static const struct {
        const char *source;
        const char *words;
    } rows[] = {
        {"", "expected https://HOST/VM"},
        {"https:/vc/vm-1", "expected https://HOST/VM"},
        {"http://vc/vm-1", "expected https://HOST/VM"},
        {" https://vc/vm-1", "expected https://HOST/VM"},
        {"https://", host},
        {"https:///vm-1", host},
        {"https://:443/vm-1", host},
        {"https://v c/vm-1", host},
        {"https://v%63/vm-1", host},
        {"https://vc\n/vm-1", host},
        {"https://vc\\x/vm-1", host},
        {"https://\xc3\xa4/vm-1", host},
        {"https://[]/vm-1", host},
        {"https://[::1/vm-1", host},
        {"https://::1/vm-1", host},
        {"https://[::1]x/vm-1", host},
        {"https://[fe80::1%25eth0]/vm-1", host},
        {"https://[vc]/vm-1", host},
        {"https://vc:/vm-1", port},
        {"https://vc:0/vm-1", port},
        {"https://vc:00000/vm-1", port},
        {"https://vc:65536/vm-1", port},
        {"https://vc:000443/vm-1", port},
        {"https://vc:99999999999999999999/vm-1", port},
        {"https://vc:-1/vm-1", port},
        {"https://vc:+1/vm-1", port},
        {"https://vc: 1/vm-1", port},
        {"https://vc:https/vm-1", port},
        {"https://vc:443x/vm-1", host},
        {"https://vc:443:443/vm-1", host},
        {"https://[::1]:/vm-1", port},
        {"https://vc", "needs a virtual machine"},
        {"https://vc/", "needs a virtual machine"},
        {"https://vc:443", "needs a virtual machine"},
        {"https://vc?vm=1", "without ? or #"},
        {"https://vc#vm", "without ? or #"},
        {"https://vc/vm-1/", "write / as %2F"},
        {"https://vc//vm-1", "write / as %2F"},
        {"https://vc/vm-1?x", "? as %3F"},
        {"https://vc/vm-1#x", "# as %23"},
        {"https://vc/name=", "empty"},
        {"https://vc/%", "two hexadecimal digits"},
        {"https://vc/a%2", "two hexadecimal digits"},
        {"https://vc/a%zz", "two hexadecimal digits"},
        {"https://vc/a%2g", "two hexadecimal digits"},
        {"https://vc/a%%41", "two hexadecimal digits"},
        {"https://vc/a%00", "not 00"},
        {"https://vc/%00", "not 00"},
        {"https://vc/\xff", "not UTF-8"},
        {"https://vc/%ff", "not UTF-8"},
        {"https://vc/%c3", "not UTF-8"},
        {"https://vc/%ed%a0%80", "not UTF-8"},
        {"https://vc/%c0%af", "not UTF-8"},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_refusal(rows[i].source, rows[i].words);
}

static void test_passwords(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "https://joe:hunter2@vc/vm-1",   "https://hunter2@vc/vm-1",
        "https://joe:hunter2@vc",        "https://joe:hunter2@[::1]:1/vm-1",
        "https://joe:@hunter2@vc/vm-1",  "HTTPS://joe:hunter2@vc/vm-1",
        "https://@hunter2/vm-1/hunter2", "https://joe:hunter2@",
    };
    for (size_t i = 0; i < LEN(sources); i++)
        expect_refusal(sources[i], "user and password do not belong in SOURCE");
    /* A password with a character that ends HOST. */
    expect_refusal("https://joe:hunter2/x@vc/vm-1", "HOST");
    expect_refusal("https://joe:hunter2?x@vc/vm-1", "HOST");
    expect_refusal("https://joe:hunter2#x@vc/vm-1", "HOST");
    expect_refusal("https://joe:1/hunter2@vc/vm-1", "write / as %2F");
    expect_refusal("https://joe%3Ahunter2%40vc/vm-1", "HOST");
}

static void test_long(void **state)
{
    (void)state;
    char source[4096];
    struct ds_url url = {0};
    char why[DS_WHY_BYTES];
    memset(source, 'h', sizeof source);
    memcpy(source, "https://", 8);
    memcpy(source + 8 + 253, "/vm-1", 6);
    assert_int_equal(ds_url_parse(source, &url, why), 0);
    assert_int_equal(strlen(url.host), 253);
    ds_url_clear(&url);
    source[8 + 253] = 'h';
    memcpy(source + 8 + 254, "/vm-1", 6);
    expect_refusal(source, "not a host's name");

    memset(source, '9', sizeof source);
    memcpy(source, "https://vc/vm-", 14);
    source[sizeof source - 1] = '\0';
    assert_int_equal(ds_url_parse(source, &url, why), 0);
    assert_false(url.by_name);
    ds_url_clear(&url);
}

static void test_encode_every_byte(void **state)
{
    (void)state;
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (int byte = 1; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b', '\0'};
        char expected[16];
        struct ds_buf out = {0};
        snprintf(expected, sizeof expected, strchr(plain, byte) ? "/a%cb" : "/a%%%02Xb", byte);
        assert_int_equal(ds_buf_puts(&out, "/"), 0);
        assert_int_equal(ds_url_encode(&out, text), 0);
        assert_string_equal(out.data, expected);
        assert_int_equal(out.len, strlen(expected));
        ds_buf_free(&out);
    }
}

static void test_encode(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"", ""},
        {"a/b", "a%2Fb"},
        {"%2F", "%252F"},
        {"100%", "100%25"},
        {"ä€😀", "%C3%A4%E2%82%AC%F0%9F%98%80"},
        {"?force=true", "%3Fforce%3Dtrue"},
        {"a b&c+d", "a%20b%26c%2Bd"},
        {"\r\nX: y", "%0D%0AX%3A%20y"},
        {"...", "..."},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ds_buf out = {0};
        assert_int_equal(ds_url_encode(&out, rows[i].text), 0);
        assert_string_equal(out.data, rows[i].expected);
        ds_buf_free(&out);
    }
}

/* What SOURCE can say comes back from an encoded name. */
static void test_encoded_comes_back(void **state)
{
    (void)state;
    for (int code = 1; code < 0x80; code++) {
        char name[] = {'x', (char)code, '\0'};
        char why[DS_WHY_BYTES] = "";
        struct ds_buf source = {0};
        struct ds_url url = {0};
        assert_int_equal(ds_buf_puts(&source, "https://vc/name="), 0);
        assert_int_equal(ds_url_encode(&source, name), 0);
        assert_int_equal(ds_url_parse(source.data, &url, why), 0);
        assert_string_equal(url.vm, name);
        ds_url_clear(&url);
        ds_buf_free(&source);
    }
}

/* Whatever a proxy makes of it, it stays below its own place. */
static void test_segments(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",    ".",     "..",     "../x",  "x/..",    "a/../b", "../..", "./x",
        "x/.", "a/./b", "..\\..", "x\\..", "..\\x/y", "/..",    "../",   "//.//",
    };
    static const char *const accepted[] = {
        "a",     "...",   "..a", "a..",    ".a",   "a/b",
        "a/..b", "a../b", "/",   "%2e%2e", "a\\b", ".datasetfs",
    };
    for (size_t i = 0; i < LEN(refused); i++)
        if (ds_url_is_segment(refused[i]))
            fail_msg("'%s' is taken", refused[i]);
    for (size_t i = 0; i < LEN(accepted); i++)
        if (!ds_url_is_segment(accepted[i]))
            fail_msg("'%s' is refused", accepted[i]);
}

static void test_servers(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *base;
        const char *host;
    } rows[] = {
        {"https://vc", "https://vc", "vc"},
        {"HTTPS://vc.example:8443", "https://vc.example:8443", "vc.example"},
        {"https://[::1]:443", "https://[::1]:443", "::1"},
    };
    static const char *const refused[] = {
        "https://",          "https://vc/",  "https://vc/vm-1", "https://vc?",
        "https://vc#x",      "https://vc:0", "https://u:p@vc",  "http://vc",
        "https://vc:443/vm", "https://vc:x", "https://vc vc",   "vc",
    };
    char why[DS_WHY_BYTES];
    struct ds_url url;
    for (size_t i = 0; i < LEN(rows); i++) {
        assert_int_equal(ds_url_parse_server(rows[i].source, &url, why), 0);
        assert_string_equal(url.base, rows[i].base);
        assert_string_equal(url.host, rows[i].host);
        assert_null(url.vm);
        ds_url_clear(&url);
    }
    for (size_t i = 0; i < LEN(refused); i++) {
        *why = '\0';
        if (ds_url_parse_server(refused[i], &url, why) != -EINVAL || !*why)
            fail_msg("'%s' is taken", refused[i]);
        assert_null(strstr(why, "u:p"));
    }
}

static void test_parameters(void **state)
{
    (void)state;
    struct ds_buf url = {0};
    assert_int_equal(ds_buf_puts(&url, "https://vc/p"), 0);
    assert_int_equal(ds_url_add(&url, "a", "x y"), 0);
    assert_int_equal(ds_url_add(&url, "a", "?&"), 0);
    assert_int_equal(ds_url_add(&url, "b", ""), 0);
    assert_string_equal(url.data, "https://vc/p?a=x%20y&a=%3F%26&b=");
    ds_buf_free(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_encode_every_byte),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_encoded_comes_back),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
