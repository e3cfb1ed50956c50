/* The local protocol where the disk is full. */
#include "contract.h"
#include "small_disk.h"
#include "target.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

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
    char *directory = small_disk_mount("size=4m");
    char *ballast = NULL;
    char *text = contract_letters('v', BYTES);
    struct ds_call call;
    struct ds_client *client = small_disk_open(directory, &call);
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
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), 0);
    for (int i = 0; i < kept; i++)
        expect_letters(client, &call, i, BYTES);
    ds_client_free(client, &call);
    small_disk_end(directory);
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
    char *directory = small_disk_mount("size=2m");
    char *text = contract_letters('v', bytes);
    struct ds_call call;
    struct ds_client *client = small_disk_open(directory, &call);
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
    small_disk_end(directory);
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
    char *directory = small_disk_mount("size=2m");
    struct ds_call call;
    struct ds_client *client = small_disk_open(directory, &call);
    char *text = contract_letters('v', BYTES);
    assert_int_equal(ds_client_set(client, &call, "d", "k", text, BYTES, NULL), 0);
    ds_client_free(client, &call);
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, &call, &client), 0);
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
    small_disk_end(directory);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_disk_can_be_freed),
        cmocka_unit_test(test_log_fills_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
