#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(int err)
{
    if (!err)
        return;
    fputs("datasets-sim: out of memory\n", stderr);
    abort();
}

void sim_out_bytes(struct ds_buf *out, const char *data, size_t len)
{
    need(ds_buf_append(out, data, len));
}

void sim_out_text(struct ds_buf *out, const char *text)
{
    need(ds_buf_puts(out, text));
}

void sim_out_format(struct ds_buf *out, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    need(len < 0);
    need(ds_buf_append(out, text, (size_t)len));
    free(text);
}

/* How `byte` must be written; its length, or 0 if it stands for itself. */
static size_t escape(unsigned char byte, bool raw, char text[8])
{
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";

    /* \b and \f always: "some" control characters, not all. */
    if (raw && byte < 0x20 && byte != '\b' && byte != '\f')
        return 0;
    const char *found = byte ? strchr(special, byte) : NULL;
    if (found)
        return (size_t)snprintf(text, 8, "\\%c", letters[found - special]);
    return byte < 0x20 ? (size_t)snprintf(text, 8, "\\u%04x", byte) : 0;
}

void sim_out_json(struct ds_buf *out, const char *data, size_t len, bool raw)
{
    size_t plain = 0;
    need(ds_buf_reserve(out, len + 2));
    sim_out_text(out, "\"");
    for (size_t i = 0; i < len; i++) {
        char text[8];
        size_t escaped = escape((unsigned char)data[i], raw, text);
        if (!escaped)
            continue;
        sim_out_bytes(out, data + plain, i - plain);
        sim_out_bytes(out, text, escaped);
        plain = i + 1;
    }
    sim_out_bytes(out, data + plain, len - plain);
    sim_out_text(out, "\"");
}

void sim_out_cut(struct ds_buf *out, size_t len)
{
    if (len >= out->len)
        return;
    out->len = len;
    out->data[len] = '\0';
}

void sim_out_file(struct ds_buf *out, const char *path)
{
    char chunk[4096];
    size_t got;
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "datasets-sim: %s: %s\n", path, strerror(errno));
        return;
    }
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        sim_out_bytes(out, chunk, got);
    fclose(file);
}
