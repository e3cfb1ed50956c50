/* What of a list can be a name. */
#include "listed.h"

#include "cleanup.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_good(const char *name, bool keys)
{
    static const size_t max_bytes[] = {DS_NAME_MAX_BYTES, DS_KEY_MAX_BYTES};
    size_t len = strlen(name);
    return (len || keys) && len <= max_bytes[keys] && ds_utf8_valid(name, len);
}

/* Equal names stand together, and the first of them first. */
static int compare(const void *a, const void *b)
{
    char *const *left = *(char *const *const *)a;
    char *const *right = *(char *const *const *)b;
    int order = strcmp(*left, *right);
    return order ? order : (left > right) - (left < right);
}

/* Takes out what is told twice, and leaves NULL there. */
static int drop_repeated(struct ds_names *names)
{
    char ***sorted DS_AUTO_FREE = calloc(names->count, sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < names->count; i++)
        sorted[i] = &names->names[i];
    qsort(sorted, names->count, sizeof *sorted, compare);
    for (size_t i = 1, first = 0; i < names->count; i++) {
        if (strcmp(*sorted[first], *sorted[i]) != 0) {
            first = i;
            continue;
        }
        *sorted[i] = NULL;
    }
    return 0;
}

int ds_listed_check(struct ds_names *names, bool keys)
{
    int err = names->count ? drop_repeated(names) : 0;
    if (err)
        return err;
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++) {
        char *name = names->names[i];
        if (name && is_good(name, keys)) {
            names->names[kept++] = name;
            continue;
        }
        names->left_out += name != NULL;
    }
    names->count = kept;
    return 0;
}
