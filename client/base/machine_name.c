/* File names of virtual machines. */
#include "machine_name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char by_name[] = "name=";
static const char by_id[] = "vm-";
enum { BY_NAME_BYTES = sizeof by_name - 1, BY_ID_BYTES = sizeof by_id - 1 };

#define DIGITS "0123456789"

bool ds_machine_name_is_id(const char *text)
{
    if (strncmp(text, by_id, BY_ID_BYTES) != 0)
        return false;
    const char *digits = text + BY_ID_BYTES;
    return *digits && strspn(digits, DIGITS) == strlen(digits);
}

/* True for a name that would say something else if it stood alone. */
static bool needs_prefix(const char *name)
{
    return ds_machine_name_is_id(name) || !strncmp(name, by_name, BY_NAME_BYTES);
}

void ds_machine_name_encode(const char *name, const char *id, bool ambiguous,
                            char file_name[DS_FILE_NAME_MAX_BYTES + 1])
{
    char escaped[DS_FILE_NAME_MAX_BYTES + 1];
    char whole[2 * DS_FILE_NAME_MAX_BYTES + BY_NAME_BYTES];
    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, name, escaped);
    int len = snprintf(whole, sizeof whole, "%s%s%s%s", needs_prefix(name) ? by_name : "", escaped,
                       ambiguous ? "%" : "", ambiguous ? id : "");
    bool fits =
        len <= DS_FILE_NAME_MAX_BYTES && !ds_file_name_needs_shortening(DS_FILE_NAME_IN_ROOT, name);
    if (fits)
        memcpy(file_name, whole, (size_t)len + 1);
    else if (ambiguous && ds_machine_name_is_id(id) && strlen(id) <= DS_FILE_NAME_MAX_BYTES)
        strcpy(file_name, id);
    else
        ds_file_name_shorten(name, file_name);
}

/* Where the "%" before an id at the end stands; NULL if there is none. */
static const char *find_id(const char *file_name)
{
    const char *mark = strrchr(file_name, '%');
    return mark && ds_machine_name_is_id(mark + 1) ? mark : NULL;
}

/* Reads what stands before the id, or all of it. */
static int decode_name(const char *file_name, size_t len, char **out)
{
    char text[DS_FILE_NAME_MAX_BYTES + 1];
    const char *escaped = text;
    memcpy(text, file_name, len);
    text[len] = '\0';
    if (!strncmp(text, by_name, BY_NAME_BYTES))
        escaped += BY_NAME_BYTES;
    int err = ds_file_name_decode(DS_FILE_NAME_IN_ROOT, escaped, out);
    /* A prefix that is not needed is none, and no machine is without a name. */
    if (!err && (!**out || (escaped != text) != needs_prefix(*out))) {
        free(*out);
        *out = NULL;
        err = -EINVAL;
    }
    return err;
}

int ds_machine_name_decode(const char *file_name, struct ds_machine_name *out)
{
    struct ds_machine_name read = {0};
    size_t len = strlen(file_name);
    if (len > DS_FILE_NAME_MAX_BYTES)
        return -ENAMETOOLONG;
    const char *mark = find_id(file_name);
    const char *id = ds_machine_name_is_id(file_name) ? file_name : mark ? mark + 1 : NULL;
    int err = 0;
    if (id != file_name)
        err = decode_name(file_name, mark ? (size_t)(mark - file_name) : len, &read.name);
    if (!err && id && !(read.id = strdup(id)))
        err = -ENOMEM;
    if (err)
        ds_machine_name_clear(&read);
    else
        *out = read;
    return err;
}

void ds_machine_name_clear(struct ds_machine_name *name)
{
    free(name->name);
    free(name->id);
    *name = (struct ds_machine_name){0};
}
