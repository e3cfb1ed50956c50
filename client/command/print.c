/* What commands print. */
#include "print.h"

#include "cleanup.h"
#include "file_name.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ds_print_bytes(const char *data, size_t len)
{
    if (len > 0)
        fwrite(data, 1, len, stdout);
}

void ds_print_nul(const char *data, size_t len)
{
    ds_print_bytes(data, len);
    putchar('\0');
}

int ds_print_json(const json_t *json)
{
    char *text DS_AUTO_FREE = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);

    if (text == NULL)
        return -ENOMEM;
    ds_print_bytes(text, strlen(text));
    putchar('\n');
    return 0;
}

int ds_print_add(json_t *object, const struct ds_entry *entry)
{
    const char *value = entry->value.data != NULL ? entry->value.data : "";

    return json_object_set_new(object, entry->key, json_stringn(value, entry->value.len)) == 0
               ? 0
               : -ENOMEM;
}

static int print_array(char *const *names, size_t count)
{
    json_t *array = json_array();
    int err = array != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < count && err == 0; i++)
        if (json_array_append_new(array, json_string(names[i])) != 0)
            err = -ENOMEM;
    if (err == 0)
        err = ds_print_json(array);
    json_decref(array);
    return err;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int ds_print_names(const struct ds_session *session, const struct ds_names *names, bool keys)
{
    enum ds_file_name_place place = keys ? DS_FILE_NAME_IN_DATASET : DS_FILE_NAME_IN_ROOT;
    char **sorted DS_AUTO_FREE = calloc(names->count + 1, sizeof(*sorted));
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    bool terminal = isatty(STDOUT_FILENO) == 1;

    if (sorted == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < names->count; i++)
        sorted[i] = names->names[i];
    qsort(sorted, names->count, sizeof(*sorted), compare);
    if (session->arguments->json)
        return print_array(sorted, names->count);
    for (size_t i = 0; i < names->count; i++) {
        if (session->arguments->nul) {
            ds_print_nul(sorted[i], strlen(sorted[i]));
            continue;
        }
        ds_file_name_encode(place, sorted[i], name);
        if (terminal)
            ds_text_clean(name);
        puts(name);
    }
    return 0;
}
