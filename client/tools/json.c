/* The JSON arguments of the tools channel's commands. */
#include "json.h"

#include "cleanup.h"

#include <errno.h>
#include <string.h>

/* As ds_buf_json_string() writes them. */
static size_t escaped_size(unsigned char byte)
{
    if (byte >= 0x20)
        return byte == '"' || byte == '\\' ? 2 : 1;
    return byte && strchr("\b\f\n\r\t", byte) ? 2 : 6;
}

size_t ds_tools_json_size(const char *text, size_t len)
{
    size_t size = 0;
    for (size_t i = 0; i < len; i++)
        size += escaped_size((unsigned char)text[i]);
    return size;
}

static bool continues_code_point(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t ds_tools_json_fit(const char *text, size_t len, size_t room)
{
    size_t fit = 0;
    for (size_t size = 0; fit < len; fit++) {
        size += escaped_size((unsigned char)text[fit]);
        if (size > room)
            break;
    }
    if (fit < len)
        while (fit && continues_code_point(text[fit]))
            fit--;
    return fit;
}

static int put_dataset(struct ds_buf *out, const char *dataset)
{
    int err = ds_buf_puts(out, "{\"dataset\":");
    return err ? err : ds_buf_json_string(out, dataset);
}

static int put_end(struct ds_buf *out, const char *context)
{
    int err = 0;
    if (context) {
        bool first = out->data[out->len - 1] == '{';
        err = ds_buf_puts(out, first ? "\"context\":" : ",\"context\":");
        if (!err)
            err = ds_buf_json_string(out, context);
    }
    return err ? err : ds_buf_puts(out, "}");
}

int ds_tools_json_dataset(struct ds_buf *out, const char *dataset, const char *context)
{
    int err = dataset ? put_dataset(out, dataset) : ds_buf_puts(out, "{");
    return err ? err : put_end(out, context);
}

int ds_tools_json_keys(struct ds_buf *out, const char *dataset, const char *const *keys,
                       size_t count, const char *context)
{
    int err = put_dataset(out, dataset);
    if (!err)
        err = ds_buf_puts(out, ",\"keys\":[");
    for (size_t i = 0; i < count && !err; i++) {
        if (i)
            err = ds_buf_puts(out, ",");
        if (!err)
            err = ds_buf_json_string(out, keys[i]);
    }
    if (!err)
        err = ds_buf_puts(out, "]");
    return err ? err : put_end(out, context);
}

/* {"key":K,"value":V without the closing brace. */
static int put_pair(struct ds_buf *out, const char *key, const char *value, size_t len)
{
    char *text DS_AUTO_FREE = malloc(len + 1);
    if (!text)
        return -ENOMEM;
    if (len)
        memcpy(text, value, len);
    text[len] = '\0';
    int err = ds_buf_reserve(out, ds_tools_json_size(text, len));
    if (!err)
        err = ds_buf_puts(out, "{\"key\":");
    if (!err)
        err = ds_buf_json_string(out, key);
    if (!err)
        err = ds_buf_puts(out, ",\"value\":");
    return err ? err : ds_buf_json_string(out, text);
}

int ds_tools_json_entry(struct ds_buf *out, const char *dataset, const char *key, const char *value,
                        size_t len, bool append)
{
    int err = put_dataset(out, dataset);
    if (!err)
        err = ds_buf_puts(out, ",\"entries\":[");
    if (!err)
        err = put_pair(out, key, value, len);
    return err ? err : ds_buf_puts(out, append ? ",\"append\":true}]}" : "}]}");
}

int ds_tools_json_pairs(struct ds_buf *out, const char *dataset, const struct ds_pair *pairs,
                        size_t count, size_t most, size_t *taken)
{
    static const char end[] = "]}";
    size_t begin = out->len;
    int err = put_dataset(out, dataset);
    if (!err)
        err = ds_buf_puts(out, ",\"entries\":[");
    *taken = 0;
    for (size_t i = 0; i < count && !err; i++) {
        size_t before = out->len;
        if (i)
            err = ds_buf_puts(out, ",");
        if (!err)
            err = put_pair(out, pairs[i].key, pairs[i].data, pairs[i].len);
        if (!err)
            err = ds_buf_puts(out, "}");
        if (!err && out->len - begin + strlen(end) > most) {
            out->len = before;
            break;
        }
        *taken += !err;
    }
    if (!err)
        err = ds_buf_puts(out, end);
    if (!*taken && out->data) {
        out->len = begin;
        out->data[begin] = '\0';
    }
    return err;
}
