/* Where a user's name and password come from, in which order, and what stays of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/credentials.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
#define LINES(name) "username=" name "\npassword=secret-" name "\n"

static const char *const variables[] = {
    "HOME",          "CREDENTIALS_DIRECTORY", "DATASETFS_USERNAME", "DATASETFS_PASSWORD",
    "GOVC_USERNAME", "GOVC_PASSWORD",         "GOVC_URL",
};

static char directory[] = "/tmp/datasetfs-credentials-XXXXXX";
static char *begun_in; /* working directory */
static struct ds_call call;
static struct ds_login login;
static struct ds_credentials *credentials;

static int begin(void **state)
{
    (void)state;
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    begun_in = getcwd(NULL, 0);
    if (!begun_in || !mkdtemp(directory) || chdir(directory) != 0)
        return -1;
    for (size_t i = 0; i < LEN(variables); i++)
        unsetenv(variables[i]);
    memset(&login, 0, sizeof login);
    ds_call_init(&call, 60000);
    credentials = NULL;
    return setenv("HOME", directory, 1);
}

static int end(void **state)
{
    static const char *const files[] = {"file", "link",   "system/datasetfs",
                                        "new",  ".netrc", "system"};
    (void)state;
    ds_credentials_free(credentials);
    int err = chdir(directory);
    for (size_t i = 0; i < LEN(files); i++)
        if (unlink(files[i]) != 0)
            rmdir(files[i]);
    err = err || chdir(begun_in) || rmdir(directory);
    free(begun_in);
    return err;
}

static void put_file(const char *name, const char *text, mode_t mode)
{
    unlink(name);
    int fd DS_AUTO_CLOSE = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void put_netrc(const char *machine)
{
    char text[128];
    snprintf(text, sizeof text, "machine %s login netrc password secret-netrc\n", machine);
    put_file(".netrc", text, 0600);
}

static void put_system_file(const char *text)
{
    assert_int_equal(mkdir("system", 0700), 0);
    put_file("system/datasetfs", text, 0600);
    char path[sizeof directory + 16];
    snprintf(path, sizeof path, "%s/system", directory);
    setenv("CREDENTIALS_DIRECTORY", path, 1);
}

static void set_variables(const char *prefix, const char *username, const char *password)
{
    char name[64];
    snprintf(name, sizeof name, "%s_USERNAME", prefix);
    if (username)
        setenv(name, username, 1);
    snprintf(name, sizeof name, "%s_PASSWORD", prefix);
    if (password)
        setenv(name, password, 1);
}

/* Each reading takes all variables away. */
static void set_all_variables(void)
{
    setenv("GOVC_URL", "vc", 1);
    set_variables("GOVC", "govc", "secret-govc");
    set_variables("DATASETFS", "own", "secret-own");
}

static int find(const char *file)
{
    ds_credentials_free(credentials);
    credentials = NULL;
    call.text[0] = '\0';
    return ds_credentials_new(file, "vc", &login, &call, &credentials);
}

/* `name`, whose password is "secret-" and the name; and where from. */
static void expect_found(const char *file, const char *name, const char *origin)
{
    char password[64];
    snprintf(password, sizeof password, "secret-%s", name);
    int err = find(file);
    if (err || strcmp(login.username, name) != 0 || strcmp(login.password, password) != 0)
        fail_msg("%d '%s': '%s' '%s', not %s", err, call.text, login.username, login.password,
                 name);
    if (!strstr(ds_credentials_origin(credentials), origin))
        fail_msg("from %s, not %s", ds_credentials_origin(credentials), origin);
}

static void expect_failure(const char *file, int error, const char *words)
{
    int err = find(file);
    if (err != error || credentials || !strstr(call.text, words) || strstr(call.text, "secret") ||
        strchr(call.text, '\n'))
        fail_msg("%d '%s', expected %d '%s'", err, call.text, error, words);
}

/* All sources at once; each is taken away after it was found. */
static void test_order(void **state)
{
    (void)state;
    put_file("file", LINES("file"), 0600);
    put_system_file(LINES("systemd"));
    put_netrc("vc");
    set_all_variables();
    expect_found("file", "file", directory);

    set_all_variables();
    expect_found(NULL, "systemd", "system/datasetfs");
    unlink("system/datasetfs");

    set_all_variables();
    expect_found(NULL, "own", "$DATASETFS_USERNAME");

    setenv("GOVC_URL", "vc", 1);
    set_variables("GOVC", "govc", "secret-govc");
    expect_found(NULL, "govc", "$GOVC_USERNAME");

    if (geteuid() == 0 && access("/etc/datasetfs/credentials", F_OK) == 0)
        skip();
    expect_found(NULL, "netrc", "/.netrc");
    unlink(".netrc");
    expect_failure(NULL, -EACCES, "no credentials for vc: use -o credentials=FILE");
}

/* The folder of the test's directory that files may be read in, by who is confined; NULL: none. */
static void expect_prepared(const char *file, const char *folder)
{
    struct ds_confine confine = {0};
    char path[PATH_MAX];
    assert_int_equal(ds_credentials_prepare(file, &confine), 0);
    assert_int_equal(confine.count, folder != NULL);
    snprintf(path, sizeof path, "%s%s", directory, folder ? folder : "");
    if (folder)
        assert_string_equal(confine.places[0].path, path);
    assert_true(!folder || !confine.places[0].change);
    ds_confine_clear(&confine);
}

/* It may read what it is going to find, and nothing else. */
static void test_prepare(void **state)
{
    (void)state;
    put_system_file(LINES("systemd"));
    put_netrc("vc");
    expect_prepared("system/datasetfs", "/system");
    expect_prepared(NULL, "/system");
    unlink("system/datasetfs");
    if (geteuid() == 0 && access("/etc/datasetfs/credentials", F_OK) == 0)
        skip();
    expect_prepared(NULL, "");
    unsetenv("CREDENTIALS_DIRECTORY");
    expect_prepared(NULL, "");
    unlink(".netrc");
    expect_prepared(NULL, NULL);
}

/* A source that is there but wrong is named, not passed over. */
static void test_wrong_source(void **state)
{
    (void)state;
    put_netrc("vc");
    expect_failure("missing", -ENOENT, "missing: No such file");
    expect_failure(directory, -EINVAL, "not a regular file");
    put_file("file", "password=secret\n", 0600);
    expect_failure("file", -EINVAL, "no line username=");
    put_file("file", LINES("file"), 0644);
    expect_failure("file", -EACCES, "others can read it");
    put_file("file", "username=a:b\npassword=secret\n", 0600);
    expect_failure("file", -EINVAL, "a user name with ':'");

    put_system_file("secret\n");
    expect_failure(NULL, -EINVAL, "system/datasetfs, line 1");
    unlink("system/datasetfs");

    set_variables("DATASETFS", NULL, "secret");
    expect_failure(NULL, -EINVAL, "$DATASETFS_USERNAME is empty or not set");
    set_variables("DATASETFS", "joe", NULL);
    expect_failure(NULL, -EINVAL, "$DATASETFS_PASSWORD is empty or not set");
    set_variables("DATASETFS", "joe", "");
    expect_failure(NULL, -EINVAL, "$DATASETFS_PASSWORD is empty or not set");
    set_variables("DATASETFS", "a:b", "secret");
    expect_failure(NULL, -EINVAL, "$DATASETFS_USERNAME: a user name with ':'");
    setenv("GOVC_URL", "vc", 1);
    set_variables("GOVC", NULL, "secret");
    expect_failure(NULL, -EINVAL, "$GOVC_USERNAME is empty or not set");
}

static void test_wrong_netrc(void **state)
{
    (void)state;
    if (geteuid() == 0 && access("/etc/datasetfs/credentials", F_OK) == 0)
        skip();
    put_netrc("other");
    expect_failure(NULL, -EACCES, "no credentials for vc");
    put_netrc("vc");
    assert_int_equal(chmod(".netrc", 0644), 0);
    expect_failure(NULL, -EACCES, ".netrc: others can read it");
    put_file(".netrc", "machine vc login joe password \"secret\n", 0600);
    expect_failure(NULL, -EINVAL, ".netrc, line 1");
    setenv("HOME", "/nonexistent", 1);
    expect_failure(NULL, -EACCES, "no credentials for vc");
}

static void test_long_variables(void **state)
{
    (void)state;
    char text[DS_PASSWORD_MAX_BYTES + 2];
    memset(text, 's', sizeof text);
    text[sizeof text - 1] = '\0';
    set_variables("DATASETFS", "joe", text);
    expect_failure(NULL, -EINVAL, "$DATASETFS_PASSWORD is longer than 1024 bytes");
    text[sizeof text - 2] = '\0';
    set_variables("DATASETFS", "joe", text);
    assert_int_equal(find(NULL), 0);
    assert_string_equal(login.password, text);
}

static void test_govc_url(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool ours;
    } rows[] = {
        {"vc", true},
        {"VC", true},
        {"vc:8989", true},
        {"vc/sdk", true},
        {"vc?x", true},
        {"joe@vc", true},
        {"joe:p@vc", true},
        {"joe:p@ss@vc:443/sdk", true},
        {"https://vc", true},
        {"HTTPS://Vc:443/sdk", true},
        {"https://joe:p@vc:443/sdk", true},
        {"https://joe@example.com@vc/", true},
        {"", false},
        {"vc2", false},
        {"xvc", false},
        {"vc.example.com", false},
        {"vc@other", false},
        {"https://vc@other/", false},
        {"https://vc:p@other/", false},
        {"https://other/vc", false},
        {"https://other/@vc", false},
        {"https://other?@vc", false},
        {"https://other#@vc", false},
        {"other/x?y=z://vc", false},
        {"other?y=https://vc/", false},
        {"other#://vc", false},
        {"joe:x://vc@other", false},
        {"https://", false},
        {"https:///vc", false},
        {"[vc", false},
        {"[::1]:443", false},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        setenv("GOVC_URL", rows[i].url, 1);
        set_variables("GOVC", "govc", "secret-govc");
        set_variables("DATASETFS", NULL, NULL);
        put_netrc("vc");
        int err = find(NULL);
        if (err || strcmp(login.username, rows[i].ours ? "govc" : "netrc") != 0)
            fail_msg("%s: %d, %s", rows[i].url, err, login.username);
    }
    static const char *const addresses[] = {"[::1]", "https://[::1]:443/sdk", "joe@[::1]:1"};
    for (size_t i = 0; i < LEN(addresses); i++) {
        setenv("GOVC_URL", addresses[i], 1);
        set_variables("GOVC", "govc", "secret-govc");
        ds_credentials_free(credentials);
        credentials = NULL;
        assert_int_equal(ds_credentials_new(NULL, "::1", &login, &call, &credentials), 0);
        assert_string_equal(ds_credentials_origin(credentials), "$GOVC_USERNAME");
    }
    unsetenv("GOVC_URL");
    set_variables("GOVC", "govc", "secret-govc");
    assert_int_equal(find(NULL), 0);
    assert_string_equal(login.username, "netrc");
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i])
            return false;
    return true;
}

/* The memory that /proc/PID/environ shows is what the process began with. */
static void expect_wiped(const char *file)
{
    static char name[] = "DATASETFS_USERNAME=joe";
    static char word[] = "DATASETFS_PASSWORD=secret-joe";
    static char again[] = "DATASETFS_PASSWORD=secret-too";
    static char other[] = "GOVC_PASSWORD=secret-govc";
    static char longer[] = "DATASETFS_PASSWORD_FILE=/f";
    char home[64];
    snprintf(home, sizeof home, "HOME=%s", directory);
    strcpy(name, "DATASETFS_USERNAME=joe");
    strcpy(word, "DATASETFS_PASSWORD=secret-joe");
    strcpy(again, "DATASETFS_PASSWORD=secret-too");
    strcpy(other, "GOVC_PASSWORD=secret-govc");
    char *own[] = {home, name, word, again, other, longer, NULL};
    char **before = environ;
    environ = own;
    int err = find(file);
    const char *left = getenv("DATASETFS_PASSWORD");
    const char *file_left = getenv("DATASETFS_PASSWORD_FILE");
    const char *govc_left = getenv("GOVC_PASSWORD");
    environ = before;
    assert_int_equal(err, 0);
    assert_string_equal(login.password, file ? "secret-file" : "secret-joe");
    assert_null(left);
    assert_null(govc_left);
    assert_string_equal(file_left, "/f");
    size_t begin = strlen("DATASETFS_PASSWORD=");
    assert_true(is_blank(word + begin, sizeof word - begin));
    assert_true(is_blank(again + begin, sizeof again - begin));
    assert_true(is_blank(name + begin, sizeof name - begin));
    begin = strlen("GOVC_PASSWORD=");
    assert_true(is_blank(other + begin, sizeof other - begin));
}

static void test_environment_is_wiped(void **state)
{
    (void)state;
    expect_wiped(NULL);
    put_file("file", LINES("file"), 0600);
    expect_wiped("file");
}

static void expect_refreshed(int error, const char *name)
{
    call.text[0] = '\0';
    int err = ds_credentials_refresh(credentials, &login, &call);
    if (err != error || strcmp(login.username, name) != 0 || strstr(call.text, "secret"))
        fail_msg("%d '%s': '%s', not '%s'", err, call.text, login.username, name);
    assert_true(!err || call.text[0]);
}

static void test_refresh(void **state)
{
    (void)state;
    put_file("file", LINES("one"), 0600);
    expect_found("file", "one", "/file");
    expect_refreshed(0, "one");
    /* The daemon has another working directory. */
    assert_int_equal(chdir("/"), 0);
    expect_refreshed(0, "one");
    assert_int_equal(chdir(directory), 0);
    put_file("file", LINES("two"), 0600);
    expect_refreshed(0, "two");
    assert_string_equal(login.password, "secret-two");
    /* There, but not to be used: the old ones stay. */
    put_file("file", LINES("three"), 0644);
    expect_refreshed(-EACCES, "two");
    put_file("file", "username=three\nsecret\n", 0600);
    expect_refreshed(-EINVAL, "two");
    put_file("file", "username=th:ree\npassword=secret\n", 0600);
    expect_refreshed(-EINVAL, "two");
    /* Gone. */
    unlink("file");
    expect_refreshed(0, "two");
    put_file("file", LINES("four"), 0600);
    expect_refreshed(0, "four");
}

/* As containers replace secrets: by another target of the link. */
static void test_refresh_of_link(void **state)
{
    (void)state;
    put_file("file", LINES("one"), 0600);
    assert_int_equal(symlink("file", "link"), 0);
    expect_found("link", "one", "/link");
    put_file("new", LINES("two"), 0600);
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(symlink("new", "link"), 0);
    assert_int_equal(unlink("file"), 0);
    expect_refreshed(0, "two");
    assert_int_equal(unlink("new"), 0);
    expect_refreshed(0, "two");
}

static void test_refresh_of_others(void **state)
{
    (void)state;
    set_variables("DATASETFS", "own", "secret-own");
    expect_found(NULL, "own", "$");
    put_netrc("vc");
    expect_refreshed(0, "own");
    if (geteuid() == 0 && access("/etc/datasetfs/credentials", F_OK) == 0)
        skip();
    expect_found(NULL, "netrc", "/.netrc");
    put_netrc("other");
    expect_refreshed(-EACCES, "netrc");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_order),
        TEST(test_prepare),
        TEST(test_wrong_source),
        TEST(test_wrong_netrc),
        TEST(test_long_variables),
        TEST(test_govc_url),
        TEST(test_environment_is_wiped),
        TEST(test_refresh),
        TEST(test_refresh_of_link),
        TEST(test_refresh_of_others),
    };
    ds_credentials_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
