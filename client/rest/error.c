/* What vCenter's error types and HTTP statuses mean as errnos. */
#include "error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* com.vmware.vapi.std.errors.error.Type of the vSphere Automation API 8.0. */
static const struct {
    const char *type;
    int error;
} types[] = {
    {"NOT_FOUND", -ENOENT},
    {"ALREADY_EXISTS", -EEXIST},
    {"RESOURCE_IN_USE", -ENOTEMPTY},
    {"UNAUTHORIZED", -EACCES},
    {"UNAUTHENTICATED", -EACCES},
    {"INVALID_ARGUMENT", -EINVAL},
    {"UNEXPECTED_INPUT", -EINVAL},
    {"INVALID_ELEMENT_CONFIGURATION", -EINVAL},
    {"INVALID_ELEMENT_TYPE", -EINVAL},
    {"UNABLE_TO_ALLOCATE_RESOURCE", -ENOSPC},
    {"NOT_ALLOWED_IN_CURRENT_STATE", -EBUSY},
    {"ALREADY_IN_DESIRED_STATE", -EBUSY},
    {"RESOURCE_BUSY", -EAGAIN},
    {"CONCURRENT_CHANGE", -EAGAIN},
    {"SERVICE_UNAVAILABLE", -EAGAIN},
    {"UNSUPPORTED", -EOPNOTSUPP},
    {"OPERATION_NOT_FOUND", -EOPNOTSUPP},
    {"TIMED_OUT", -ETIMEDOUT},
    {"CANCELED", -EIO},
    {"INVALID_REQUEST", -EINVAL},
    {"RESOURCE_INACCESSIBLE", -EIO},
    {"FEATURE_IN_USE", -EBUSY},
    {"INTERNAL_SERVER_ERROR", -EIO},
    {"UNVERIFIED_PEER", -EACCES},
};

static const struct {
    int status;
    int error;
} statuses[] = {
    {400, -EINVAL}, {401, -EACCES},    {403, -EACCES},       {404, -ENOENT}, {405, -EOPNOTSUPP},
    {409, -EAGAIN}, {413, -EFBIG},     {414, -ENAMETOOLONG}, {429, -EAGAIN}, {501, -EOPNOTSUPP},
    {503, -EAGAIN}, {504, -ETIMEDOUT}, {507, -ENOSPC},
};

/* The last part of a dotted name: the legacy form names a class. */
static const char *last_part(const char *type)
{
    const char *dot = strrchr(type, '.');
    return dot ? dot + 1 : type;
}

static int error_of_type(const char *type)
{
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(last_part(type), types[i].type))
            return types[i].error;
    return 0;
}

static int error_of_status(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].error;
    return -EIO;
}

static bool contains(const char *text, const char *word)
{
    return text && strcasestr(text, word);
}

/* -EINVAL, or what is wrong with a length if the words say so. */
static int refine_invalid(const char *message)
{
    static const char *const words[] = {"too long", "too large", "too big", "longer than",
                                        "exceed"};
    bool length = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        length = length || contains(message, words[i]);
    if (!length)
        return -EINVAL;
    if (contains(message, "value"))
        return -EFBIG;
    return contains(message, "key") || contains(message, "name") ? -ENAMETOOLONG : -EFBIG;
}

int ds_rest_errno(const char *type, int status, const char *message)
{
    int error = error_of_type(type);
    if (!error)
        error = error_of_status(status);
    return error == -EINVAL ? refine_invalid(message) : error;
}

bool ds_rest_is_unauthenticated(const char *type, int status)
{
    if (error_of_type(type))
        return !strcasecmp(last_part(type), "UNAUTHENTICATED");
    return status == 401;
}

bool ds_rest_is_success(int status)
{
    return status == 200 || status == 201 || status == 204;
}
