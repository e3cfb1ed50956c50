/* The local protocol's file: made, recognised, refused and left alone. */
#include "contract.h"

#include "client/local/local.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *directory;
static char *file;
static struct ds_call call;

static int setup(void **state)
{
    (void)state;
    directory = contract_make_directory();
    assert_true(asprintf(&file, "%s/store", directory) > 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    contract_remove_directory(directory);
    free(file);
    return 0;
}

static int open_file(const char *path, struct ds_client **out)
{
    struct ds_source_options host = {.side = DS_SIDE_HOST};
    char *source = NULL;
    assert_true(asprintf(&source, "local:%s", path) > 0);
    ds_call_init(&call, 60000);
    int err = ds_source_open(source, &host, &call, out);
    free(source);
    return err;
}

/* Opening `path` is refused with `error` and a sentence that holds `words`. */
static void expect_refused(const char *path, int error, const char *words)
{
    struct ds_client *client = NULL;
    assert_int_equal(open_file(path, &client), error);
    assert_null(client);
    if (!strstr(call.text, words))
        fail_msg("'%s' does not say '%s'", call.text, words);
}

static void expect_usable(const char *path)
{
    struct ds_client *client = NULL;
    struct ds_attributes none = {0};
    int err = open_file(path, &client);
    if (err)
        fail_msg("%s: %s", strerror(-err), call.text);
    err = ds_client_create(client, &call, "d", &none);
    assert_true(err == 0 || err == -EEXIST);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "v", 1, NULL), 0);
    ds_client_free(client, &call);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void write_file(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

static struct ds_buf read_file(const char *path)
{
    struct ds_buf content = {0};
    char piece[4096];
    ssize_t len;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    while ((len = read(fd, piece, sizeof piece)) > 0)
        assert_int_equal(ds_buf_append(&content, piece, (size_t)len), 0);
    close(fd);
    return content;
}

static int count_files(void)
{
    int count = 0;
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    while (readdir(listing))
        count++;
    closedir(listing);
    return count;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_mode(void **state)
{
    (void)state;
    mode_t old = umask(0);
    expect_usable(file);
    umask(old);
    assert_int_equal(mode_of(file), 0600);
    assert_int_equal(chmod(file, 0640), 0);
    expect_usable(file);
    assert_int_equal(mode_of(file), 0640);
}

static void test_empty_file(void **state)
{
    (void)state;
    write_file(file, "", 0);
    expect_usable(file);
    expect_usable(file);
    assert_int_equal(mode_of(file), 0640);
}

static void test_names_of_files(void **state)
{
    (void)state;
    /* Names to which SQLite would give a meaning of its own, relative to the working directory. */
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a b", "ä%41"};
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(directory), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect_usable(names[i]);
        assert_int_equal(access(names[i], F_OK), 0);
    }
    assert_int_equal(chdir(here), 0);
}

static void test_symbolic_links(void **state)
{
    (void)state;
    char *link = NULL;
    assert_true(asprintf(&link, "%s/link", directory) > 0);
    assert_int_equal(symlink(file, link), 0);
    struct ds_client *client = NULL;
    assert_true(open_file(link, &client) < 0);
    assert_string_not_equal(call.text, "");
    expect_usable(file);
    expect_usable(link);
    free(link);
}

static void test_wrong_kinds(void **state)
{
    (void)state;
    char *path = NULL;
    expect_refused(directory, -EISDIR, directory);
    expect_refused(directory, -EISDIR, "end with a slash for all in it");
    assert_int_equal(mkfifo(file, 0600), 0);
    expect_refused(file, -EINVAL, "not a datasetfs store");
    /* To be read only, too: where it cannot be written to, opening it would never end. */
    struct ds_client *client = NULL;
    ds_call_init(&call, 60000);
    assert_int_equal(ds_local_open(file, DS_SIDE_HOST, true, &call, &client), -EINVAL);
    assert_non_null(strstr(call.text, "not a datasetfs store"));
    assert_true(asprintf(&path, "%s/no/store", directory) > 0);
    expect_refused(path, -ENOENT, "directory does not exist");
    free(path);
    assert_true(asprintf(&path, "%s/store/x", directory) > 0);
    expect_refused(path, -ENOTDIR, path);
    free(path);
}

static void test_no_permission(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    expect_usable(file);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    expect_refused(file, -EACCES, "");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(seteuid(65534), 0);
    expect_refused(file, -EROFS, "read-only");
    assert_int_equal(seteuid(0), 0);
}

/* Files that are something else keep every byte, and nothing appears beside them. */
static void test_not_a_store(void **state)
{
    (void)state;
    static const char text[] = "root:x:0:0:root:/root:/bin/bash\n";
    char big[300];
    memset(big, 'x', sizeof big);
    const struct {
        const char *data;
        size_t len;
    } contents[] = {{text, sizeof text - 1}, {"x", 1}, {big, sizeof big}, {"SQLite format 3", 16}};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        write_file(file, contents[i].data, contents[i].len);
        int files = count_files();
        expect_refused(file, -EINVAL, "is not a datasetfs store");
        struct ds_buf after = read_file(file);
        assert_int_equal(after.len, contents[i].len);
        assert_memory_equal(after.data, contents[i].data, after.len);
        assert_int_equal(count_files(), files);
        ds_buf_free(&after);
    }
}

/* Leaves a database as a killed process does, with what it wrote in the log only. */
static void leave_hot(const char *sql)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db;
        int code = sqlite3_open(file, &db);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db, sql, NULL, NULL, NULL);
        _exit(code);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SQLITE_OK);
}

static void test_foreign_database(void **state)
{
    (void)state;
    char *log = NULL;
    leave_hot("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES ('theirs');");
    assert_true(asprintf(&log, "%s-wal", file) > 0);
    struct ds_buf before = read_file(file), log_before = read_file(log);
    int files = count_files();
    assert_true(log_before.len > 0);

    expect_refused(file, -EINVAL, "is not a datasetfs store");
    struct ds_buf after = read_file(file), log_after = read_file(log);
    assert_int_equal(count_files(), files);
    assert_int_equal(after.len, before.len);
    assert_memory_equal(after.data, before.data, after.len);
    assert_int_equal(log_after.len, log_before.len);
    assert_memory_equal(log_after.data, log_before.data, log_after.len);
    ds_buf_free(&before);
    ds_buf_free(&after);
    ds_buf_free(&log_before);
    ds_buf_free(&log_after);
    free(log);
}

static void test_newer_version(void **state)
{
    (void)state;
    expect_usable(file);
    run_sql(file, "PRAGMA user_version = 7");
    struct ds_buf before = read_file(file);
    expect_refused(file, -EINVAL, "version 7");
    expect_refused(file, -EINVAL, "up to 1");
    struct ds_buf after = read_file(file);
    assert_int_equal(after.len, before.len);
    assert_memory_equal(after.data, before.data, after.len);
    ds_buf_free(&before);
    ds_buf_free(&after);

    /* The same while the new version stands in the log only. */
    run_sql(file, "PRAGMA user_version = 1");
    leave_hot("PRAGMA user_version = 8");
    expect_refused(file, -EINVAL, "version 8");
}

static void test_damaged(void **state)
{
    (void)state;
    struct ds_client *client = NULL;
    char *text = contract_letters('v', 3000);
    expect_usable(file);
    assert_int_equal(open_file(file, &client), 0);
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        assert_int_equal(ds_client_set(client, &call, "d", key, text, 3000, NULL), 0);
    }
    ds_client_free(client, &call);
    free(text);

    /* The first page, which tells what the file is, stays whole. */
    struct ds_buf content = read_file(file);
    assert_true(content.len > 20 * 4096);
    memset(content.data + 4096, 0xA5, content.len - 4096);
    write_file(file, content.data, content.len);
    ds_buf_free(&content);

    struct ds_names keys = {0};
    struct ds_buf value = {0};
    assert_int_equal(open_file(file, &client), 0);
    assert_int_equal(ds_client_list_keys(client, &call, "d", &keys), -EIO);
    assert_non_null(strstr(call.text, "the store file is damaged"));
    assert_int_equal(ds_client_get_one(client, &call, "d", "k", &value), -EIO);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "v", 1, NULL), -EIO);
    assert_non_null(strstr(call.text, "the store file is damaged"));
    assert_int_equal(ds_client_requests(client, DS_OP_LIST_KEYS), 1);
    ds_client_free(client, &call);
}

/* Every operation fails and says why. */
static void expect_gone(struct ds_client *client)
{
    struct ds_attributes attributes = {0};
    struct ds_names names = {0};
    struct ds_entry entries[] = {{.key = "k"}, {.key = "j"}};
    struct ds_buf value = {0};
    assert_int_equal(ds_client_set(client, &call, "d", "k", "lost", 4, NULL), -EIO);
    assert_non_null(strstr(call.text, "removed or replaced: mount again"));
    assert_non_null(strstr(call.text, file));
    assert_int_equal(ds_client_append(client, &call, "d", "k", "lost", 4, NULL), -EIO);
    assert_int_equal(ds_client_remove(client, &call, "d", "k", NULL), -EIO);
    assert_int_equal(ds_client_create(client, &call, "lost", &attributes), -EIO);
    attributes.guest = DS_ACCESS_NONE;
    assert_int_equal(ds_client_update(client, &call, "d", &attributes), -EIO);
    assert_int_equal(ds_client_destroy(client, &call, "d", true), -EIO);
    assert_int_equal(ds_client_list(client, &call, &names), -EIO);
    assert_int_equal(ds_client_query(client, &call, "d", &attributes), -EIO);
    assert_int_equal(ds_client_list_keys(client, &call, "d", &names), -EIO);
    assert_int_equal(ds_client_get(client, &call, "d", entries, 2), -EIO);
    assert_int_equal(ds_client_get_one(client, &call, "d", "k", &value), -EIO);
}

static void expect_text(struct ds_client *client, const char *text)
{
    struct ds_buf value = {0};
    assert_int_equal(ds_client_get_one(client, &call, "d", "k", &value), 0);
    assert_int_equal(value.len, strlen(text));
    assert_memory_equal(value.data, text, value.len);
    ds_buf_free(&value);
}

/* Removes the file and what SQLite has put beside it. */
static void remove_store(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *path = NULL;
        assert_true(asprintf(&path, "%s%s", file, ends[i]) > 0);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
}

/* Whichever of its files a store has no descriptor left for, that is what is said. */
static void test_too_many_files(void **state)
{
    (void)state;
    struct ds_client *client = NULL;
    struct rlimit before;
    int told = 0;
    int err = -EMFILE;
    int lowest = dup(0);
    assert_true(lowest >= 0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t room = 0; room < 32 && err; room++) {
        struct rlimit limit = {.rlim_cur = (rlim_t)lowest + room, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        err = open_file(file, &client);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(!err || err == -EMFILE);
        if (err && call.text[0])
            assert_non_null(strstr(call.text, "too many files are open"));
        told += err && call.text[0];
    }
    assert_int_equal(err, 0);
    assert_true(told > 0);
    ds_client_free(client, &call);
}

/* What would be lost with the last connection is not taken, and no new file comes instead. */
static void test_removed(void **state)
{
    (void)state;
    struct ds_client *client = NULL;
    char *away = NULL;
    assert_true(asprintf(&away, "%s/away", directory) > 0);
    expect_usable(file);
    assert_int_equal(open_file(file, &client), 0);
    assert_int_equal(rename(file, away), 0);
    expect_gone(client);

    assert_int_equal(rename(away, file), 0);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "back", 4, NULL), 0);
    expect_text(client, "back");

    remove_store();
    expect_gone(client);
    ds_client_free(client, &call);
    assert_int_equal(access(file, F_OK), -1);
    free(away);
}

/* Another mount has made a store of its own where ours was. */
static void test_replaced(void **state)
{
    (void)state;
    struct ds_client *client = NULL, *other = NULL;
    expect_usable(file);
    assert_int_equal(open_file(file, &client), 0);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "old", 3, NULL), 0);
    remove_store();
    expect_usable(file);
    assert_int_equal(open_file(file, &other), 0);
    expect_gone(client);
    expect_text(other, "v");

    ds_client_free(client, &call);
    assert_int_equal(ds_client_set(other, &call, "d", "k", "new", 3, NULL), 0);
    ds_client_free(other, &call);
    assert_int_equal(open_file(file, &other), 0);
    expect_text(other, "new");
    ds_client_free(other, &call);
}

/* Names that no client of ours has written hide nothing but themselves. */
static void test_odd_names(void **state)
{
    (void)state;
    struct ds_client *client = NULL;
    struct ds_names names = {0};
    expect_usable(file);
    run_sql(file,
            "INSERT INTO entries (dataset, key, value) SELECT id, x'61FF62', 'v' FROM datasets;"
            "INSERT INTO entries (dataset, key, value) SELECT id, x'6100', 'v' FROM datasets;"
            "INSERT INTO entries (dataset, key, value) SELECT id, char(0), 'v' FROM datasets;"
            "INSERT INTO entries (dataset, key, value) SELECT id, "
            "printf('%5000c', 'x'), 'v' FROM datasets;"
            "INSERT INTO datasets (name, host, guest, omit, used, description) "
            "VALUES (x'FF', 3, 3, 0, 0, ''), ('', 3, 3, 0, 0, '')");
    assert_int_equal(open_file(file, &client), 0);
    assert_int_equal(ds_client_list_keys(client, &call, "d", &names), 0);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.names[0], "k");
    assert_int_equal(names.left_out, 4);
    ds_names_clear(&names);
    assert_int_equal(ds_client_list(client, &call, &names), 0);
    assert_int_equal(names.count, 1);
    assert_int_equal(names.left_out, 2);
    ds_names_clear(&names);
    ds_client_free(client, &call);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_mode),           FILE_TEST(test_empty_file),
        FILE_TEST(test_names_of_files), FILE_TEST(test_symbolic_links),
        FILE_TEST(test_wrong_kinds),    FILE_TEST(test_no_permission),
        FILE_TEST(test_not_a_store),    FILE_TEST(test_foreign_database),
        FILE_TEST(test_newer_version),  FILE_TEST(test_damaged),
        FILE_TEST(test_removed),        FILE_TEST(test_replaced),
        FILE_TEST(test_odd_names),      FILE_TEST(test_too_many_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
