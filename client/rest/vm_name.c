/* Names of virtual machines as vSphere stores them. */
#include "vm_name.h"

#include "cleanup.h"
#include "url.h"

#include <string.h>
#include <strings.h>

static const struct {
    char plain;
    const char *stored;
} escapes[] = {{'/', "%2f"}, {'\\', "%5c"}, {'%', "%25"}};

enum { ESCAPES = sizeof escapes / sizeof *escapes, ESCAPE_BYTES = 3 };

static const char *stored_form(char plain)
{
    for (size_t i = 0; i < ESCAPES; i++)
        if (escapes[i].plain == plain)
            return escapes[i].stored;
    return NULL;
}

int ds_vm_name_store(struct ds_buf *out, const char *name)
{
    int err = ds_buf_puts(out, "");
    for (; *name && !err; name++) {
        const char *stored = stored_form(*name);
        err = stored ? ds_buf_puts(out, stored) : ds_buf_append(out, name, 1);
    }
    return err;
}

void ds_vm_name_read(char *name)
{
    char *to = name;
    while (*name) {
        char plain = *name;
        size_t len = 1;
        for (size_t i = 0; i < ESCAPES; i++) {
            if (strncasecmp(name, escapes[i].stored, ESCAPE_BYTES) != 0)
                continue;
            plain = escapes[i].plain;
            len = ESCAPE_BYTES;
        }
        *to++ = plain;
        name += len;
    }
    *to = '\0';
}

int ds_vm_name_add(struct ds_buf *url, const char *name)
{
    static const char parameter[] = "names";
    struct ds_buf stored DS_CLEANUP(ds_buf_free) = {0};
    int err = ds_vm_name_store(&stored, name);
    if (!err)
        err = ds_url_add(url, parameter, name);
    return err || !strcmp(stored.data, name) ? err : ds_url_add(url, parameter, stored.data);
}
