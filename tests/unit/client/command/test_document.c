/* The document of export and import: what a machine can hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/command/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What export prints of two DataSets whose keys and values have so many bytes together. */
static json_t *make_document(size_t bytes)
{
    json_t *document = ds_document_new();
    char *text = malloc(DS_VALUE_MAX_BYTES);
    assert_true(document && text);
    memset(text, 'x', DS_VALUE_MAX_BYTES);
    for (int i = 0; i < 2; i++) {
        size_t left = i ? bytes - bytes / 2 : bytes / 2;
        json_t *dataset = json_pack("{s:{}}", "entries");
        assert_int_equal(
            json_object_set_new(ds_document_datasets(document), i ? "a" : "b", dataset), 0);
        for (unsigned number = 0; left > 0; number++) {
            char key[16];
            size_t key_len = (size_t)snprintf(key, sizeof key, "%04u", number);
            size_t len = left - key_len < DS_VALUE_MAX_BYTES ? left - key_len : DS_VALUE_MAX_BYTES;
            assert_true(left >= key_len);
            assert_int_equal(
                json_object_set_new(ds_document_entries(dataset), key, json_stringn(text, len)), 0);
            left -= key_len + len;
        }
    }
    free(text);
    return document;
}

static enum ds_status check(size_t bytes)
{
    json_t *document = make_document(bytes);
    enum ds_status status = ds_document_check("test", document);
    json_decref(document);
    return status;
}

/* All DataSets count together, keys and values. */
static void test_total(void **state)
{
    (void)state;
    assert_int_equal(check(0), DS_STATUS_OK);
    assert_int_equal(check(DS_TOTAL_MAX_BYTES), DS_STATUS_OK);
    assert_int_equal(check(DS_TOTAL_MAX_BYTES + 1), DS_STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_total)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
