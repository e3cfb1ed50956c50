/* What somebody typed as SOURCE, and texts that become parts of a URL. */
#include "fuzz.h"

#include "client.h"
#include "client/rest/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The refusal is one line, and repeats nothing behind a user's name. */
static void require_refusal(const char *why, const char *source)
{
    const char *at = strrchr(source, '@');
    const char *colon = at ? memrchr(source, ':', (size_t)(at - source)) : NULL;
    char *password = colon ? strndup(colon + 1, (size_t)(at - colon - 1)) : NULL;
    require(*why && strlen(why) < DS_WHY_BYTES && !strchr(why, '\n'));
    /* A shorter one is a part of any message. */
    require(!password || strlen(password) < 24 || !strstr(why, password));
    free(password);
}

static void parse(int (*read)(const char *, struct ds_url *, char *), bool machine,
                  const char *source)
{
    char why[DS_WHY_BYTES] = "";
    struct ds_url url = {0};
    int err = read(source, &url, why);
    require(!err || err == -EINVAL);
    if (err) {
        require(!url.base && !url.host && !url.vm);
        require_refusal(why, source);
        return;
    }
    require(!strncmp(url.base, "https://", 8) && *url.host && strstr(url.base, url.host));
    require(!strchr(url.base + 8, '/') && !strchr(url.base, '@') && !strchr(url.base, '?'));
    require(machine ? url.vm && *url.vm : !url.vm);
    ds_url_clear(&url);
}

/* What is a segment is one whatever a proxy decodes. */
static void encode(const char *text)
{
    struct ds_buf out = {0};
    require(!ds_url_encode(&out, text));
    for (size_t i = 0; i < out.len; i++)
        require(isalnum((unsigned char)out.data[i]) || strchr("-._~%", out.data[i]));
    require(!ds_url_is_segment(text) ||
            (*text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0));
    require(!ds_url_add(&out, "key", text));
    ds_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_text(data, size);
    parse(ds_url_parse, true, text);
    parse(ds_url_parse_server, false, text);
    encode(text);
    free(text);
    return 0;
}
