/* What stays known of the times of keys without an inode: how much, and what goes first. */
#include "fs/model/datasets.h"
#include "fs/model/key_history.h"
#include "fs/model/node.h"
#include "fs/model/times.h"
#include "fs/model/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START 1000
#define SEEN 2000

static struct fs fs;
static struct fs_busy busy;
static struct fs_vm vm = {.fs = &fs};
static struct fs_dataset dataset = {.vm = &vm, .name = (char *)"app", .exists = true};

static int setup(void **state)
{
    (void)state;
    fs = (struct fs){.start = {.tv_sec = START}, .marks = fs_history_new()};
    return fs.marks != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    fs_history_free(fs.marks);
    return 0;
}

/* A node of key number `i` with that value. The number of its sight is the next one. */
static struct fs_node node_of(unsigned i, char *key, const char *value)
{
    sprintf(key, "%u", i);
    return (struct fs_node){
        .kind = FS_NODE_ENTRY,
        .busy = &busy,
        .dataset = &dataset,
        .key = key,
        .attached = true,
        .seen.presence = FS_PRESENT,
        .seen.value = fs_value_new(value, strlen(value), NULL, 0),
        .seen.mtime = {.tv_sec = START},
        .seen.sighted = fs_clock_moment(&fs.clock),
    };
}

/* Seen with that value, modified at SEEN, and forgotten by the kernel. */
static void keep(unsigned i, const char *value)
{
    char key[16];
    struct fs_node node = node_of(i, key, value);

    node.seen.mtime = (struct timespec){.tv_sec = SEEN, .tv_nsec = (long)i};
    fs_times_keep(&fs, &node);
    fs_value_unref(node.seen.value);
}

enum age { OLD, AS_BEFORE, NEW };

/* Of a key that is seen now. */
static enum age age(unsigned i, const char *value)
{
    char key[16];
    struct fs_node node = node_of(i, key, value);

    fs_times_recognise(&fs, &node, &node.seen.mtime);
    fs_value_unref(node.seen.value);
    if (node.seen.mtime.tv_sec == START)
        return OLD;
    if (node.seen.mtime.tv_sec != SEEN)
        return NEW;
    assert_int_equal(node.seen.mtime.tv_nsec, i);
    return AS_BEFORE;
}

static void test_value(void **state)
{
    (void)state;
    assert_int_equal(age(1, "a"), OLD);
    keep(1, "a");
    keep(2, "");
    assert_int_equal(age(1, "a"), AS_BEFORE);
    assert_int_equal(age(1, "b"), NEW);
    assert_int_equal(age(1, ""), NEW);
    assert_int_equal(age(2, ""), AS_BEFORE);
    assert_int_equal(age(3, "a"), OLD);
    keep(1, "b");
    assert_int_equal(age(1, "b"), AS_BEFORE);
    assert_int_equal(age(1, "a"), NEW);
}

/* What the node has is never taken back. */
static void test_never_back(void **state)
{
    (void)state;
    char key[16];

    keep(1, "a");
    struct fs_node node = node_of(1, key, "a");
    node.seen.mtime.tv_sec = SEEN + 1;
    assert_true(fs_times_recognise(&fs, &node, &node.seen.mtime));
    assert_int_equal(node.seen.mtime.tv_sec, SEEN + 1);
    fs_value_unref(node.seen.value);
}

static void test_gone(void **state)
{
    (void)state;
    keep(1, "a");
    fs_history_gone(&fs, &dataset, "1");
    fs_history_gone(&fs, &dataset, "2");
    assert_int_equal(age(1, "a"), NEW);
    assert_int_equal(age(2, "a"), NEW);
    assert_int_equal(age(3, "a"), OLD);
    keep(1, "a");
    assert_int_equal(age(1, "a"), AS_BEFORE);
    fs_history_gone(&fs, &dataset, NULL);
    assert_int_equal(age(1, "a"), NEW);
    assert_int_equal(age(3, "a"), NEW);
    keep(3, "a");
    assert_int_equal(age(3, "a"), AS_BEFORE);
}

/* Nothing goes before the limit. Beyond it those used longest ago go, and what may be one of them
 * is never too old. */
static void test_limit(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FS_HISTORY_KEPT_MAX; i++)
        keep(i, "a");
    for (unsigned i = 0; i < FS_HISTORY_KEPT_MAX; i++)
        if (i % 2 == 0)
            assert_int_equal(age(i, "a"), AS_BEFORE);
    assert_int_equal(age(FS_HISTORY_KEPT_MAX, "a"), OLD);
    for (unsigned i = 0; i < FS_HISTORY_KEPT_MAX / 2; i++)
        keep(FS_HISTORY_KEPT_MAX + i, "a");
    for (unsigned i = 0; i < FS_HISTORY_KEPT_MAX; i++)
        assert_int_equal(age(i, "a"), i % 2 == 0 ? AS_BEFORE : NEW);
    for (unsigned i = 0; i < FS_HISTORY_KEPT_MAX / 2; i++)
        assert_int_equal(age(FS_HISTORY_KEPT_MAX + i, "a"), AS_BEFORE);
    assert_int_equal(age(2 * FS_HISTORY_KEPT_MAX, "a"), NEW);
}

static void test_digest(void **state)
{
    (void)state;
    char text[40] = {0};
    uint64_t seen[sizeof text];

    for (size_t len = 0; len < sizeof text; len++) {
        seen[len] = fs_history_digest(&fs, text, len);
        assert_true(seen[len] != 0);
        for (size_t i = 0; i < len; i++) {
            assert_true(seen[i] != seen[len]);
            text[i] = 1;
            assert_true(fs_history_digest(&fs, text, len) != seen[len]);
            text[i] = 0;
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_value), TEST(test_never_back), TEST(test_gone),
        TEST(test_limit), TEST(test_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
