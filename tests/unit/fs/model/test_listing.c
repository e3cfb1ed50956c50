/* Listings: in order whatever the store's order is, so that a name is found quickly. */
#include "fs/model/datasets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct fs_listing *listing_of(const char *const *names)
{
    struct ds_names list = {0};

    for (; *names != NULL; names++)
        assert_int_equal(ds_names_add(&list, *names), 0);
    struct fs_listing *listing = fs_listing_new(&list, 7);
    assert_non_null(listing);
    assert_null(list.names);
    assert_int_equal(listing->asked, 7);
    return listing;
}

static void test_order(void **state)
{
    (void)state;
    const char *const names[] = {"b", "\xc3\xa4", "", "a", "ab", "B", "b", NULL};
    const char *const sorted[] = {"", "B", "a", "ab", "b", "b", "\xc3\xa4"};
    struct fs_listing *listing = listing_of(names);

    assert_int_equal(listing->names.count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(listing->names.names[i], sorted[i]);
    fs_listing_unref(listing);
}

static void test_has(void **state)
{
    (void)state;
    const char *const names[] = {"c", "a", "b", NULL};
    struct fs_listing *listing = listing_of(names);
    struct fs_listing *empty = listing_of(names + 3);

    for (size_t i = 0; names[i] != NULL; i++) {
        assert_true(fs_listing_has(listing, names[i]));
        assert_false(fs_listing_has(empty, names[i]));
    }
    assert_false(fs_listing_has(listing, ""));
    assert_false(fs_listing_has(listing, "aa"));
    assert_false(fs_listing_has(listing, "d"));
    fs_listing_unref(listing);
    fs_listing_unref(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
