/* Running a program in the place of vmtoolsd: answers, failures, and that it never outlives us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tools/vmtoolsd.h"

#include "cleanup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

struct test {
    char directory[64];
    char program[96];
    char pid_file[96];
    struct ds_transport *transport;
    struct ds_call call;
    struct ds_answer answer;
};

/* The program is a shell script; $P is a file for its process id. */
static struct test *begin(void **state, const char *script)
{
    struct test *test = *state;
    FILE *file = fopen(test->program, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nP=%s\n%s\n", test->pid_file, script);
    fclose(file);
    assert_int_equal(chmod(test->program, 0700), 0);
    ds_call_init(&test->call, 60000);
    ds_buf_free(&test->answer.bytes);
    return test;
}

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof *test);
    strcpy(test->directory, "/tmp/datasetfs-test-XXXXXX");
    assert_non_null(mkdtemp(test->directory));
    snprintf(test->program, sizeof test->program, "%s/program", test->directory);
    snprintf(test->pid_file, sizeof test->pid_file, "%s/pid", test->directory);
    *state = test;
    return ds_vmtoolsd_new(test->program, 1, &test->transport);
}

static int tear_down(void **state)
{
    struct test *test = *state;
    test->transport->free(test->transport);
    ds_buf_free(&test->answer.bytes);
    unlink(test->program);
    unlink(test->pid_file);
    rmdir(test->directory);
    free(test);
    return 0;
}

static int ask(struct test *test, enum ds_exchange mode, const char *text)
{
    return test->transport->exchange(test->transport, &test->call, mode, text, strlen(text),
                                     &test->answer);
}

static void expect_answer(struct test *test, const char *text, bool success, const char *expected)
{
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, text), 0);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_ANSWERED);
    assert_int_equal(test->answer.success, success);
    assert_int_equal(test->answer.len, strlen(expected));
    assert_memory_equal(test->answer.text, expected, strlen(expected));
}

static void test_answers(void **state)
{
    expect_answer(begin(state, "[ \"$1\" = --cmdfile ] && cat \"$2\""), "command {\"ä\"}\n\"", true,
                  "command {\"ä\"}\n\"");
    expect_answer(begin(state, "echo out; echo err >&2"), "x", true, "out");
    expect_answer(begin(state, "echo out; echo 'Permission denied' >&2; exit 1"), "x", false,
                  "Permission denied");
    expect_answer(begin(state, "echo $# $LC_ALL; cat"), "secret", true, "2 C.UTF-8");
    /* No more descriptors than it needs. */
    expect_answer(begin(state, "for f in 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && echo $f; "
                               "done; true"),
                  "x", true, "");
}

static void test_long_answer(void **state)
{
    struct test *test = begin(state, "head -c 2000000 /dev/zero | tr '\\0' x");
    assert_int_equal(ask(test, DS_EXCHANGE_READ, "x"), 0);
    assert_int_equal(test->answer.len, 2000000);
    begin(state, "cat /dev/zero");
    assert_int_equal(ask(test, DS_EXCHANGE_READ, "x"), -EPROTO);
    /* Of its complaints only the beginning is read, and all are taken. */
    begin(state, "echo no; head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1");
    assert_int_equal(ask(test, DS_EXCHANGE_READ, "x"), 0);
    assert_int_equal(test->answer.len, 4096);
}

static void test_failures(void **state)
{
    struct test *test = begin(state, "kill -9 $$");
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, "x"), -EIO);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_MAYBE);
    begin(state, "exit 3");
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, "x"), -EIO);
    begin(state, "echo 'Error: it must be run inside a virtual machine on' >&2; exit 1");
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, "x"), -EHOSTUNREACH);
    begin(state, "exit 1");
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, "x"), -EHOSTUNREACH);
}

static void test_no_program(void **state)
{
    struct test *test = *state;
    /* There vfork() is fork(), and posix_spawn() learns nothing of the child's failure. */
    if (getenv("DATASETFS_TEST_MEMCHECK"))
        skip();
    ds_call_init(&test->call, 60000);
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, "x"), -EHOSTUNREACH);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_NO);
    assert_non_null(strstr(test->call.text, "cannot run"));
}

/* Waits until the script has told its process id. */
static pid_t pid_of(const struct test *test)
{
    for (;;) {
        char digits[32] = "";
        FILE *file = fopen(test->pid_file, "r");
        bool whole = file && fgets(digits, sizeof digits, file) && strchr(digits, '\n');
        if (file)
            fclose(file);
        if (whole)
            return (pid_t)strtol(digits, NULL, 10);
        poll(NULL, 0, 1);
    }
}

static const char hangs[] = "echo $$ >$P.new; mv $P.new $P; exec sleep 100";

static void test_hangs(void **state)
{
    struct test *test = begin(state, hangs);
    ds_call_init(&test->call, 500);
    assert_int_equal(ask(test, DS_EXCHANGE_CHANGE, "x"), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&test->call), DS_SENT_MAYBE);
    assert_int_equal(kill(pid_of(test), 0), -1);
    /* One that closes its output hangs as well. */
    begin(state, "exec >&- 2>&-; sleep 100");
    ds_call_init(&test->call, 100);
    assert_int_equal(ask(test, DS_EXCHANGE_READ, "x"), -ETIMEDOUT);
}

static void *cancel_when_it_runs(void *argument)
{
    struct test *test = argument;
    pid_of(test);
    ds_call_cancel(&test->call);
    return NULL;
}

static void test_cancel(void **state)
{
    struct test *test = begin(state, hangs);
    int fd DS_AUTO_CLOSE = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_t thread;
    ds_call_set_cancel_fd(&test->call, fd);
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_it_runs, test), 0);
    assert_int_equal(ask(test, DS_EXCHANGE_READ, "x"), -EINTR);
    pthread_join(thread, NULL);
    assert_int_equal(kill(pid_of(test), 0), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),    TEST(test_long_answer), TEST(test_failures),
        TEST(test_no_program), TEST(test_hangs),       TEST(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
