/* tests/run: how it counts what programs print, as cmocka of each release does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/runner-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command); // NOLINT(cert-env33-c): the path is our own
}

/* A program that prints this and ends with that status. */
static void make_program(const char *output, int status)
{
    char path[128];

    snprintf(path, sizeof path, "%s/program", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\ncat <<'E'\n%sE\nexit %d\n", output, status);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

/* Runs it; the last line that the runner prints must be this, and `words` among the rest. */
static void expect(const char *last, const char *words)
{
    char command[256], line[512], kept[512] = "";
    bool found = words == NULL;

    snprintf(command, sizeof command, "env -u TESTS tests/run '%s' '%s/program' 2>&1", directory,
             directory);
    FILE *output = popen(command, "r"); // NOLINT(cert-env33-c)
    assert_non_null(output);
    while (fgets(line, sizeof line, output)) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(kept, sizeof kept, "%s", line);
        found = found || (words && strstr(line, words));
    }
    pclose(output);
    assert_string_equal(kept, last);
    assert_true(found);
}

/* 1.1.5 names no group, 1.1.7 does. */
static const char *const groups[] = {"", "tests: ", "rest otherwise: part: "};

#define GROUPS (sizeof groups / sizeof *groups)

static void test_passed(void **state)
{
    char text[1024];

    (void)state;
    for (size_t i = 0; i < GROUPS; i++) {
        snprintf(text, sizeof text,
                 "[==========] %sRunning 2 test(s).\n[ RUN      ] a\n[       OK ] a\n"
                 "[ RUN      ] b\n[  SKIPPED ] b\n[==========] %s2 test(s) run.\n"
                 "[  PASSED  ] 1 test(s).\n[  SKIPPED ] %s1 test(s), listed below:\n"
                 "[  SKIPPED ] b\n\n 1 SKIPPED TEST(S)\n",
                 groups[i], groups[i], groups[i]);
        make_program(text, 0);
        expect("1 passed, 0 failed, 1 skipped", NULL);
    }
}

static void test_failed(void **state)
{
    char text[1024];

    (void)state;
    for (size_t i = 0; i < GROUPS; i++) {
        snprintf(text, sizeof text,
                 "[==========] %sRunning 2 test(s).\n[ RUN      ] a\n[       OK ] a\n"
                 "[ RUN      ] b\nwhat was wrong\n[  FAILED  ] b\n[==========] %s2 test(s) run.\n"
                 "[  PASSED  ] 1 test(s).\n[  FAILED  ] %s1 test(s), listed below:\n"
                 "[  FAILED  ] b\n\n 1 FAILED TEST(S)\n",
                 groups[i], groups[i], groups[i]);
        make_program(text, 1);
        expect("1 passed, 1 failed", "what was wrong");
    }
}

/* It ended in the middle. */
static void test_crashed(void **state)
{
    char text[512];

    (void)state;
    for (size_t i = 0; i < GROUPS; i++) {
        snprintf(text, sizeof text,
                 "[==========] %sRunning 3 test(s).\n[ RUN      ] a\n[       OK ] a\n", groups[i]);
        make_program(text, 3);
        expect("1 passed, 2 failed", "ended with status 3 before its end");
    }
    make_program("", 0);
    expect("0 passed, 1 failed", "ran no test");
}

static void test_reported(void **state)
{
    (void)state;
    make_program("[==========] tests: Running 1 test(s).\n[       OK ] a\nx.c:1: runtime error: y\n"
                 "[==========] tests: 1 test(s) run.\n[  PASSED  ] 1 test(s).\n",
                 0);
    expect("1 passed, 1 failed", "sanitizer report");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_passed),
        TEST(test_failed),
        TEST(test_crashed),
        TEST(test_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
