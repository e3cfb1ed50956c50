/* The list of failures: one answer, one line, in .datasetfs/errors and in the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call.h"
#include "fs/kernel/error_log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(struct fs_error_log *errors, const char *operation, const char *dataset,
                 const char *key, int error, const char *text)
{
    struct fs_error_log_about about = {.dataset = dataset, .key = key};
    fs_error_log_note(errors, operation, &about, error, text);
}

#define LONG_MS (3600 * 1000)
#define SHORT_MS 50

static int log_file; /* standard error goes there */
static int old_stderr;
static char log_text[1 << 20];

static int set_up(void **state)
{
    (void)state;
    char path[] = "/tmp/test_errors.XXXXXX";
    log_file = mkstemp(path);
    old_stderr = dup(STDERR_FILENO);
    unlink(path);
    return log_file >= 0 && dup2(log_file, STDERR_FILENO) >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dup2(old_stderr, STDERR_FILENO);
    close(old_stderr);
    return close(log_file);
}

/* How often `words` stand in the log. */
static size_t logged(const char *words)
{
    size_t count = 0;
    ssize_t len = pread(log_file, log_text, sizeof log_text - 1, 0);
    log_text[len < 0 ? 0 : len] = '\0';
    for (const char *p = log_text; (p = strstr(p, words)); p++)
        count++;
    return count;
}

static void expect_printed(struct fs_error_log *errors, const char *words, size_t lines)
{
    struct ds_buf text = {0};
    size_t count = 0;
    assert_int_equal(fs_error_log_print(errors, &text), 0);
    assert_non_null(text.data);
    for (const char *p = text.data; *p; p++)
        count += *p == '\n';
    if (!strstr(text.data, words) || count != lines)
        fail_msg("%s", text.data);
    ds_buf_free(&text);
}

static void test_repeated(void **state)
{
    (void)state;
    struct fs_error_log *errors = fs_error_log_new(LONG_MS);
    for (int i = 0; i < 72; i++)
        note(errors, "open", "app", "k", -ETIMEDOUT, "no answer");
    note(errors, "open", "app", "l", -ETIMEDOUT, "no answer");
    note(errors, "read", "app", "k", -ETIMEDOUT, "no answer");
    note(errors, "open", "app", "k", -EIO, "no answer");
    note(errors, "open", "app", "k", -ETIMEDOUT, "another reason");
    note(errors, "open", "app", "k", -ETIMEDOUT, "no answer");
    expect_printed(errors, "\topen\t/app/k\tETIMEDOUT\tno answer: … 72 more times\n", 5);
    assert_int_equal(logged("\n"), 5);
    /* At the end the log is told of what has only been counted. */
    fs_error_log_free(errors);
    assert_int_equal(logged("open /app/k: no answer (ETIMEDOUT): … 72 more times\n"), 1);
    assert_int_equal(logged("\n"), 6);
}

/* When the time is over the log is told, by the timer, and the next one is a failure of its own. */
static void test_in_time(void **state)
{
    (void)state;
    struct fs_timer *timer = NULL;
    struct fs_error_log *errors = fs_error_log_new(SHORT_MS);
    assert_int_equal(fs_timer_new(&timer), 0);
    fs_error_log_set_timer(errors, timer);
    int64_t deadline_ms = ds_call_now_ms() + 20000;
    while (!logged("more time") && ds_call_now_ms() < deadline_ms) {
        /* Only two at a time: the timer must tell, not the next failure. */
        note(errors, "write", "app", NULL, -EACCES, "refused");
        note(errors, "write", "app", NULL, -EACCES, "refused");
        poll(NULL, 0, 3 * SHORT_MS);
    }
    assert_true(logged("write /app: refused (EACCES)\n") >= 1);
    assert_true(logged("write /app: refused (EACCES): … ") >= 1);
    size_t before = logged("write /app: refused (EACCES)\n");
    note(errors, "write", "app", NULL, -EACCES, "refused");
    assert_int_equal(logged("write /app: refused (EACCES)\n"), before + 1);
    fs_error_log_set_timer(errors, NULL);
    fs_timer_free(timer);
    fs_error_log_free(errors);
}

/* Somebody who fails on ever other files cannot fill the log either. */
static void test_flood(void **state)
{
    (void)state;
    struct fs_error_log *errors = fs_error_log_new(LONG_MS);
    for (int i = 0; i < 20000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        note(errors, "create", "app", key, -EACCES, "refused");
    }
    expect_printed(errors, "/app/k19999\t", FS_ERROR_LOG_KEPT);
    assert_int_equal(logged("\n"), FS_ERROR_LOG_LOGGED);
    fs_error_log_free(errors);
    char words[64];
    snprintf(words, sizeof words, "… %d more failures", 20000 - FS_ERROR_LOG_LOGGED);
    assert_int_equal(logged(words), 1);
    assert_int_equal(logged("\n"), FS_ERROR_LOG_LOGGED + 1);
}

/* More than the list keeps, each again and again: what is pushed out is told first. */
static void test_pushed_out(void **state)
{
    (void)state;
    struct fs_error_log *errors = fs_error_log_new(LONG_MS);
    note(errors, "open", "app", "first", -EIO, "x");
    note(errors, "open", "app", "first", -EIO, "x");
    for (int i = 0; i < FS_ERROR_LOG_KEPT; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        note(errors, "open", "app", key, -EIO, "x");
    }
    assert_int_equal(logged("/app/first: x (EIO): … 1 more time"), 1);
    fs_error_log_free(errors);
}

static void test_paths(void **state)
{
    (void)state;
    struct fs_error_log *errors = fs_error_log_new(LONG_MS);
    fs_error_log_note(errors, "write", &(struct fs_error_log_about){.dataset = "app", .info = true},
                      -EINVAL, "not JSON");
    expect_printed(errors, "\twrite\t/.datasetfs/info/app\tEINVAL\tnot JSON\n", 1);
    note(errors, "open",
         "a\xC2\x9B"
         "b",
         "c\xE2\x80\xAE/\x1b", -EIO, "d\x9b\t\xE2\x80\xA8");
    expect_printed(errors, "\topen\t/a?b/c?%2F%1B\tEIO\td???\n", 2);
    fs_error_log_free(errors);
}

/* In an inventory each path begins with the machine. */
static void test_machine(void **state)
{
    (void)state;
    struct fs_error_log *errors = fs_error_log_new(FS_ERROR_LOG_REPEAT_MS);
    assert_non_null(errors);
    for (int i = 0; i < 3; i++) {
        struct fs_error_log_about about = {
            .machine = "web%2F01", .dataset = i > 0 ? "a/b" : NULL, .info = i > 1};
        fs_error_log_note(errors, "lookup", &about, -EIO, "x");
    }
    expect_printed(errors, "\tlookup\t/web%2F01\tEIO\tx\n", 3);
    expect_printed(errors, "\tlookup\t/web%2F01/a%2Fb\tEIO\tx\n", 3);
    expect_printed(errors, "\tlookup\t/web%2F01/.datasetfs/info/a%2Fb\tEIO\tx\n", 3);
    fs_error_log_free(errors);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_machine), TEST(test_repeated),   TEST(test_in_time),
        TEST(test_flood),   TEST(test_pushed_out), TEST(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
