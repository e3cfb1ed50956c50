/* What the Makefile honours, seen by what it would run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* True if `make -n arguments` would run something with this word in it. */
static bool would_run(const char *arguments, const char *word)
{
    char command[512];
    char line[8192];
    bool found = false;
    snprintf(command, sizeof command, "env -u MAKEFLAGS -u MFLAGS make -n -B %s all", arguments);
    FILE *output = popen(command, "r"); // NOLINT(cert-env33-c): a command of our own
    assert_non_null(output);
    while (fgets(line, sizeof line, output))
        found = found || strstr(line, word);
    assert_int_equal(pclose(output), 0);
    return found;
}

static void test_pkg_config(void **state)
{
    (void)state;
    assert_true(would_run("", "fuse3"));
    assert_true(would_run("PKG_CONFIG='echo -DANOTHER'", "-DANOTHER --cflags fuse3"));
    assert_true(would_run("PKG_CONFIG='echo -DANOTHER'", "-DANOTHER --libs fuse3"));
    assert_false(would_run("PKG_CONFIG='echo -DANOTHER'", "-I/usr/include/fuse3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pkg_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
