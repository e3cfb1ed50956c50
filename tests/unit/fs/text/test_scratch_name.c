/* Which names are temporary, by their look and by how tools make them. */
#include "fs/text/scratch_name.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MKSTEMP (O_RDWR | O_CREAT | O_EXCL)
#define COPY (O_WRONLY | O_CREAT | O_EXCL)
#define REDIRECT (O_WRONLY | O_CREAT | O_TRUNC)

/* The flags and modes that strace shows of Debian 12's tools. */
static void test_made(void **state)
{
    (void)state;
    assert_int_equal(fs_scratch_name_made(MKSTEMP, 0600), FS_MADE_PRIVATELY);
    assert_int_equal(fs_scratch_name_made(MKSTEMP | O_NOFOLLOW | O_CLOEXEC, S_IFREG | 0600),
                     FS_MADE_PRIVATELY);
    assert_int_equal(fs_scratch_name_made(MKSTEMP, S_IFREG), FS_MADE_PRIVATELY); /* sed 4.8 */
    assert_int_equal(fs_scratch_name_made(MKSTEMP, 0644), FS_MADE_EXCLUSIVELY);
    assert_int_equal(fs_scratch_name_made(COPY, 0600),
                     FS_MADE_EXCLUSIVELY); /* install, mv, tar, cp -p */
    assert_int_equal(fs_scratch_name_made(COPY, 0644), FS_MADE_EXCLUSIVELY);
    assert_int_equal(fs_scratch_name_made(REDIRECT, 0644), FS_MADE_OPENLY);
    assert_int_equal(fs_scratch_name_made(O_RDWR | O_CREAT, 0600), FS_MADE_OPENLY);
}

static void assert_kinds(const char *globs, const char *name, const char *kinds)
{
    for (int made = FS_MADE_OPENLY; made <= FS_MADE_BY_RENAME; made++) {
        char kind = "-cp"[fs_scratch_name_kind(globs, name, made)];

        if (kind != kinds[made])
            fail_msg("'%s' in '%s', made %d: %c, not %c", name, globs != NULL ? globs : "usual",
                     made, kind, kinds[made]);
    }
}

/* Each row: openly, exclusively, privately, by rename; c content, p probe, - a key. */
static void test_usual(void **state)
{
    static const struct {
        const char *name;
        const char *kinds;
    } rows[] = {
        {".k.swp", "--cc"},
        {".k.swo", "--cc"},
        {".k.swa", "--cc"},
        {".k.swq", "----"},
        {".k.swpx", "--cc"},
        {"k.swp", "----"},
        {".sw.swp", "--cc"},
        {"4913", "-pp-"},
        {"49130", "----"},
        {"sedAb3xYz", "--c-"},
        {"sedation", "----"}, /* five letters */
        {"sedation1", "--c-"},
        {"sedations", "--c-"},
        {"sed-12345", "----"},
        {"XXsa02Ae", "--c-"},
        {"XYsa02Ae", "----"},
        {".app.config", "--c-"},
        {".k.a1B2c3", "--c-"},
        {"..a1B2c3", "----"},
        {"k.a1B2c3", "----"},
        {".goutputstream-A1B2C3", "-cc-"},
        {".goutputstream-abcdef", "--c-"},
        {".goutputstream-abcde", "----"},
        {"tmpabc_1234", "--c-"},
        {"tmpabcdefgh", "--c-"},
        {"tmpABCDEFGH", "----"},
        {"tmpabcdefg", "----"},
        {".ansible_tmpx1y2z3k", "--c-"},
        {".ansible_tmp", "--c-"},
        {".chef-k20261124-1-abc", "--c-"},
        {"k20261124-15718-lc9nrb", "--c-"},
        {"20261124-15718-lc9nrb", "----"},
        {"k2026112-15718-lc9nrb", "----"},
        {"k20261124-15718", "----"},
        {".#k", "--cc"},
        {"#k#", "--cc"},
        {"##", "--cc"},
        {"#k", "----"},
        {"notes~", "---c"},
        {"~", "---c"},
        {".k.swp~", "---c"},
        {"k", "----"},
        {"k.bak", "----"},
        {"k.lock", "----"},
        {"\xc3\xa9~", "---c"},
        {".\xc3\xa9.a1B2c3", "--c-"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_kinds(NULL, rows[i].name, rows[i].kinds);
}

static void test_given(void **state)
{
    (void)state;
    assert_kinds("", ".k.swp", "----");
    assert_kinds("*.tmp", "k.tmp", "--cc");
    assert_kinds("*.tmp", "k~", "----");
    assert_kinds("*.tmp:*~", "k~", "---c");
    assert_kinds("*.tmp:4913", "4913", "-pp-");
    assert_kinds("491[3]", "4913", "--cc");
    assert_kinds("*", "k", "--cc");
    assert_kinds("k-XXXXX", "k-XXXXX", "--cc"); /* five stand for themselves */
    assert_kinds("k-XXXXX", "k-abcde", "----");
    assert_kinds("k-XXXXXXX", "k-abc1234", "--cc");
    assert_kinds("k-XXXXXXX", "k-abc123", "----");
    assert_kinds("YYYYYY", "ab_123", "--cc");
    assert_kinds("YYYYYY", "AB_123", "----");
    assert_kinds("a?c", "abc", "--cc");
    assert_kinds("a\\?c", "abc", "----");
    assert_kinds("a\\?c", "a?c", "--cc");
}

static void test_valid(void **state)
{
    char longest[FS_SCRATCH_GLOB_MAX_BYTES + 2];

    (void)state;
    assert_true(fs_scratch_name_globs_valid("*.tmp"));
    assert_true(fs_scratch_name_globs_valid("*.tmp:*~:a"));
    assert_false(fs_scratch_name_globs_valid(""));
    assert_false(fs_scratch_name_globs_valid(":a"));
    assert_false(fs_scratch_name_globs_valid("a:"));
    assert_false(fs_scratch_name_globs_valid("a::b"));
    memset(longest, 'X', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(fs_scratch_name_globs_valid(longest));
    longest[sizeof longest - 2] = '\0';
    assert_true(fs_scratch_name_globs_valid(longest));
    assert_int_equal(fs_scratch_name_kind(longest, longest, FS_MADE_PRIVATELY), FS_SCRATCH_CONTENT);
    longest[0] = '-';
    assert_int_equal(fs_scratch_name_kind("XXXXXX", longest, FS_MADE_PRIVATELY), FS_SCRATCH_NONE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
