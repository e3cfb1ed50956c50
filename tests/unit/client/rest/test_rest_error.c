/* vCenter's error types and HTTP statuses, row by row, in all their spellings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
#define LEGACY "com.vmware.vapi.std.errors."

/* The statuses that servers have been seen to send with them come second: the type decides. */
static const struct {
    const char *upper;
    const char *lower;
    int error;
} types[] = {
    {"NOT_FOUND", "not_found", ENOENT},
    {"ALREADY_EXISTS", "already_exists", EEXIST},
    {"RESOURCE_IN_USE", "resource_in_use", ENOTEMPTY},
    {"UNAUTHORIZED", "unauthorized", EACCES},
    {"UNAUTHENTICATED", "unauthenticated", EACCES},
    {"INVALID_ARGUMENT", "invalid_argument", EINVAL},
    {"UNABLE_TO_ALLOCATE_RESOURCE", "unable_to_allocate_resource", ENOSPC},
    {"NOT_ALLOWED_IN_CURRENT_STATE", "not_allowed_in_current_state", EBUSY},
    {"RESOURCE_BUSY", "resource_busy", EAGAIN},
    {"CONCURRENT_CHANGE", "concurrent_change", EAGAIN},
    {"SERVICE_UNAVAILABLE", "service_unavailable", EAGAIN},
    {"UNSUPPORTED", "unsupported", EOPNOTSUPP},
    {"OPERATION_NOT_FOUND", "operation_not_found", EOPNOTSUPP},
    {"TIMED_OUT", "timed_out", ETIMEDOUT},
    {"INTERNAL_SERVER_ERROR", "internal_server_error", EIO},
    {"CANCELED", "canceled", EIO},
    {"RESOURCE_INACCESSIBLE", "resource_inaccessible", EIO},
    {"FEATURE_IN_USE", "feature_in_use", EBUSY},
    {"ALREADY_IN_DESIRED_STATE", "already_in_desired_state", EBUSY},
    {"UNEXPECTED_INPUT", "unexpected_input", EINVAL},
    {"INVALID_REQUEST", "invalid_request", EINVAL},
    {"INVALID_ELEMENT_CONFIGURATION", "invalid_element_configuration", EINVAL},
    {"INVALID_ELEMENT_TYPE", "invalid_element_type", EINVAL},
    {"UNVERIFIED_PEER", "unverified_peer", EACCES},
};

static const struct {
    int status;
    int error;
} statuses[] = {
    {400, EINVAL},     {401, EACCES},    {403, EACCES},     {404, ENOENT},
    {405, EOPNOTSUPP}, {409, EAGAIN},    {413, EFBIG},      {414, ENAMETOOLONG},
    {429, EAGAIN},     {500, EIO},       {501, EOPNOTSUPP}, {502, EIO},
    {503, EAGAIN},     {504, ETIMEDOUT}, {507, ENOSPC},     {599, EIO},
    {418, EIO},        {0, EIO},         {-1, EIO},         {1000000, EIO},
};

static void expect(const char *type, int status, int error)
{
    int found = ds_rest_errno(type, status, NULL);
    if (found != -error)
        fail_msg("%s with HTTP %d: %d, not %d", type ? type : "(none)", status, found, -error);
}

static void test_types(void **state)
{
    (void)state;
    static const int any[] = {0, 200, 400, 401, 403, 404, 409, 429, 500, 503, 504};
    for (size_t i = 0; i < LEN(types); i++) {
        char legacy[96];
        snprintf(legacy, sizeof legacy, LEGACY "%s", types[i].lower);
        for (size_t j = 0; j < LEN(any); j++) {
            expect(types[i].upper, any[j], types[i].error);
            expect(types[i].lower, any[j], types[i].error);
            expect(legacy, any[j], types[i].error);
        }
    }
    expect("Not_Found", 500, ENOENT);
    expect(LEGACY "NOT_FOUND", 500, ENOENT);
}

static void test_statuses(void **state)
{
    (void)state;
    static const char *const unknown[] = {
        NULL,
        "",
        ".",
        "..",
        "NOT_FOUND.",
        "NOT_FOUND ",
        " NOT_FOUND",
        "NOT-FOUND",
        "NOTFOUND",
        "not_found_x",
        "XNOT_FOUND",
        "ERROR",
        "\xff",
        LEGACY,
        LEGACY "error",
        "com.vmware.vim.fault.file_not_found",
    };
    for (size_t i = 0; i < LEN(unknown); i++)
        for (size_t j = 0; j < LEN(statuses); j++)
            expect(unknown[i], statuses[j].status, statuses[j].error);
}

static void test_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        int error;
    } rows[] = {
        {NULL, EINVAL},
        {"", EINVAL},
        {"The value is not a string", EINVAL},
        {"The key is empty", EINVAL},
        {"The value is too long", EFBIG},
        {"VALUE TOO LARGE", EFBIG},
        {"The value's size exceeds 1048576 bytes", EFBIG},
        {"The entry is too big", EFBIG},
        {"The key is too long", ENAMETOOLONG},
        {"Key length exceeds 4096", ENAMETOOLONG},
        {"The name is longer than 255", ENAMETOOLONG},
        /* Words of a value may name its key. */
        {"The value of key k is too long", EFBIG},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        assert_int_equal(ds_rest_errno("INVALID_ARGUMENT", 400, rows[i].message), -rows[i].error);
        assert_int_equal(ds_rest_errno(NULL, 400, rows[i].message), -rows[i].error);
        assert_int_equal(ds_rest_errno("NOT_FOUND", 400, rows[i].message), -ENOENT);
        assert_int_equal(ds_rest_errno(NULL, 500, rows[i].message), -EIO);
    }
}

static void test_session_is_over(void **state)
{
    (void)state;
    assert_true(ds_rest_is_unauthenticated("UNAUTHENTICATED", 401));
    assert_true(ds_rest_is_unauthenticated("UNAUTHENTICATED", 500));
    assert_true(ds_rest_is_unauthenticated(LEGACY "unauthenticated", 400));
    assert_true(ds_rest_is_unauthenticated(NULL, 401));
    assert_true(ds_rest_is_unauthenticated("", 401));
    assert_true(ds_rest_is_unauthenticated("SOMETHING_NEW", 401));
    /* A privilege is missing: a new session would not help. */
    assert_false(ds_rest_is_unauthenticated("UNAUTHORIZED", 401));
    assert_false(ds_rest_is_unauthenticated("UNAUTHORIZED", 403));
    assert_false(ds_rest_is_unauthenticated(NULL, 403));
    assert_false(ds_rest_is_unauthenticated(NULL, 404));
    assert_false(ds_rest_is_unauthenticated("NOT_UNAUTHENTICATED", 404));
}

static void test_success(void **state)
{
    (void)state;
    for (int status = -1; status < 700; status++)
        assert_int_equal(ds_rest_is_success(status),
                         status == 200 || status == 201 || status == 204);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),   cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_session_is_over),
        cmocka_unit_test(test_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
