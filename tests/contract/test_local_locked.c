/* The local protocol while another process holds the store's lock. */
#include "cleanup.h"
#include "contract.h"
#include "target.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct contract_target local = {.name = "local", .open = contract_open_local};

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
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    ds_client_free(client, &call);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    struct holder holder = hold_lock(directory);
    int err = -ETIMEDOUT;
    WITH_LITTLE_TIME(&call, err)
    err = contract_open_local(directory, DS_SIDE_HOST, &call, &client);
    assert_int_equal(err, -EAGAIN);
    assert_non_null(strstr(call.text, "another process holds the store locked"));
    release_lock(&holder);
    ds_call_init(&call, 60000);
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), 0);
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

/* The store goes away while a change is on its way to a lock that is held, and comes back. */
static void change_while_away(struct contract *c, struct setter *setter)
{
    char *file DS_AUTO_FREE = NULL;
    char *away DS_AUTO_FREE = NULL;
    uint64_t sets = ds_client_requests(c->host, DS_OP_SET);
    struct holder holder = hold_lock(c->directory);
    assert_true(asprintf(&file, "%s/store", c->directory) > 0);
    assert_true(asprintf(&away, "%s/away", c->directory) > 0);

    ds_call_init(&setter->call, 600000);
    pthread_create(&setter->thread, NULL, run_setter, setter);
    while (ds_client_requests(c->host, DS_OP_SET) == sets)
        sched_yield();
    assert_int_equal(rename(file, away), 0);
    release_lock(&holder);
    pthread_join(setter->thread, NULL);
    assert_int_equal(rename(away, file), 0);
}

/* One that waited looks at the file once more. */
static void test_removed_while_waiting(void **state)
{
    struct contract *c = *state;
    struct setter setter = {.client = c->host};
    /* One that was slow on its way found the lock free, and had nothing to wait for. */
    for (int tries = 0; setter.err == 0 && tries < 100; tries++) {
        contract_set(c, "d", "k", "old");
        change_while_away(c, &setter);
    }
    assert_int_equal(setter.err, -EIO);
    assert_non_null(strstr(setter.call.text, "removed or replaced"));
    contract_expect(c, c->guest, "d", "k", "old");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_locked_until_deadline),  CONTRACT_TEST(test_locked_behind_another),
        cmocka_unit_test(test_opened_while_locked), CONTRACT_TEST(test_locked_and_cancelled),
        CONTRACT_TEST(test_removed_while_waiting),  CONTRACT_TEST(test_locked_with_many_waiting),
    };
    contract_choose(&local);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
