/* Mounts of a store file that is odd, full, unchangeable or copied. */
#include "harness.h"

#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *words = NULL;
    assert_int_equal(sqlite3_open("s.db", &db), SQLITE_OK);
    sqlite3_busy_timeout(db, HARNESS_SOON_MS);
    if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK)
        fail_msg("%s: %s", sql, words);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* An access that is none allows nothing: so the modes say, and it can be given again. */
static void test_odd_access(void **state)
{
    static const char *const odd[] = {"1000000", "0", "'words'"};
    char sql[128];
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "v");
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        snprintf(sql, sizeof sql, "UPDATE datasets SET host = %s", odd[i]);
        run_sql(sql);
        struct harness_daemon *daemon = harness_start_source("m", HARNESS_SOURCE, NULL);
        assert_sh_ok(*state, "0\n", "stat -c %%a m/app");
        assert_sh_ok(*state, "", "grep -q '\"NONE\"' m/.datasetfs/info/app");
        assert_sh_fails(*state, "Permission denied", "ls m/app");
        assert_sh_fails(*state, "Permission denied", "echo x >m/app/k");
        assert_sh_ok(*state, "", "echo '{\"host\":\"READ_WRITE\"}' >m/.datasetfs/info/app");
        assert_soon(harness_mode("m/app") == 0700);
        assert_content("m/app/k", "v");
        harness_stop(daemon);
    }
}

/* What stands under a key and is no value is listed, told of when it is opened, and can be replaced
 * and removed as any other. */
static void test_odd_values(void **state)
{
    static const char *const values[] = {"zeroblob(3000000)", "x'C3'", "printf('%.2000000c', 'x')",
                                         "42", "x'6100'"};
    harness_start_source("m", HARNESS_SOURCE, NULL);
    assert_int_equal(mkdir("m/app", 0700), 0);
    assert_int_equal(harness_write("m/app/good", O_CREAT, "good\n"), 0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char sql[512];
        snprintf(sql, sizeof sql,
                 "INSERT INTO entries (dataset, key, value) SELECT id, 'odd', %s FROM datasets;"
                 "INSERT INTO entries (dataset, key, value) SELECT id, 'other', %s FROM datasets",
                 values[i], values[i]);
        run_sql(sql);
        assert_sh_ok(*state, "good\nodd\nother\n", "ls m/app");
        assert_sh_ok(*state, "0\ngood\n", "stat -c %%s m/app/odd && cat m/app/good");
        assert_sh_fails(*state, "Protocol error", "cat m/app/odd");
        assert_sh_fails(*state, "Protocol error", "exec 3<>m/app/odd && echo x >&3");
        assert_sh_ok(*state, "",
                     "grep -q '/app/odd.*EPROTO.*can be replaced or removed' "
                     "m/.datasetfs/errors");
        assert_sh_ok(*state, "new\n", "echo new >m/app/odd && cat m/app/odd && rm m/app/odd");
        assert_store("app", "good", "good\n");
        assert_true(peer_lacks("app", "odd"));
        if (i % 2)
            assert_sh_ok(*state, "",
                         "echo over >m/app/.t && mv m/app/.t m/app/other && rm m/app/other");
        else
            assert_sh_ok(*state, "", "rm m/app/other");
        assert_sh_ok(*state, "good\n", "ls m/app");
    }
}

/* True if a copy of the store file alone is whole, which one from the midst of the moving may not
 * be, and has this value. */
static bool copy_has(const char *key, const char *value)
{
    sqlite3 *db;
    sqlite3_stmt *row = NULL;
    assert_sh_ok("dash", "", "rm -f copy.db* && cp s.db copy.db");
    assert_int_equal(sqlite3_open_v2("copy.db", &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_prepare_v2(db,
                       "SELECT 1 FROM entries, pragma_integrity_check AS state"
                       " WHERE key = ?1 AND CAST(value AS TEXT) = ?2 AND integrity_check = 'ok'",
                       -1, &row, NULL);
    sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, value, -1, SQLITE_STATIC);
    bool found = sqlite3_step(row) == SQLITE_ROW;
    sqlite3_finalize(row);
    sqlite3_close(db);
    return found;
}

/* A copy of the file is a backup although the store is mounted, and not changed any more. */
static void test_copy_of_idle_store(void **state)
{
    harness_start_source("m", HARNESS_SOURCE, NULL);
    harness_start_source("g", HARNESS_SOURCE, "side=guest");
    assert_sh_ok(*state, "", "mkdir m/app && seq 1 20000 >m/app/long && echo here >m/app/k");
    assert_soon(copy_has("k", "here\n"));
    struct harness_daemon *copy = harness_start_source("c", "local:copy.db", "ro");
    assert_sh_ok(*state, "here\n", "cat c/app/k && cmp c/app/long m/app/long");
    harness_stop(copy);
    assert_sh_ok(*state, "", "rm m/app/long; echo new >g/app/k");
    assert_soon(copy_has("k", "new\n"));
}

/* Reading works where nothing can be written, and says what it needs where it does not. */
static void test_read_only_medium(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "value\n");
    peer_close();
    assert_sh_ok(*state, "", "mkdir medium m; cp s.db medium");
    assert_int_equal(mount("medium", "medium", NULL, MS_BIND, NULL), 0);
    assert_int_equal(mount(NULL, "medium", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_sh_fails(*state, "-o ro", "$DATASETFS local:medium/s.db m");
    struct harness_daemon *daemon = harness_start_source("m", "local:medium/s.db", "ro");
    assert_sh_ok(*state, "value\napp\n", "cat m/app/k; ls m");
    assert_sh_fails(*state, "Read-only file system", "echo x >m/app/k");
    harness_stop(daemon);
    assert_int_equal(umount2("medium", 0), 0);
    assert_sh_fails(*state, "no/s.db", "$DATASETFS local:no/s.db m -o ro");
    assert_sh_fails(*state, "missing.db", "$DATASETFS local:missing.db m -o ro");
    assert_errno(access("missing.db", F_OK), ENOENT);
}

/* As one would clean up: whatever filled the disk, what is removed is gone. */
static void test_full_disk(void **state)
{
    assert_int_equal(mkdir("small", 0700), 0);
    assert_int_equal(mount("small", "small", "tmpfs", 0, "size=2m"), 0);
    struct harness_daemon *daemon = harness_start_source("m", "local:small/s.db", NULL);
    assert_sh_ok(*state, "",
                 "mkdir m/app; i=0; while seq 1 9000 2>/dev/null >m/app/k$i; do i=$((i + 1)); "
                 "done; test $i -gt 5 && ! dd if=/dev/zero of=small/rest bs=4k 2>/dev/null");
    assert_sh_fails(*state, "No space left on device", "seq 1 90000 >m/app/more");
    assert_sh_ok(*state, "", "rm m/app/*");
    assert_sh_ok(*state, "here\n", "ls m/app; echo here >m/app/k; cat m/app/k");
    harness_stop(daemon);
    assert_int_equal(umount2("small", 0), 0);
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_odd_access),         HARNESS_SHELLS(test_odd_values),
    HARNESS_SHELLS(test_copy_of_idle_store), HARNESS_SHELLS(test_read_only_medium),
    HARNESS_SHELLS(test_full_disk),
};

HARNESS_MAIN(tests)
