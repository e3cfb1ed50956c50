/* What a terminal would obey, and what it may show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"
#include "text.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect(const char *text, const char *expected)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    ds_text_clean(copy);
    assert_string_equal(copy, expected);
}

static void test_rows(void **state)
{
    (void)state;
    expect("", "");
    expect("plain, é ß 漢 😀 \xF4\x8F\xBF\xBD", "plain, é ß 漢 😀 \xF4\x8F\xBF\xBD");
    expect("a\tb\nc\rd\x1b[2Je\x7f", "a?b?c?d?[2Je?");
    expect("a\xC2\x9B"
           "2Jb",
           "a?2Jb"); /* CSI of C1 as UTF-8 */
    expect("a\x9B"
           "2Jb",
           "a?2Jb"); /* and as a byte */
    expect("\xC2\x80\xC2\x9F\xC2\xA0", "??\xC2\xA0");
    expect("evil\xE2\x80\xAEtxt.exe", "evil?txt.exe"); /* U+202E */
    expect("\xE2\x80\x8E\xE2\x80\x8F\xE2\x80\xAA\xE2\x80\xAD\xE2\x81\xA6\xE2\x81\xA9", "??????");
    expect("\xE2\x80\xA8\xE2\x80\xA9", "??");            /* U+2028, U+2029 */
    expect("a\xE2\x80\x8B\xEF\xBB\xBF\xC2\xAD", "a???"); /* no width */
    expect("\xF3\xA0\x81\x81", "?");                     /* a tag */
    expect("\xC3", "?");
    expect("\xE2\x80", "??");
    expect("\xED\xA0\x80", "???");
    expect("\xC0\x9B", "??");
}

/* Every code point: what comes out is UTF-8, never longer, and the same unless it is hidden. */
static void test_all(void **state)
{
    (void)state;
    size_t hidden = 0;
    for (uint32_t code = 1; code <= 0x10FFFF; code++) {
        char text[5] = "";
        if (code < 0x80) {
            text[0] = (char)code;
        } else if (code < 0x800) {
            text[0] = (char)(0xC0 | code >> 6);
            text[1] = (char)(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            text[0] = (char)(0xE0 | code >> 12);
            text[1] = (char)(0x80 | (code >> 6 & 0x3F));
            text[2] = (char)(0x80 | (code & 0x3F));
        } else {
            text[0] = (char)(0xF0 | code >> 18);
            text[1] = (char)(0x80 | (code >> 12 & 0x3F));
            text[2] = (char)(0x80 | (code >> 6 & 0x3F));
            text[3] = (char)(0x80 | (code & 0x3F));
        }
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        char cleaned[5];
        memcpy(cleaned, text, sizeof cleaned);
        ds_text_clean(cleaned);
        if (!strcmp(cleaned, text))
            continue;
        assert_string_equal(cleaned, "?");
        hidden++;
    }
    assert_true(hidden > 200 && hidden < 5000);
}

/* A line of the log is one line, whatever is in it. */
static void test_log(void **state)
{
    (void)state;
    char path[] = "/tmp/test_text.XXXXXX";
    char line[256] = "";
    int file = mkstemp(path);
    int before = dup(STDERR_FILENO);
    assert_true(file >= 0 && before >= 0);
    unlink(path);
    dup2(file, STDERR_FILENO);
    ds_log(DS_LOG_WARNING, "key a\xC2\x9B"
                           "b\xE2\x80\xAE"
                           "c\xFF\n");
    dup2(before, STDERR_FILENO);
    assert_true(pread(file, line, sizeof line - 1, 0) > 0);
    assert_string_equal(line, "datasetfs: key a?b?c??\n");
    close(before);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
