/* The ids of DataSets: while none is known, or one is not the name, only a list tells; otherwise
 * what is new has its name as its id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ds_ids ids;

static int begin(void **state)
{
    (void)state;
    ds_ids_init(&ids);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ds_ids_end(&ids);
    return 0;
}

/* Replaces all by pairs of name and id, up to NULL. */
static void replace(const char *const *pairs)
{
    struct ds_names names = {0};
    struct ds_names list = {0};
    for (; *pairs; pairs += 2) {
        assert_int_equal(ds_names_add(&names, pairs[0]), 0);
        assert_int_equal(ds_names_add(&list, pairs[1]), 0);
    }
    ds_ids_replace_take(&ids, &names, &list);
    assert_null(names.names);
    assert_null(list.names);
}

static void expect(const char *name, const char *id)
{
    char *found = NULL;
    assert_int_equal(ds_ids_find(&ids, name, &found), id ? 0 : -ENOENT);
    if (id)
        assert_string_equal(found, id);
    else
        assert_null(found);
    free(found);
}

static void test_empty(void **state)
{
    (void)state;
    expect("a", NULL);
    replace((const char *const[]){NULL});
    expect("a", NULL);
    expect("", NULL);
}

static void test_same(void **state)
{
    (void)state;
    replace((const char *const[]){"a", "a", "b", "b", NULL});
    expect("a", "a");
    expect("new", "new");
    expect("A", "A");
}

static void test_different(void **state)
{
    (void)state;
    replace((const char *const[]){"a", "a", "b", "7", "c", "b", NULL});
    expect("a", "a");
    expect("b", "7");
    expect("c", "b");
    expect("7", NULL);
    expect("new", NULL);
    /* What the next list no longer has is forgotten, also that they differ. */
    replace((const char *const[]){"a", "a", NULL});
    expect("b", "b");
    replace((const char *const[]){"a", "1", NULL});
    expect("b", NULL);
    replace((const char *const[]){NULL});
    expect("b", NULL);
}

/* Two of one name: whichever it is, always the same. */
static void test_twice(void **state)
{
    (void)state;
    replace((const char *const[]){"a", "1", "a", "2", NULL});
    expect("a", "1");
    expect("a", "1");
}

static void test_put(void **state)
{
    (void)state;
    assert_int_equal(ds_ids_put(&ids, "a", "a"), 0);
    expect("a", "a");
    expect("new", "new");
    assert_int_equal(ds_ids_put(&ids, "b", "7"), 0);
    expect("a", "a");
    expect("b", "7");
    expect("new", NULL);
    assert_int_equal(ds_ids_put(&ids, "b", "8"), 0);
    expect("b", "8");
    assert_int_equal(ds_ids_put(&ids, "b", "b"), 0);
    expect("b", "b");
    for (int i = 0; i < 100; i++) {
        char name[] = {'n', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        assert_int_equal(ds_ids_put(&ids, name, name + 1), 0);
    }
    expect("n42", "42");
    expect("a", "a");
}

static void *put_and_find(void *argument)
{
    const char *name = argument;
    for (int i = 0; i < 1000; i++) {
        char *found = NULL;
        if (ds_ids_put(&ids, name, i % 2 ? "1" : "22") || ds_ids_find(&ids, name, &found))
            return (void *)name;
        free(found);
    }
    return NULL;
}

static void *replace_often(void *argument)
{
    for (int i = 0; i < 1000; i++) {
        struct ds_names names = {0};
        struct ds_names list = {0};
        if (ds_names_add(&names, "x") || ds_names_add(&names, "y") || ds_names_add(&list, "x") ||
            ds_names_add(&list, "z"))
            return argument;
        ds_ids_replace_take(&ids, &names, &list);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    static char names[][2] = {"x", "y"};
    pthread_t threads[3];
    replace((const char *const[]){"x", "x", "y", "y", NULL});
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_find, names[i]), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, replace_often, names[0]), 0);
    for (size_t i = 0; i < 3; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_empty), TEST(test_same), TEST(test_different),
        TEST(test_twice), TEST(test_put),  TEST(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
