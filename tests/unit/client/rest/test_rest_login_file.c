/* Files with a user's name and password: whose they may be, and what stands in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/login_file.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
#define GOOD "username=joe\npassword=hunter2\n"

static char directory[] = "/tmp/datasetfs-login-XXXXXX";
static char file[sizeof directory + 8];
static struct ds_call call;

static int begin(void **state)
{
    (void)state;
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    if (!mkdtemp(directory))
        return -1;
    snprintf(file, sizeof file, "%s/file", directory);
    ds_call_init(&call, 60000);
    return 0;
}

static int end(void **state)
{
    char other[sizeof file];
    (void)state;
    snprintf(other, sizeof other, "%s/other", directory);
    unlink(file);
    unlink(other);
    rmdir(file);
    return rmdir(directory);
}

static void write_file(const char *text, size_t len)
{
    unlink(file);
    int fd DS_AUTO_CLOSE = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
}

static int read_as(enum ds_login_file_kind kind, struct ds_login *login)
{
    call.text[0] = '\0';
    return ds_login_file_read(file, kind, "vc", login, &call);
}

/* Refused with these words, which name the file and no credential; the login stays. */
static void expect_refused(enum ds_login_file_kind kind, int error, const char *words)
{
    struct ds_login login;
    struct ds_login before;
    memset(&before, 'x', sizeof before);
    login = before;
    int err = read_as(kind, &login);
    if (err != error || !strstr(call.text, words) || !strstr(call.text, file) ||
        strstr(call.text, "hunter2") || strchr(call.text, '\n'))
        fail_msg("%d '%s', expected %d '%s'", err, call.text, error, words);
    assert_memory_equal(&login, &before, sizeof login);
}

static void expect_login(enum ds_login_file_kind kind, const char *username, const char *password)
{
    struct ds_login login = {0};
    int err = read_as(kind, &login);
    if (err || strcmp(login.username, username) != 0 || strcmp(login.password, password) != 0)
        fail_msg("%d '%s': '%s' '%s'", err, call.text, login.username, login.password);
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *username;
        const char *password;
    } rows[] = {
        {GOOD, "joe", "hunter2"},
        {"username=joe\npassword=hunter2", "joe", "hunter2"},
        {"password=hunter2\nusername=joe", "joe", "hunter2"},
        {"username=joe\r\npassword=hunter2\r\n", "joe", "hunter2"},
        {"username=joe\r\npassword=hunter2\r", "joe", "hunter2"},
        {"username=joe\npassword=a=b==\n", "joe", "a=b=="},
        {"username=joe\npassword==\n", "joe", "="},
        {"username=joe\npassword= a b \t\n", "joe", " a b \t"},
        {"username=joe\npassword=#x\n", "joe", "#x"},
        {"username=joe\npassword=\"x\"\n", "joe", "\"x\""},
        {"username=DOMAIN\\joe@example.com\npassword=ä€😀\n", "DOMAIN\\joe@example.com", "ä€😀"},
        {"# a comment\n\n#password=x\nusername=joe\n\r\npassword=hunter2\n\n#", "joe", "hunter2"},
        {" \n\t\nusername=joe\n  \r\npassword=hunter2\n ", "joe", "hunter2"},
        {"username=a\nusername=joe\npassword=longer\npassword=p\n", "joe", "p"},
        {"username=joe\npassword=username=x\n", "joe", "username=x"},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        write_file(rows[i].text, strlen(rows[i].text));
        expect_login(DS_LOGIN_FILE_PRIVATE, rows[i].username, rows[i].password);
        expect_login(DS_LOGIN_FILE_SYSTEMD, rows[i].username, rows[i].password);
    }
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", "no line username="},
        {"\n", "no line username="},
        {"password=hunter2\n", "no line username="},
        {"username=\npassword=hunter2\n", "no line username="},
        {"username=joe\n", "no line password="},
        {"username=joe\npassword=\n", "no line password="},
        {"username=joe\npassword=hunter2\npassword=\n", "no line password="},
        {"hunter2\n", "line 1: expected username=NAME"},
        {"username=joe\nhunter2\n", "line 2: expected"},
        {"# c\n\r\nusername=joe\n\nPassword=hunter2\n", "line 5: expected"},
        {"username=joe\npassword =hunter2\n", "line 2: expected"},
        {"username=joe\n password=hunter2\n", "line 2: expected"},
        {"username: joe\npassword: hunter2\n", "line 1: expected"},
        {"username\npassword=hunter2\n", "line 1: expected"},
        {"username=joe\rpassword=hunter2\r", "no line password="},
        {"machine vc login joe password hunter2\n", "line 1: expected"},
        {"\xef\xbb\xbfusername=hunter2\n", "line 1: expected"},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        write_file(rows[i].text, strlen(rows[i].text));
        expect_refused(DS_LOGIN_FILE_PRIVATE, -EINVAL, rows[i].words);
    }
    static const char nul[] = "username=joe\npassword=hun\0ter2\n";
    write_file(nul, sizeof nul - 1);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EINVAL, "line 2");
}

static void test_lengths(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        char text[4096];
        char name[DS_USERNAME_MAX_BYTES + 2];
        char word[DS_PASSWORD_MAX_BYTES + 2];
        memset(name, 'n', sizeof name);
        memset(word, 'w', sizeof word);
        name[DS_USERNAME_MAX_BYTES] = word[DS_PASSWORD_MAX_BYTES + more] = '\0';
        int len = snprintf(text, sizeof text, "username=%s\r\npassword=%s\r\n", name, word);
        write_file(text, (size_t)len);
        if (more)
            expect_refused(DS_LOGIN_FILE_PRIVATE, -EINVAL, "line 2");
        else
            expect_login(DS_LOGIN_FILE_PRIVATE, name, word);
    }
    char *big DS_AUTO_FREE = malloc(DS_LOGIN_FILE_MAX_BYTES + 1);
    assert_non_null(big);
    memset(big, '\n', DS_LOGIN_FILE_MAX_BYTES + 1);
    memcpy(big, GOOD, strlen(GOOD));
    write_file(big, DS_LOGIN_FILE_MAX_BYTES + 1);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EFBIG, "too large");
    expect_refused(DS_LOGIN_FILE_NETRC, -EFBIG, "too large");
    write_file(big, DS_LOGIN_FILE_MAX_BYTES - 1);
    expect_login(DS_LOGIN_FILE_PRIVATE, "joe", "hunter2");
}

static void test_modes(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool good;
        bool good_of_systemd; /* an ACL's mask looks like a group's bits */
    } rows[] = {
        {0600, true, true},   {0400, true, true},   {0700, true, true},   {0640, false, true},
        {0440, false, true},  {0660, false, true},  {0610, false, true},  {0604, false, false},
        {0602, false, false}, {0601, false, false}, {0644, false, false}, {0666, false, false},
        {0444, false, false},
    };
    write_file(GOOD, strlen(GOOD));
    for (size_t i = 0; i < LEN(rows); i++) {
        assert_int_equal(chmod(file, rows[i].mode), 0);
        if (rows[i].good)
            expect_login(DS_LOGIN_FILE_PRIVATE, "joe", "hunter2");
        else
            expect_refused(DS_LOGIN_FILE_PRIVATE, -EACCES, "others can read it: run chmod 600");
        if (rows[i].good_of_systemd)
            expect_login(DS_LOGIN_FILE_SYSTEMD, "joe", "hunter2");
        else
            expect_refused(DS_LOGIN_FILE_SYSTEMD, -EACCES, "others can read it");
        if (!rows[i].good)
            expect_refused(DS_LOGIN_FILE_NETRC, -EACCES, "others can read it");
    }
}

static void test_owners(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_file(GOOD, strlen(GOOD));
    assert_int_equal(chown(file, 12345, 0), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EACCES, "belongs to somebody else");
    expect_refused(DS_LOGIN_FILE_SYSTEMD, -EACCES, "belongs to somebody else");
    expect_refused(DS_LOGIN_FILE_NETRC, -EACCES, "belongs to somebody else");
    /* A group alone opens nothing. */
    assert_int_equal(chown(file, 0, 12345), 0);
    expect_login(DS_LOGIN_FILE_PRIVATE, "joe", "hunter2");
}

/* A user reads root's file if it is let in, and not one that it may not read. */
static void test_file_of_root(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_file(GOOD, strlen(GOOD));
    assert_int_equal(chmod(directory, 0711), 0);
    assert_int_equal(seteuid(12345), 0);
    struct ds_login login = {0};
    int unreadable = read_as(DS_LOGIN_FILE_PRIVATE, &login);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(unreadable, -EACCES);
    assert_non_null(strstr(call.text, strerror(EACCES)));
    assert_int_equal(chown(file, 0, getegid()), 0);
    assert_int_equal(chmod(file, 0440), 0);
    assert_int_equal(seteuid(12345), 0);
    int readable = read_as(DS_LOGIN_FILE_SYSTEMD, &login);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(readable, 0);
}

static void test_no_files(void **state)
{
    (void)state;
    expect_refused(DS_LOGIN_FILE_PRIVATE, -ENOENT, strerror(ENOENT));
    assert_int_equal(mkdir(file, 0700), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EINVAL, "not a regular file");
    rmdir(file);
    /* Nobody writes to it: the test would hang. */
    assert_int_equal(mkfifo(file, 0600), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EINVAL, "not a regular file");
    expect_refused(DS_LOGIN_FILE_NETRC, -EINVAL, "not a regular file");
    unlink(file);
    assert_int_equal(symlink("/dev/null", file), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EINVAL, "not a regular file");
    unlink(file);
    assert_int_equal(symlink("file", file), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -ELOOP, strerror(ELOOP));
    unlink(file);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, file, sizeof file);
    int fd DS_AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -ENXIO, strerror(ENXIO));
}

/* What counts is the file that it leads to. */
static void test_symlinks(void **state)
{
    (void)state;
    char other[sizeof file];
    snprintf(other, sizeof other, "%s/other", directory);
    write_file(GOOD, strlen(GOOD));
    assert_int_equal(rename(file, other), 0);
    assert_int_equal(symlink("other", file), 0);
    expect_login(DS_LOGIN_FILE_PRIVATE, "joe", "hunter2");
    assert_int_equal(chmod(other, 0644), 0);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -EACCES, "others can read it");
    unlink(other);
    expect_refused(DS_LOGIN_FILE_PRIVATE, -ENOENT, strerror(ENOENT));
}

/* Puts one file after the other in the place of ours, until it is told to stop. */
static void *exchange(void *stop)
{
    static const struct {
        const char *text;
        mode_t mode;
    } files[] = {{GOOD, 0600}, {"username=joe\npassword=others\n", 0644}};
    char other[sizeof file];
    snprintf(other, sizeof other, "%s/other", directory);
    for (size_t i = 0; !atomic_load((atomic_bool *)stop); i++) {
        int fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, files[i % 2].mode);
        bool written = fd >= 0 && write(fd, files[i % 2].text, strlen(files[i % 2].text)) > 0;
        if (fd >= 0)
            close(fd);
        if (!written || rename(other, file) != 0)
            return stop; /* anything but NULL */
    }
    return NULL;
}

/* What is looked at is what is read, whoever replaces the file in between. */
static void test_exchanged(void **state)
{
    (void)state;
    atomic_bool stop = false;
    pthread_t thread;
    void *failed;
    unsigned refused = 0, taken = 0;
    write_file(GOOD, strlen(GOOD));
    assert_int_equal(pthread_create(&thread, NULL, exchange, &stop), 0);
    for (long i = 0; i < 1000000 && (i < 2000 || !refused || !taken); i++) {
        struct ds_login login = {0};
        int err = read_as(DS_LOGIN_FILE_PRIVATE, &login);
        if (err)
            refused++;
        else
            taken++;
        if (err ? err != -EACCES || *login.password : strcmp(login.password, "hunter2") != 0)
            fail_msg("%d '%s': '%s'", err, call.text, login.password);
    }
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    assert_true(refused && taken);
}

static void test_netrc(void **state)
{
    (void)state;
    static const char good[] = "# mine\nmachine vc login joe password hunter2\n";
    static const char other[] = "machine other login joe password hunter2\n";
    static const char wrong[] = "machine vc\nlogin joe password \"hunter2\n";
    write_file(good, strlen(good));
    expect_login(DS_LOGIN_FILE_NETRC, "joe", "hunter2");
    write_file(other, strlen(other));
    expect_refused(DS_LOGIN_FILE_NETRC, -ENODATA, "no login and password for vc");
    write_file(wrong, strlen(wrong));
    expect_refused(DS_LOGIN_FILE_NETRC, -EINVAL, "line 2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_lines),     TEST(test_wrong_lines),  TEST(test_lengths),  TEST(test_modes),
        TEST(test_owners),    TEST(test_file_of_root), TEST(test_no_files), TEST(test_symlinks),
        TEST(test_exchanged), TEST(test_netrc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
