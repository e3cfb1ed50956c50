/* Who may do what: READ_ONLY and NONE refuse root too, on either side; a change by the peer takes
 * effect. */
#include "harness.h"

#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* DataSets "rw", "ro" and "none" as `side` sees them, each with the key k = "v". */
static void make_datasets(enum ds_side side)
{
    static const struct {
        const char *name;
        enum ds_access access;
    } datasets[] = {
        {"rw", DS_ACCESS_READ_WRITE}, {"ro", DS_ACCESS_READ_ONLY}, {"none", DS_ACCESS_NONE}};
    for (size_t i = 0; i < 3; i++) {
        enum ds_access host = side == DS_SIDE_HOST ? datasets[i].access : DS_ACCESS_READ_WRITE;
        enum ds_access guest = side == DS_SIDE_GUEST ? datasets[i].access : DS_ACCESS_READ_WRITE;
        peer_create(datasets[i].name, host, guest);
        peer_set(datasets[i].name, "k", "v");
    }
}

/* With default_permissions the kernel answers access(2) itself, and always with yes for root. */
static void assert_conditions(const char *shell)
{
    assert_sh_ok(shell, "", "test -r m/ro/k && ! test -w m/ro/k && ! test -x m/ro/k");
    assert_sh_ok(shell, "", "test -r m/ro && ! test -w m/ro && test -x m/ro");
    assert_sh_ok(shell, "", "! test -r m/none && ! test -w m/none && ! test -r m/none/k");
    assert_sh_ok(shell, "", "test -w m/rw/k && test -w m/rw");
}

static void assert_read_only(const char *shell)
{
    assert_sh_ok(shell, "v", "cat m/ro/k");
    assert_sh_ok(shell, "k\n", "ls m/ro");
    assert_sh_fails(shell, "ermission denied", "echo x > m/ro/k");
    assert_sh_fails(shell, "ermission denied", "echo x >> m/ro/k");
    assert_sh_fails(shell, "ermission denied", ": > m/ro/k");
    assert_sh_fails(shell, "ermission denied", "echo x > m/ro/new");
    assert_sh_fails(shell, "Permission denied", "rm m/ro/k");
    assert_sh_fails(shell, "Permission denied", "mv m/ro/k m/ro/j");
    assert_sh_fails(shell, "Permission denied", "mv m/ro/k m/rw/j");
    assert_sh_fails(shell, "Permission denied", "mv m/rw/k m/ro/j");
    assert_sh_fails(shell, "Permission denied", "mv m/rw/k m/ro/k");
    assert_sh_fails(shell, "Permission denied", "truncate -s 0 m/ro/k");
    assert_sh_fails(shell, "Permission denied", "touch m/ro/new");
    assert_sh_ok(shell, "-r-------- dr-x------\n",
                 "echo $(stat -c %%A m/ro/k) $(stat -c %%A m/ro)");
    assert_store("ro", "k", "v");
    assert_store("rw", "k", "v");
    assert_int_equal(peer_keys("ro"), 1);
}

static void assert_none(const char *shell)
{
    assert_sh_fails(shell, "Permission denied", "ls m/none");
    assert_sh_fails(shell, "Permission denied", "cat m/none/k");
    assert_sh_fails(shell, "ermission denied", "read v < m/none/k");
    assert_sh_fails(shell, "ermission denied", "echo x > m/none/k");
    assert_sh_fails(shell, "ermission denied", "echo x > m/none/new");
    assert_sh_fails(shell, "Permission denied", "rm m/none/k");
    assert_sh_fails(shell, "Permission denied", "mv m/none/k m/rw/j");
    assert_sh_ok(shell, "d---------\n", "stat -c %%A m/none");
    assert_sh_ok(shell, "none\nro\nrw\n", "ls m");
    assert_store("none", "k", "v");
    assert_int_equal(peer_keys("none"), 1);
}

static void assert_read_write(const char *shell)
{
    assert_sh_ok(shell, "x\n", "echo x > m/rw/k && cat m/rw/k");
    assert_sh_ok(shell, "", "rm m/rw/k");
    assert_int_equal(peer_keys("rw"), 0);
}

static void test_host(void **state)
{
    make_datasets(DS_SIDE_HOST);
    harness_start("m", NULL);
    assert_conditions(*state);
    assert_read_only(*state);
    assert_none(*state);
    assert_read_write(*state);
}

static void test_guest(void **state)
{
    make_datasets(DS_SIDE_GUEST);
    harness_start("m", "side=guest");
    assert_conditions(*state);
    assert_read_only(*state);
    assert_none(*state);
    assert_read_write(*state);
    assert_sh_fails(*state, "Operation not permitted", "mkdir m/new");
    assert_sh_fails(*state, "Operation not permitted", "rmdir m/rw");
    struct ds_attributes attributes = {0};
    assert_false(peer_query("new", &attributes));
    assert_true(peer_query("rw", &attributes));
    ds_attributes_clear(&attributes);
}

/* Each refusal is reported with the file that it was about, in the same words everywhere. */
static void test_refusals_are_reported(void **state)
{
    static const char *const lines[] = {
        "open\t/ro/k\tEACCES\tthe DataSet is READ_ONLY for the guest",
        "create\t/ro/new\tEACCES\tthe DataSet is READ_ONLY for the guest",
        "unlink\t/ro/k\tEACCES\tthe DataSet is READ_ONLY for the guest",
        "rename\t/ro/j\tEACCES\tthe DataSet is READ_ONLY for the guest",
        "lookup\t/none/k\tEACCES\tthe DataSet is NONE for the guest",
        "opendir\t/none\tEACCES\tthe DataSet is NONE for the guest"};
    make_datasets(DS_SIDE_GUEST);
    harness_start("m", "side=guest");
    assert_sh_fails(*state, "ermission denied", "echo x > m/ro/k");
    assert_sh_fails(*state, "ermission denied", "echo x > m/ro/new");
    assert_sh_fails(*state, "ermission denied", "rm m/ro/k");
    assert_sh_fails(*state, "ermission denied", "mv m/rw/k m/ro/j");
    assert_sh_fails(*state, "ermission denied", "cat m/none/k");
    assert_sh_fails(*state, "ermission denied", "ls m/none");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_sh_ok(*state, "",
                     "cut -f 2- m/.datasetfs/errors | sed 's,\t%s/,\t/,' | grep -qxF '%s'",
                     harness_errors_prefix(), lines[i]);
}

/* Neither side's access is the other's. */
static void test_sides_differ(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    harness_start("h", NULL);
    harness_start("g", "side=guest");
    assert_sh_ok(*state, "x\n", "echo x > h/app/k && cat g/app/k");
    assert_sh_fails(*state, "ermission denied", "echo y > g/app/k");
    assert_sh_ok(*state, "x\n", "cat h/app/k");
}

static void test_calls_read_only(void **state)
{
    (void)state;
    make_datasets(DS_SIDE_HOST);
    harness_start("m", NULL);
    assert_errno(open("m/ro/k", O_WRONLY), EACCES);
    assert_errno(open("m/ro/k", O_RDWR), EACCES);
    assert_errno(open("m/ro/k", O_RDONLY | O_TRUNC), EACCES);
    assert_errno(open("m/ro/new", O_WRONLY | O_CREAT, 0600), EACCES);
    assert_errno(unlink("m/ro/k"), EACCES);
    assert_errno(truncate("m/ro/k", 0), EACCES);
    assert_errno(rename("m/ro/k", "m/ro/j"), EACCES);
    assert_errno(access("m/ro/k", W_OK), EACCES);
    assert_errno(access("m/ro/k", X_OK), EACCES);
    assert_int_equal(access("m/ro/k", R_OK), 0);
    assert_int_equal(chmod("m/ro/k", 0600), 0);
    assert_int_equal(harness_mode("m/ro/k"), 0400);
    assert_errno(open("m/ro/k", O_WRONLY), EACCES);
    assert_errno(open("m/none/k", O_RDONLY), EACCES);
    assert_errno(open("m/none", O_RDONLY | O_DIRECTORY), EACCES);
    assert_errno(access("m/none", R_OK), EACCES);
    assert_int_equal(access("m/none", F_OK), 0);
    assert_store("ro", "k", "v");
}

static void test_read_only_mount(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    harness_start("r", "ro");
    assert_sh_ok(*state, "v", "cat r/app/k");
    assert_sh_fails(*state, "Read-only file system", "echo x > r/app/k");
    assert_sh_fails(*state, "Read-only file system", "echo x > r/app/new");
    assert_sh_fails(*state, "Read-only file system", "rm r/app/k");
    assert_sh_fails(*state, "Read-only file system", "mv r/app/k r/app/j");
    assert_sh_fails(*state, "Read-only file system", "mkdir r/new");
    assert_sh_fails(*state, "Read-only file system", "rmdir r/app");
    assert_errno(access("r/app/k", W_OK), EROFS);
    assert_sh_ok(*state, "w\n", "echo w > m/app/k && cat r/app/k");
}

/* Permission may come from the cached record, but the store's own refusal is heard. */
static void test_access_taken_away(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo a > m/app/k");
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    /* Here it is write(2) that is refused; dash's echo calls each of its errors "I/O error". */
    assert_sh_fails(*state, "", "echo b > m/app/k");
    assert_sh_fails(*state, "Permission denied", "env printf b > m/app/k");
    assert_store("app", "k", "a\n");
    assert_errno(open("m/app/k", O_WRONLY), EACCES);
    assert_sh_fails(*state, "Permission denied", "rm m/app/k");
    assert_soon(harness_mode("m/app/k") == 0400);
    assert_soon(harness_mode("m/app") == 0500);
    assert_sh_ok(*state, "a\n", "cat m/app/k");
    peer_access("app", DS_ACCESS_NONE, DS_ACCESS_UNKNOWN);
    assert_sh_fails(*state, "Permission denied", "cat m/app/k");
    assert_sh_fails(*state, "Permission denied", "ls m/app");
    assert_store("app", "k", "a\n");
}

/* A refusal on a record of over a second's age asks the store first: well before its 60 s. */
static void test_access_given(void **state)
{
    peer_create("app", DS_ACCESS_NONE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    harness_start("m", NULL);
    assert_sh_fails(*state, "Permission denied", "cat m/app/k");
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_soon(shell_run(*state, "cat m/app/k")->status == 0);
    assert_sh_fails(*state, "ermission denied", "echo x > m/app/k");
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_UNKNOWN);
    assert_soon(shell_run(*state, "echo x > m/app/k")->status == 0);
    assert_store("app", "k", "x\n");
    assert_soon(harness_mode("m/app/k") == 0600);
    assert_soon(harness_mode("m/app") == 0700);
}

static void test_access_changes_under_open_handles(void **state)
{
    (void)state;
    harness_start_app(NULL);
    int fd = harness_open("m/app/k", O_RDWR | O_CREAT);
    assert_int_equal(write(fd, "a", 1), 1);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_errno(write(fd, "b", 1), EACCES);
    assert_store("app", "k", "a");
    assert_errno(open("m/app/k", O_WRONLY), EACCES);
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_UNKNOWN);
    int again = -1;
    assert_soon((again = open("m/app/k", O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0);
    assert_int_equal(write(again, "c", 1), 1);
    assert_store("app", "k", "ac");
    close(again);
    close(fd);
    assert_store("app", "k", "ac");

    /* A truncation that waits is refused by whoever commits it and then forgotten, at once. */
    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_errno(fsync(fd), EACCES);
    assert_content("m/app/k", "ac");
    assert_errno(close(fd), EACCES);
    assert_store("app", "k", "ac");
    assert_content("m/app/k", "ac");

    fd = harness_open("m/app/k", O_RDONLY);
    peer_access("app", DS_ACCESS_NONE, DS_ACCESS_UNKNOWN);
    assert_errno(open("m/app/k", O_RDONLY), EACCES);
    close(fd);
}

/* A reader makes what waits go to the store: its refusal is not the reader's, who sees what the
 * store keeps, but that of whoever truncated or created. It is tried again for them. */
static void test_readers_of_a_refused_truncation(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    int old = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    int new = harness_open("m/app/new", O_WRONLY | O_CREAT);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_content("m/app/k", "old");
    assert_errno(open("m/app/new", O_RDONLY), ENOENT);
    assert_errno(close(dup(old)), EACCES);
    assert_content("m/app/k", "old");
    peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_UNKNOWN);
    assert_int_equal(write(new, "x", 1), 1);
    assert_int_equal(close(new), 0);
    assert_int_equal(close(old), 0);
    assert_store("app", "k", "");
    assert_content("m/app/k", "");
    assert_store("app", "new", "x");
}

/* default_permissions does not replace the refusal of root. */
static void test_allow_other_refuses_root(void **state)
{
    make_datasets(DS_SIDE_HOST);
    harness_start("m", "allow_other");
    assert_read_only(*state);
    assert_none(*state);
    assert_read_write(*state);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_host),
    HARNESS_SHELLS(test_guest),
    HARNESS_SHELLS(test_sides_differ),
    HARNESS_TEST(test_calls_read_only),
    HARNESS_SHELLS(test_refusals_are_reported),
    HARNESS_SHELLS(test_read_only_mount),
    HARNESS_SHELLS(test_access_taken_away),
    HARNESS_SHELLS(test_access_given),
    HARNESS_TEST(test_access_changes_under_open_handles),
    HARNESS_TEST(test_readers_of_a_refused_truncation),
    HARNESS_SHELLS(test_allow_other_refuses_root),
};

HARNESS_MAIN(tests)
