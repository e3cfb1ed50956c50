/* A store file that somebody else has had a hand in: its rows, its tables, and where it lies. */
#include "contract.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOMEBODY 65534

static char *directory;
static char *file;
static struct ds_call call;

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

static struct ds_client *open_good(void)
{
    struct ds_client *client = NULL;
    int err = open_file(file, &client);
    if (err)
        fail_msg("%s: %s", strerror(-err), call.text);
    return client;
}

static void expect_refused(const char *path, int error, const char *words)
{
    struct ds_client *client = NULL;
    int err = open_file(path, &client);
    if (err != error || !strstr(call.text, words))
        fail_msg("%s: %d, '%s', not %d with '%s'", path, err, call.text, error, words);
    assert_null(client);
}

/* A store with a DataSet "d" and a key "k". */
static int setup(void **state)
{
    (void)state;
    struct ds_attributes none = {0};
    directory = contract_make_directory();
    assert_true(asprintf(&file, "%s/store", directory) > 0);
    struct ds_client *client = open_good();
    assert_int_equal(ds_client_create(client, &call, "d", &none), 0);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "v", 1, NULL), 0);
    ds_client_free(client, &call);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    contract_remove_directory(directory);
    free(file);
    return 0;
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *words = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK)
        fail_msg("%s: %s", sql, words);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_text(struct ds_client *client, const char *key, const char *text)
{
    struct ds_buf value = {0};
    assert_int_equal(ds_client_get_one(client, &call, "d", key, &value), 0);
    assert_int_equal(value.len, strlen(text));
    assert_true(!value.len || !memcmp(value.data, text, value.len));
    ds_buf_free(&value);
}

/* Values of which none is text of at most 1 MiB. */
static const char *const odd_values[] = {
    "zeroblob(3)",
    "zeroblob(1048577)",
    "zeroblob(3000000)",
    "printf('%.1048577c', 'x')",
    "x'FF'",
    "x'610062'",
    "42",
    "-1.5",
    "cast(x'C3' as text)",
    "printf('%.3000000c', 'x')",
    "printf('%.40000000c', 'x')",
    "x'EDA080'",
    "'a' || char(0) || 'b'",
};
enum { ODD_VALUES = sizeof odd_values / sizeof *odd_values };

static void add_odd_values(void)
{
    for (size_t i = 0; i < ODD_VALUES; i++) {
        char sql[256];
        snprintf(sql, sizeof sql,
                 "INSERT INTO entries (dataset, key, value) SELECT id, 'o%zu', %s FROM datasets", i,
                 odd_values[i]);
        run_sql(sql);
    }
}

/* Each is told of, spoils no other, and can be replaced, added to in no case, and removed. */
static void test_values(void **state)
{
    (void)state;
    add_odd_values();
    run_sql("INSERT INTO entries (dataset, key, value) SELECT id, 'text', 'caf\xC3\xA9' "
            "FROM datasets");
    struct ds_client *client = open_good();
    struct ds_entry entries[ODD_VALUES + 2];
    char keys[ODD_VALUES][8];
    for (size_t i = 0; i < ODD_VALUES; i++) {
        snprintf(keys[i], sizeof keys[i], "o%zu", i);
        entries[i] = (struct ds_entry){.key = keys[i]};
    }
    entries[ODD_VALUES] = (struct ds_entry){.key = "text"};
    entries[ODD_VALUES + 1] = (struct ds_entry){.key = "k"};
    assert_int_equal(ds_client_get(client, &call, "d", entries, ODD_VALUES + 2), 0);
    for (size_t i = 0; i < ODD_VALUES; i++)
        if (entries[i].error != -EBADMSG || entries[i].value.len)
            fail_msg("%s: %d", odd_values[i], entries[i].error);
    assert_int_equal(entries[ODD_VALUES].error, 0);
    assert_string_equal(entries[ODD_VALUES].value.data, "caf\xC3\xA9");
    ds_buf_free(&entries[ODD_VALUES].value);
    assert_int_equal(entries[ODD_VALUES + 1].error, 0);
    ds_buf_free(&entries[ODD_VALUES + 1].value);

    for (size_t i = 0; i < ODD_VALUES; i++) {
        int err = ds_client_append(client, &call, "d", keys[i], "x", 1, NULL);
        if (!err || !call.text[0])
            fail_msg("appended to %s", odd_values[i]);
        err = ds_client_set(client, &call, "d", keys[i], "new", 3, NULL);
        if (err)
            fail_msg("replacing %s: %s", odd_values[i], call.text);
        expect_text(client, keys[i], "new");
    }
    assert_int_equal(ds_client_append(client, &call, "d", "text", "!", 1, NULL), 0);
    expect_text(client, "text", "caf\xC3\xA9!");
    ds_client_free(client, &call);
}

static void test_values_are_removed(void **state)
{
    (void)state;
    add_odd_values();
    struct ds_client *client = open_good();
    for (size_t i = 0; i < ODD_VALUES; i++) {
        char key[8];
        snprintf(key, sizeof key, "o%zu", i);
        int err = ds_client_remove(client, &call, "d", key, NULL);
        if (err)
            fail_msg("removing %s: %s", odd_values[i], call.text);
    }
    struct ds_names keys = {0};
    assert_int_equal(ds_client_list_keys(client, &call, "d", &keys), 0);
    assert_int_equal(keys.count, 1);
    ds_names_clear(&keys);
    add_odd_values();
    assert_int_equal(ds_client_destroy(client, &call, "d", true), 0);
    ds_client_free(client, &call);
}

/* What is no access gives none, is told as not known, and can be set right. */
static void test_access(void **state)
{
    (void)state;
    static const char *const odd[] = {"1000000", "-1",    "0",   "4",
                                      "'words'", "x'03'", "2.5", "1e300"};
    const struct ds_attributes right = {.host = DS_ACCESS_READ_WRITE};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char sql[128];
        struct ds_attributes attributes = {0};
        struct ds_buf value = {0};
        snprintf(sql, sizeof sql, "UPDATE datasets SET host = %s, guest = %s, omit = %s", odd[i],
                 odd[i], odd[i]);
        run_sql(sql);
        struct ds_client *client = open_good();
        assert_int_equal(ds_client_query(client, &call, "d", &attributes), 0);
        assert_int_equal(attributes.host, DS_ACCESS_NONE);
        assert_int_equal(attributes.guest, DS_ACCESS_NONE);
        ds_attributes_clear(&attributes);
        assert_int_equal(ds_client_get_one(client, &call, "d", "k", &value), -EACCES);
        assert_non_null(strstr(call.text, "the DataSet is NONE for the host"));
        assert_int_equal(ds_client_set(client, &call, "d", "k", "x", 1, NULL), -EACCES);
        assert_int_equal(ds_client_update(client, &call, "d", &right), 0);
        expect_text(client, "k", "v");
        ds_client_free(client, &call);
    }
}

static void test_attributes(void **state)
{
    (void)state;
    static const char *const odd[] = {"x'FF'", "printf('%.1025c', 'x')", "'a' || char(0)"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char sql[160];
        struct ds_attributes attributes = {0};
        snprintf(sql, sizeof sql, "UPDATE datasets SET description = %s, used = 'much'", odd[i]);
        run_sql(sql);
        struct ds_client *client = open_good();
        assert_int_equal(ds_client_query(client, &call, "d", &attributes), 0);
        assert_null(attributes.description);
        assert_false(attributes.used_known);
        ds_attributes_clear(&attributes);
        assert_int_equal(ds_client_set(client, &call, "d", "k", "longer", 4 + i, NULL), 0);
        assert_int_equal(ds_client_query(client, &call, "d", &attributes), 0);
        assert_true(attributes.used_known);
        ds_attributes_clear(&attributes);
        ds_client_free(client, &call);
    }
}

/* Numbers whose sum is too large for a number stop nothing but growth. */
static void test_used(void **state)
{
    (void)state;
    struct ds_attributes none = {0};
    struct ds_client *client = open_good();
    assert_int_equal(ds_client_create(client, &call, "e", &none), 0);
    run_sql("UPDATE datasets SET used = 9223372036854775807");
    assert_int_equal(ds_client_set(client, &call, "d", "k", "longer", 6, NULL), -ENOSPC);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "", 0, NULL), 0);
    run_sql("UPDATE datasets SET used = -9223372036854775807");
    assert_int_equal(ds_client_set(client, &call, "d", "k", "longer", 6, NULL), 0);
    assert_int_equal(ds_client_remove(client, &call, "d", "k", NULL), 0);
    struct ds_attributes attributes = {0};
    assert_int_equal(ds_client_query(client, &call, "d", &attributes), 0);
    assert_int_equal(attributes.used_bytes, 0);
    ds_attributes_clear(&attributes);
    ds_client_free(client, &call);
}

/* What we never make does not run, neither when it was there nor when it comes. */
static void test_triggers(void **state)
{
    (void)state;
    static const char *const triggers[] = {
        "CREATE TRIGGER t1 BEFORE INSERT ON entries BEGIN SELECT raise(ignore); END;"
        "CREATE TRIGGER t2 BEFORE UPDATE ON entries BEGIN SELECT raise(ignore); END;"
        "CREATE TRIGGER t3 BEFORE DELETE ON entries BEGIN SELECT raise(ignore); END;"
        "CREATE TRIGGER t4 BEFORE UPDATE ON datasets BEGIN SELECT raise(abort, 'no'); END;"
        "CREATE TRIGGER t5 BEFORE INSERT ON datasets BEGIN SELECT raise(ignore); END;",
        "CREATE TRIGGER t6 AFTER INSERT ON entries BEGIN DELETE FROM entries; END;",
        "CREATE TRIGGER t7 AFTER UPDATE ON entries BEGIN UPDATE entries SET value = 'theirs'; END;",
    };
    struct ds_client *before = open_good();
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        struct ds_attributes none = {0};
        char name[8];
        run_sql(triggers[i]);
        struct ds_client *after = open_good();
        struct ds_client *clients[] = {before, after};
        for (size_t c = 0; c < 2; c++) {
            snprintf(name, sizeof name, "n%zu%zu", i, c);
            assert_int_equal(ds_client_set(clients[c], &call, "d", name, "new", 3, NULL), 0);
            expect_text(clients[c], name, "new");
            assert_int_equal(ds_client_append(clients[c], &call, "d", name, "er", 2, NULL), 0);
            expect_text(clients[1 - c], name, "newer");
            assert_int_equal(ds_client_create(clients[c], &call, name, &none), 0);
            assert_int_equal(ds_client_destroy(clients[c], &call, name, false), 0);
            assert_int_equal(ds_client_remove(clients[c], &call, "d", name, NULL), 0);
        }
        ds_client_free(after, &call);
    }
    expect_text(before, "k", "v");
    ds_client_free(before, &call);
}

#define RECREATE(columns)                                                                          \
    "DROP TABLE entries; CREATE TABLE entries (" columns ");"                                      \
    "CREATE UNIQUE INDEX entries_by_key ON entries (dataset, key);"

/* Tables that are not ours are refused when the store is opened... */
static const char *const other_tables[] = {
    "DROP TABLE entries",
    "DROP TABLE datasets",
    "DROP INDEX entries_by_key",
    "ALTER TABLE entries RENAME TO elsewhere; CREATE VIEW entries AS SELECT * FROM elsewhere",
    "ALTER TABLE datasets ADD COLUMN more TEXT",
    "CREATE TABLE fewer AS SELECT id, name, host, guest, omit, used FROM datasets;"
    "DROP TABLE datasets; ALTER TABLE fewer RENAME TO datasets",
    "ALTER TABLE datasets RENAME COLUMN host TO owner",
    RECREATE("id INTEGER PRIMARY KEY, dataset INTEGER, key TEXT, value BLOB NOT NULL CHECK "
             "(length(value) > 1000000)"),
    RECREATE("id INTEGER PRIMARY KEY, dataset INTEGER, key TEXT NOT NULL ON CONFLICT IGNORE, value "
             "BLOB UNIQUE ON CONFLICT IGNORE"),
    "DROP TABLE entries; CREATE VIRTUAL TABLE entries USING fts4(dataset, key, value)",
};

static void test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof other_tables / sizeof *other_tables; i++) {
        run_sql(other_tables[i]);
        expect_refused(file, -EINVAL, "tables are not those of a datasetfs store");
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

/* ...and if they come while it is open, no change is acknowledged that was not made. */
static void test_tables_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof other_tables / sizeof *other_tables; i++) {
        struct ds_client *client = open_good();
        struct ds_buf value = {0};
        run_sql(other_tables[i]);
        int err = ds_client_set(client, &call, "d", "new", "value", 5, NULL);
        int got = ds_client_get_one(client, &call, "d", "new", &value);
        if (!err && got)
            fail_msg("%s: a change was lost", other_tables[i]);
        if (err && err != -EIO && err != -ENOENT)
            fail_msg("%s: %d", other_tables[i], err);
        ds_buf_free(&value);
        ds_client_free(client, &call);
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

static void give_away(const char *path)
{
    assert_int_equal(lchown(path, SOMEBODY, SOMEBODY), 0);
}

static void test_owners(void **state)
{
    (void)state;
    char beside[3][4200], link[4200];
    struct ds_client *client = NULL;
    if (geteuid() != 0)
        skip();
    snprintf(link, sizeof link, "%s/link", directory);
    static const char *const ends[] = {"-wal", "-shm", "-journal"};

    assert_int_equal(chmod(file, 0646), 0);
    expect_refused(file, -EACCES, "others may write to the store file");
    assert_int_equal(chmod(file, 0660), 0);
    ds_client_free(open_good(), &call);

    /* Somebody else's, where only its owner put it, is as good as ours. */
    give_away(file);
    ds_client_free(open_good(), &call);
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(open_file(link, &client), 0);
    ds_client_free(client, &call);

    assert_int_equal(chmod(directory, 01777), 0);
    expect_refused(file, -EACCES, "belongs to somebody else");
    expect_refused(link, -EACCES, "symbolic link");
    assert_int_equal(chown(file, 0, 0), 0);
    ds_client_free(open_good(), &call);
    expect_refused(link, -EACCES, "symbolic link");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("elsewhere", link), 0);
    expect_refused(link, -EACCES, "symbolic link");
    assert_int_equal(access("elsewhere", F_OK), -1);

    for (size_t i = 0; i < 3; i++) {
        snprintf(beside[i], sizeof beside[i], "%s%s", file, ends[i]);
        assert_int_equal(mknod(beside[i], S_IFREG | 0600, 0), 0);
        give_away(beside[i]);
        expect_refused(file, -EACCES, beside[i]);
        assert_int_equal(unlink(beside[i]), 0);
        assert_int_equal(symlink("/dev/null", beside[i]), 0);
        expect_refused(file, -EACCES, beside[i]);
        assert_int_equal(unlink(beside[i]), 0);
    }
    ds_client_free(open_good(), &call);
    /* Before there is a store too. */
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mknod(beside[0], S_IFREG | 0600, 0), 0);
    give_away(beside[0]);
    expect_refused(file, -EACCES, beside[0]);
    assert_int_equal(access(file, F_OK), -1);
}

/* Somebody who may write to the directory, as to /tmp. Whenever the store is missing he puts there
 * in turn a file of his, a link to elsewhere, and a link beside it; each time a little later, so
 * that some day it is between a look and what follows it. Until he is killed. */
static _Noreturn void meddle(void)
{
    enum { STEP_NS = 2000, STEPS = 64 };
    char own[4200], elsewhere[4300], log[4300];
    snprintf(own, sizeof own, "%s/own", directory);
    snprintf(elsewhere, sizeof elsewhere, "%s/kept/elsewhere", directory);
    snprintf(log, sizeof log, "%s-wal", file);
    if (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        _exit(1);
    for (unsigned turn = 0;; turn++) {
        struct timespec begin, now;
        int fd = open(own, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0)
            close(fd);
        while (access(file, F_OK) == 0)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        do
            clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec <
               (long)(turn % STEPS) * STEP_NS);
        if (turn % 4 == 1)
            (void)!symlink(elsewhere, file);
        else if (turn % 4 == 2)
            (void)!symlink(elsewhere, log);
        else
            (void)!link(own, file);
        unlink(log);
    }
}

/* Whoever comes in between, what is opened is ours or nothing is. */
static void test_meddler(void **state)
{
    (void)state;
    enum { ROUNDS = 200 };
    char kept[4200], elsewhere[4300];
    unsigned opened = 0;
    if (geteuid() != 0)
        skip();
    snprintf(kept, sizeof kept, "%s/kept", directory);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", kept);
    assert_int_equal(chmod(directory, 01777), 0);
    assert_int_equal(mkdir(kept, 0755), 0);
    pid_t meddler = fork();
    assert_true(meddler >= 0);
    if (meddler == 0)
        meddle();
    for (int i = 0; i < ROUNDS; i++) {
        struct ds_client *client = NULL;
        struct stat status;
        unlink(file);
        int err = open_file(file, &client);
        if (err && err != -EACCES && err != -ENOENT && err != -EIO && err != -EROFS)
            fail_msg("%d: %s", err, call.text);
        if (err)
            continue;
        opened++;
        assert_int_equal(lstat(file, &status), 0);
        assert_true(S_ISREG(status.st_mode));
        assert_int_equal(status.st_uid, 0);
        ds_client_free(client, &call);
    }
    assert_int_equal(kill(meddler, SIGKILL), 0);
    assert_int_equal(waitpid(meddler, NULL, 0), meddler);
    assert_int_equal(access(elsewhere, F_OK), -1);
    print_message("opened in %u of %d rounds\n", opened, ROUNDS);
}

/* Links on the way count as well, in any directory of others. */
static void test_links_on_the_way(void **state)
{
    (void)state;
    char sub[4200], link[4200], path[4300];
    struct ds_client *client = NULL;
    snprintf(sub, sizeof sub, "%s/sub", directory);
    snprintf(link, sizeof link, "%s/sub/link", directory);
    snprintf(path, sizeof path, "%s/sub/link/store", directory);
    assert_int_equal(mkdir(sub, 0755), 0);
    assert_int_equal(symlink("..", link), 0);
    assert_int_equal(open_file(path, &client), 0);
    ds_client_free(client, &call);
    assert_int_equal(chmod(sub, 01777), 0);
    expect_refused(path, -EACCES, "symbolic link");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values),
        TEST(test_values_are_removed),
        TEST(test_access),
        TEST(test_attributes),
        TEST(test_used),
        TEST(test_triggers),
        TEST(test_tables),
        TEST(test_tables_change),
        TEST(test_owners),
        TEST(test_meddler),
        TEST(test_links_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
