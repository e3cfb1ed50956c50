/* A ~/.netrc with anything in it. */
#include "fuzz.h"

#include "client/rest/netrc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void look_for(const char *host, const uint8_t *data, size_t size)
{
    struct ds_login found = {0};
    unsigned lines = 1;
    unsigned line = 0;
    char *text = copy_text(data, size);
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    int err = ds_netrc_find(text, size, host, &found, &line);
    require(!err || err == -ENODATA || err == -EINVAL);
    require(err == -EINVAL ? line >= 1 && line <= lines : !line);
    if (!err) {
        require(*found.username && strlen(found.username) <= DS_USERNAME_MAX_BYTES);
        require(*found.password && strlen(found.password) <= DS_PASSWORD_MAX_BYTES);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    look_for("vc", data, size);
    look_for("", data, size);
    return 0;
}
