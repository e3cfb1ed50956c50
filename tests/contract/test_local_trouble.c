/* The local protocol in trouble: locked, full, read-only, killed, made by many at once. */
#include "contract.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_local(const char *directory, enum ds_side side, struct ds_call *call,
                      struct ds_client **out)
{
    struct ds_source_options options = {.side = side, .side_given = true};
    char *source = NULL;
    if (asprintf(&source, "local:%s/store", directory) < 0)
        return -ENOMEM;
    int err = ds_source_open(source, &options, call, out);
    free(source);
    return err;
}

static const struct contract_target local = {.name = "local", .open = open_local};

/* Another process that holds the store's write lock until it is released. */
struct holder {
    pid_t child;
    int release_fd; /* closed to release */
};

static struct holder hold_lock(const char *directory)
{
    int ready[2], release[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(release), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char file[4096];
        sqlite3 *db;
        close(release[1]);
        snprintf(file, sizeof file, "%s/store", directory);
        int code = sqlite3_open(file, &db);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (code == SQLITE_OK && write(ready[1], "r", 1) == 1)
            while (read(release[0], &byte, 1) > 0)
                continue;
        _exit(code);
    }
    close(ready[1]);
    close(release[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return (struct holder){.child = child, .release_fd = release[1]};
}

static void release_lock(struct holder *holder)
{
    int status;
    close(holder->release_fd);
    assert_int_equal(waitpid(holder->child, &status, 0), holder->child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Runs what follows with little time, and with twice as much as long as the machine left it none to
 * ask the store at all. */
#define WITH_LITTLE_TIME(call, err)                                                                \
    for (int64_t ms_ = 60; (err) == -ETIMEDOUT && ms_ < 60000 && (ds_call_init(call, ms_), true);  \
         ms_ *= 2)

static void test_locked_until_deadline(void **state)
{
    struct contract *c = *state;
    struct ds_call call;
    contract_set(c, "d", "k", "old");
    struct holder holder = hold_lock(c->directory);
    int err = -ETIMEDOUT;
    WITH_LITTLE_TIME(&call, err)
    err = ds_client_set(c->host, &call, "d", "k", "new", 3, NULL);
    assert_int_equal(err, -EAGAIN);
    assert_non_null(strstr(call.text, "another process holds the store locked"));
    assert_int_equal(ds_call_sent(&call), DS_SENT_NO);
    /* Readers do not wait for writers. */
    contract_expect(c, c->host, "d", "k", "old");
    release_lock(&holder);
    contract_set(c, "d", "k", "new");
    contract_expect(c, c->guest, "d", "k", "new");
}

struct setter {
    pthread_t thread;
    struct ds_client *client;
    struct ds_call call;
    int err;
};

static void *run_setter(void *argument)
{
    struct setter *setter = argument;
    setter->err = ds_client_set(setter->client, &setter->call, "d", "k", "new", 3, NULL);
    return NULL;
}

/* Who waits behind a change that waits for the lock is told that the store is busy too. */
static void test_locked_behind_another(void **state)
{
    struct contract *c = *state;
    struct setter setter = {.client = c->host};
    struct ds_call call;
    contract_set(c, "d", "k", "old");
    uint64_t sets = ds_client_requests(c->host, DS_OP_SET);
    struct holder holder = hold_lock(c->directory);
    ds_call_init(&setter.call, 600000);
    pthread_create(&setter.thread, NULL, run_setter, &setter);
    while (ds_client_requests(c->host, DS_OP_SET) == sets)
        sched_yield();

    /* The other has begun, but may be slow on its way to the turn that it will keep. */
    bool behind = false;
    for (int tries = 0; !behind && tries < 100; tries++) {
        int err = -ETIMEDOUT;
        WITH_LITTLE_TIME(&call, err)
        err = ds_client_remove(c->host, &call, "d", "k", NULL);
        assert_int_equal(err, -EAGAIN);
        assert_int_equal(ds_call_sent(&call), DS_SENT_NO);
        behind = strstr(call.text, "busy with another change") != NULL;
    }
    assert_true(behind);
    release_lock(&holder);
    pthread_join(setter.thread, NULL);
    assert_int_equal(setter.err, 0);
    contract_expect(c, c->host, "d", "k", "new");
}

/* A store without a write-ahead log wants one when it is opened, which the lock forbids. */
static void test_opened_while_locked(void **state)
{
    (void)state;
    char *directory = contract_make_directory();
    char *file = NULL;
    struct ds_call call;
    struct ds_client *client = NULL;
    sqlite3 *db;
    assert_true(asprintf(&file, "%s/store", directory) > 0);
    ds_call_init(&call, 60000);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    ds_client_free(client, &call);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    struct holder holder = hold_lock(directory);
    int err = -ETIMEDOUT;
    WITH_LITTLE_TIME(&call, err)
    err = open_local(directory, DS_SIDE_HOST, &call, &client);
    assert_int_equal(err, -EAGAIN);
    assert_non_null(strstr(call.text, "another process holds the store locked"));
    release_lock(&holder);
    ds_call_init(&call, 60000);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    ds_client_free(client, &call);
    contract_remove_directory(directory);
    free(file);
}

static void test_locked_and_cancelled(void **state)
{
    struct contract *c = *state;
    struct setter setter = {.client = c->host};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    contract_set(c, "d", "k", "old");
    uint64_t sets = ds_client_requests(c->host, DS_OP_SET);
    struct holder holder = hold_lock(c->directory);

    ds_call_init(&setter.call, 600000);
    ds_call_set_cancel_fd(&setter.call, fd);
    pthread_create(&setter.thread, NULL, run_setter, &setter);
    while (ds_client_requests(c->host, DS_OP_SET) == sets)
        sched_yield();
    ds_call_cancel(&setter.call);
    pthread_join(setter.thread, NULL);
    assert_int_equal(setter.err, -EINTR);
    assert_int_equal(ds_call_sent(&setter.call), DS_SENT_NO);
    release_lock(&holder);
    contract_expect(c, c->host, "d", "k", "old");
    close(fd);
}

/* The store goes away while a change waits for its lock. */
static void test_removed_while_waiting(void **state)
{
    struct contract *c = *state;
    struct setter setter = {.client = c->host};
    char *file = NULL, *away = NULL;
    assert_true(asprintf(&file, "%s/store", c->directory) > 0);
    assert_true(asprintf(&away, "%s/away", c->directory) > 0);
    contract_set(c, "d", "k", "old");
    uint64_t sets = ds_client_requests(c->host, DS_OP_SET);
    struct holder holder = hold_lock(c->directory);

    ds_call_init(&setter.call, 600000);
    pthread_create(&setter.thread, NULL, run_setter, &setter);
    while (ds_client_requests(c->host, DS_OP_SET) == sets)
        sched_yield();
    assert_int_equal(rename(file, away), 0);
    release_lock(&holder);
    pthread_join(setter.thread, NULL);
    assert_int_equal(setter.err, -EIO);
    assert_non_null(strstr(setter.call.text, "removed or replaced"));
    assert_int_equal(rename(away, file), 0);
    contract_expect(c, c->guest, "d", "k", "old");
    free(file);
    free(away);
}

/* However many changes wait, there is a connection for readers. */
static void test_locked_with_many_waiting(void **state)
{
    struct contract *c = *state;
    enum { SETTERS = 8 };
    struct setter setters[SETTERS];
    contract_set(c, "d", "k", "old");
    uint64_t sets = ds_client_requests(c->host, DS_OP_SET);
    struct holder holder = hold_lock(c->directory);
    for (int i = 0; i < SETTERS; i++) {
        setters[i].client = c->host;
        ds_call_init(&setters[i].call, 600000);
        pthread_create(&setters[i].thread, NULL, run_setter, &setters[i]);
    }
    while (ds_client_requests(c->host, DS_OP_SET) == sets)
        sched_yield();
    for (int i = 0; i < 100; i++)
        contract_expect(c, c->host, "d", "k", "old");
    release_lock(&holder);
    for (int i = 0; i < SETTERS; i++) {
        pthread_join(setters[i].thread, NULL);
        assert_int_equal(setters[i].err, 0);
    }
    contract_expect(c, c->host, "d", "k", "new");
}

/* What was acknowledged before a kill is there. */
static void test_killed(void **state)
{
    struct contract *c = *state;
    int acknowledged[2];
    assert_int_equal(pipe(acknowledged), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct ds_call call;
        struct ds_client *client;
        ds_call_init(&call, 60000);
        int err = open_local(c->directory, DS_SIDE_GUEST, &call, &client);
        for (int i = 0; !err; i++) {
            char text[16];
            int len = snprintf(text, sizeof text, "%d", i);
            err = ds_client_set(client, &call, "d", text, text, (size_t)len, NULL);
            if (!err && write(acknowledged[1], &i, sizeof i) != sizeof i)
                err = -EIO;
        }
        _exit(1);
    }
    close(acknowledged[1]);
    int last = 0;
    while (last < 40)
        assert_int_equal(read(acknowledged[0], &last, sizeof last), sizeof last);
    kill(child, SIGKILL);
    for (int next; read(acknowledged[0], &next, sizeof next) == sizeof next;)
        last = next;
    close(acknowledged[0]);
    waitpid(child, NULL, 0);
    for (int i = 0; i <= last; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        contract_expect(c, c->host, "d", text, text);
    }
}

/* One of several processes that open, and so make, the store together. */
static int open_and_create(const char *directory, int number)
{
    struct ds_call call;
    struct ds_client *client;
    struct ds_attributes none = {0};
    char name[16];
    snprintf(name, sizeof name, "by%d", number);
    ds_call_init(&call, 60000);
    int err = open_local(directory, DS_SIDE_HOST, &call, &client);
    if (!err)
        err = ds_client_create(client, &call, name, &none);
    if (!err)
        ds_client_free(client, &call);
    if (err)
        fprintf(stderr, "%s: %s\n", strerror(-err), call.text);
    return err;
}

static void test_made_by_many(void **state)
{
    (void)state;
    enum { ROUNDS = 15, PROCESSES = 6 };
    for (int round = 0; round < ROUNDS; round++) {
        char *directory = contract_make_directory();
        int gate[2];
        pid_t children[PROCESSES];
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                char byte;
                close(gate[1]);
                while (read(gate[0], &byte, 1) > 0)
                    continue;
                _exit(-open_and_create(directory, i));
            }
        }
        close(gate[1]);
        close(gate[0]);
        for (int i = 0; i < PROCESSES; i++) {
            int status;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), 0);
        }
        struct ds_call call;
        struct ds_client *client;
        struct ds_names names = {0};
        ds_call_init(&call, 60000);
        assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), 0);
        assert_int_equal(ds_client_list(client, &call, &names), 0);
        assert_int_equal(names.count, PROCESSES);
        ds_names_clear(&names);
        ds_client_free(client, &call);
        contract_remove_directory(directory);
    }
}

/* A small file system of our own, in a mount namespace of our own. Skips if not allowed. */
static char *mount_small(const char *options)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    char *directory = contract_make_directory();
    assert_int_equal(mount("small", directory, "tmpfs", 0, options), 0);
    return directory;
}

static void unmount_small(char *directory)
{
    assert_int_equal(umount2(directory, MNT_DETACH), 0);
    contract_remove_directory(directory);
}

static struct ds_client *open_with_dataset(const char *directory, struct ds_call *call)
{
    struct ds_client *client = NULL;
    struct ds_attributes none = {0};
    ds_call_init(call, 60000);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, call, &client), 0);
    assert_non_null(client);
    assert_int_equal(ds_client_create(client, call, "d", &none), 0);
    return client;
}

static void expect_letters(struct ds_client *client, struct ds_call *call, int key, size_t len)
{
    char name[16];
    struct ds_buf value = {0};
    snprintf(name, sizeof name, "%d", key);
    assert_int_equal(ds_client_get_one(client, call, "d", name, &value), 0);
    assert_int_equal(value.len, len);
    assert_int_equal(strspn(value.data, "v"), len);
    ds_buf_free(&value);
}

static void test_full_disk(void **state)
{
    (void)state;
    enum { BYTES = 100000 };
    char *directory = mount_small("size=4m");
    char *ballast = NULL;
    char *text = contract_letters('v', BYTES);
    struct ds_call call;
    struct ds_client *client = open_with_dataset(directory, &call);
    assert_true(asprintf(&ballast, "%s/ballast", directory) > 0);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 1024 * 1024), 0);
    close(fd);

    int kept = 0;
    int err = 0;
    while (!err && kept < 100) {
        char key[16];
        snprintf(key, sizeof key, "%d", kept);
        err = ds_client_set(client, &call, "d", key, text, BYTES, NULL);
        kept += !err;
    }
    assert_int_equal(err, -ENOSPC);
    assert_string_not_equal(call.text, "");
    for (int i = 0; i < kept; i++)
        expect_letters(client, &call, i, BYTES);

    assert_int_equal(unlink(ballast), 0);
    assert_int_equal(ds_client_set(client, &call, "d", "after", "v", 1, NULL), 0);
    ds_client_free(client, &call);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    for (int i = 0; i < kept; i++)
        expect_letters(client, &call, i, BYTES);
    ds_client_free(client, &call);
    unmount_small(directory);
    free(ballast);
    free(text);
}

/* Fills the file system of `directory` with a file, but for `left` bytes. */
static void leave_room(const char *directory, unsigned long left)
{
    char *ballast = NULL;
    struct statvfs room;
    assert_true(asprintf(&ballast, "%s/ballast", directory) > 0);
    assert_int_equal(statvfs(directory, &room), 0);
    assert_true(room.f_bavail * room.f_frsize > left);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(posix_fallocate(fd, 0, (off_t)(room.f_bavail * room.f_frsize - left)), 0);
    close(fd);
    free(ballast);
}

/* Fills what is left of the file system, to the last byte. */
static void leave_nothing(const char *directory)
{
    char *ballast = NULL;
    char bytes[4096] = "";
    assert_true(asprintf(&ballast, "%s/last", directory) > 0);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    while (write(fd, bytes, sizeof bytes) > 0)
        continue;
    close(fd);
    free(ballast);
}

static int set_numbered(struct ds_client *client, struct ds_call *call, int number,
                        const char *text, size_t len)
{
    char key[16];
    snprintf(key, sizeof key, "%d", number);
    return ds_client_set(client, call, "d", key, text, len, NULL);
}

/* However the disk became full: each value can be removed or made shorter. */
static void check_can_be_freed(size_t bytes, bool others_fill)
{
    char *directory = mount_small("size=2m");
    char *text = contract_letters('v', bytes);
    struct ds_call call;
    struct ds_client *client = open_with_dataset(directory, &call);
    int count = 0;
    while (count < (others_fill ? 4 : 1000) && set_numbered(client, &call, count, text, bytes) == 0)
        count++;
    assert_true(count > 1 && count < 1000);
    leave_nothing(directory);
    int err; /* what the log has room for goes in still */
    while ((err = set_numbered(client, &call, count, text, bytes)) == 0)
        count++;
    assert_int_equal(err, -ENOSPC);
    assert_int_equal(set_numbered(client, &call, 0, "short", 5), 0);
    for (int i = 1; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        err = ds_client_remove(client, &call, "d", key, NULL);
        if (err)
            fail_msg("%d of %d: %s, %s", i, count, strerror(-err), call.text);
    }
    struct ds_buf value = {0};
    assert_int_equal(ds_client_get_one(client, &call, "d", "0", &value), 0);
    assert_string_equal(value.data, "short");
    ds_buf_free(&value);
    ds_client_free(client, &call);
    unmount_small(directory);
    free(text);
}

static void test_full_disk_can_be_freed(void **state)
{
    (void)state;
    check_can_be_freed(100000, false);
    check_can_be_freed(100000, true);
    check_can_be_freed(3000, true);
    check_can_be_freed(300000, false);
}

/* Values that replace each other need no more room however often they do. */
static void test_log_fills_disk(void **state)
{
    (void)state;
    enum { BYTES = 100000, LEFT = 300 * 1024 };
    char *directory = mount_small("size=2m");
    struct ds_call call;
    struct ds_client *client = open_with_dataset(directory, &call);
    char *text = contract_letters('v', BYTES);
    assert_int_equal(ds_client_set(client, &call, "d", "k", text, BYTES, NULL), 0);
    ds_client_free(client, &call);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    leave_room(directory, LEFT);
    for (int i = 0; i < 40; i++) {
        text[0] = (char)('a' + i % 26);
        if (i % 4 > 1)
            assert_int_equal(ds_client_remove(client, &call, "d", "k", NULL), 0);
        if (i % 4 == 3)
            assert_int_equal(ds_client_append(client, &call, "d", "k", text, BYTES, NULL), 0);
        else
            assert_int_equal(ds_client_set(client, &call, "d", "k", text, BYTES, NULL), 0);
    }
    assert_int_equal(ds_client_destroy(client, &call, "d", true), 0);
    ds_client_free(client, &call);
    unmount_small(directory);
    free(text);
}

/* Copies only the store file itself and looks into the copy. */
static bool copy_has(const char *directory, const char *key, const char *text)
{
    char command[512];
    struct ds_call call;
    struct ds_client *client = NULL;
    struct ds_buf value = {0};
    snprintf(command, sizeof command, "mkdir -p %s/copy && rm -f %s/copy/* && cp %s/store %s/copy",
             directory, directory, directory, directory);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
    snprintf(command, sizeof command, "%s/copy", directory);
    ds_call_init(&call, 60000);
    if (open_local(command, DS_SIDE_HOST, &call, &client) != 0)
        return false; /* a copy from the midst of the moving */
    int err = ds_client_get_one(client, &call, "d", key, &value);
    bool same = !err && value.len == strlen(text) && !memcmp(value.data, text, value.len);
    ds_buf_free(&value);
    ds_client_free(client, &call);
    return same;
}

static bool soon_has(const char *directory, const char *key, const char *text)
{
    int64_t until_ms = ds_call_now_ms() + 60000;
    while (!copy_has(directory, key, text)) {
        if (ds_call_now_ms() > until_ms)
            return false;
        sched_yield();
    }
    return true;
}

/* A copy of the file is a backup soon after the last change, whoever else has the store open. */
static void test_idle_store_is_in_its_file(void **state)
{
    struct contract *c = *state;
    contract_set(c, "d", "k", "one");
    assert_true(soon_has(c->directory, "k", "one"));
    for (int i = 0; i < 3; i++)
        contract_set(c, "d", "k", "two");
    assert_int_equal(ds_client_set(c->guest, contract_call(c), "d", "j", "three", 5, NULL), 0);
    assert_true(soon_has(c->directory, "j", "three"));
    assert_true(copy_has(c->directory, "k", "two"));
}

/* What a killed process has left in the log is moved by the next one, without any change. */
static void test_idle_store_after_kill(void **state)
{
    (void)state;
    char *directory = contract_make_directory();
    struct ds_call call;
    struct ds_client *client = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        client = open_with_dataset(directory, &call);
        _exit(-ds_client_set(client, &call, "d", "k", "left", 4, NULL));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ds_call_init(&call, 60000);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    assert_true(soon_has(directory, "k", "left"));
    ds_client_free(client, &call);
    contract_remove_directory(directory);
}

static void test_read_only(void **state)
{
    (void)state;
    char *directory = mount_small("size=4m");
    struct ds_call call;
    struct ds_client *client = open_with_dataset(directory, &call);
    ds_client_free(client, &call);
    assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "read-only"));
    unmount_small(directory);

    directory = mount_small("size=4m,ro");
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "read-only"));
    unmount_small(directory);
}

static int open_read_only(const char *directory, struct ds_call *call, struct ds_client **out)
{
    struct ds_source_options options = {.side = DS_SIDE_HOST, .read_only = true};
    char *source = NULL;
    assert_true(asprintf(&source, "local:%s/store", directory) > 0);
    ds_call_init(call, 60000);
    int err = ds_source_open(source, &options, call, out);
    free(source);
    return err;
}

/* A mount with ro reads where nothing can be written, not even the files beside the store. */
static void test_read_only_medium(void **state)
{
    (void)state;
    char *directory = mount_small("size=4m");
    struct ds_call call;
    struct ds_client *other = NULL;
    assert_int_equal(open_read_only(directory, &call, &other), -ENOENT);
    struct ds_client *client = open_with_dataset(directory, &call);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "v", 1, NULL), 0);
    assert_int_equal(open_read_only(directory, &call, &other), 0);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "vv", 2, NULL), 0);
    struct ds_buf value = {0};
    assert_int_equal(ds_client_get_one(other, &call, "d", "k", &value), 0);
    assert_int_equal(value.len, 2);
    ds_buf_free(&value);
    ds_client_free(other, &call);
    ds_client_free(client, &call);

    assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(open_local(directory, DS_SIDE_HOST, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "-o ro"));
    assert_int_equal(open_read_only(directory, &call, &client), 0);
    struct ds_names names = {0};
    assert_int_equal(ds_client_list(client, &call, &names), 0);
    assert_int_equal(names.count, 1);
    ds_names_clear(&names);
    assert_int_equal(ds_client_get_one(client, &call, "d", "k", &value), 0);
    assert_int_equal(value.len, 2);
    ds_buf_free(&value);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "x", 1, NULL), -EROFS);
    ds_client_free(client, &call);
    unmount_small(directory);
}

/* What waits in the log cannot be read there, so it is not passed over in silence. */
static void test_read_only_medium_with_log(void **state)
{
    (void)state;
    char *directory = mount_small("size=4m");
    struct ds_call call;
    struct ds_client *client = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        client = open_with_dataset(directory, &call);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(open_read_only(directory, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "store-wal"));
    unmount_small(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_locked_until_deadline),
        CONTRACT_TEST(test_locked_behind_another),
        cmocka_unit_test(test_opened_while_locked),
        CONTRACT_TEST(test_locked_and_cancelled),
        CONTRACT_TEST(test_removed_while_waiting),
        CONTRACT_TEST(test_locked_with_many_waiting),
        CONTRACT_TEST(test_killed),
        cmocka_unit_test(test_made_by_many),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_disk_can_be_freed),
        cmocka_unit_test(test_log_fills_disk),
        CONTRACT_TEST(test_idle_store_is_in_its_file),
        cmocka_unit_test(test_idle_store_after_kill),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_read_only_medium),
        cmocka_unit_test(test_read_only_medium_with_log),
    };
    contract_choose(&local);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
