/* The local protocol in trouble: killed, made by many at once, read-only; and what is in its file
 * then. */
#include "contract.h"
#include "small_disk.h"
#include "target.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct contract_target local = {.name = "local", .open = contract_open_local};

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
        int err = contract_open_local(c->directory, DS_SIDE_GUEST, &call, &client);
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
    int err = contract_open_local(directory, DS_SIDE_HOST, &call, &client);
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
        assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), 0);
        assert_int_equal(ds_client_list(client, &call, &names), 0);
        assert_int_equal(names.count, PROCESSES);
        ds_names_clear(&names);
        ds_client_free(client, &call);
        contract_remove_directory(directory);
    }
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
    if (contract_open_local(command, DS_SIDE_HOST, &call, &client) != 0)
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
        client = small_disk_open(directory, &call);
        _exit(-ds_client_set(client, &call, "d", "k", "left", 4, NULL));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ds_call_init(&call, 60000);
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    assert_true(soon_has(directory, "k", "left"));
    ds_client_free(client, &call);
    contract_remove_directory(directory);
}

static void test_read_only(void **state)
{
    (void)state;
    char *directory = small_disk_mount("size=4m");
    struct ds_call call;
    struct ds_client *client = small_disk_open(directory, &call);
    ds_client_free(client, &call);
    assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "read-only"));
    small_disk_end(directory);

    directory = small_disk_mount("size=4m,ro");
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "read-only"));
    small_disk_end(directory);
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
    char *directory = small_disk_mount("size=4m");
    struct ds_call call;
    struct ds_client *other = NULL;
    assert_int_equal(open_read_only(directory, &call, &other), -ENOENT);
    struct ds_client *client = small_disk_open(directory, &call);
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
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), -EROFS);
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
    small_disk_end(directory);
}

/* What waits in the log cannot be read there, so it is not passed over in silence. */
static void test_read_only_medium_with_log(void **state)
{
    (void)state;
    char *directory = small_disk_mount("size=4m");
    struct ds_call call;
    struct ds_client *client = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        client = small_disk_open(directory, &call);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(open_read_only(directory, &call, &client), -EROFS);
    assert_non_null(strstr(call.text, "store-wal"));
    small_disk_end(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_killed),
        cmocka_unit_test(test_made_by_many),
        CONTRACT_TEST(test_idle_store_is_in_its_file),
        cmocka_unit_test(test_idle_store_after_kill),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_read_only_medium),
        cmocka_unit_test(test_read_only_medium_with_log),
    };
    contract_choose(&local);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
