/* A growing byte buffer. */
#include "buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };
#define MOST ((size_t)PTRDIFF_MAX) /* no object is larger */

int ds_buf_reserve(struct ds_buf *buf, size_t more)
{
    if (buf->len >= MOST || more > MOST - 1 - buf->len)
        return -ENOMEM;
    size_t need = buf->len + more + 1;
    if (need <= buf->capacity)
        return 0;

    size_t capacity = buf->capacity <= MOST / 2 ? buf->capacity * 2 : need;
    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    if (capacity < need)
        capacity = need;
    char *data = realloc(buf->data, capacity);
    if (!data)
        return -ENOMEM;
    data[buf->len] = '\0';
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int ds_buf_append(struct ds_buf *buf, const void *data, size_t len)
{
    int err = ds_buf_reserve(buf, len);
    if (err)
        return err;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int ds_buf_puts(struct ds_buf *buf, const char *text)
{
    return ds_buf_append(buf, text, strlen(text));
}

int ds_buf_printf(struct ds_buf *buf, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (len < 0)
        return -ENOMEM;
    int err = ds_buf_reserve(buf, (size_t)len);
    if (err)
        return err;
    va_start(list, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, list);
    va_end(list);
    buf->len += (size_t)len;
    return 0;
}

/* Writes the escape of `byte` and returns its length, or 0 if the byte stands for itself. */
static size_t json_escape(unsigned char byte, char escape[8])
{
    static const char hex[] = "0123456789abcdef";
    static const char short_bytes[] = "\"\\\b\f\n\r\t";
    static const char short_letters[] = "\"\\bfnrt";

    const char *found = byte ? strchr(short_bytes, byte) : NULL;
    if (found) {
        escape[0] = '\\';
        escape[1] = short_letters[found - short_bytes];
        return 2;
    }
    if (byte >= 0x20)
        return 0;
    memcpy(escape, "\\u00", 4);
    escape[4] = hex[byte >> 4];
    escape[5] = hex[byte & 0x0F];
    return 6;
}

int ds_buf_json_string(struct ds_buf *buf, const char *text)
{
    size_t start = buf->len;
    int err = ds_buf_append(buf, "\"", 1);
    const char *plain = text;

    for (const char *p = text; !err; p++) {
        char escape[8];
        size_t len = *p ? json_escape((unsigned char)*p, escape) : 0;
        if (*p && !len)
            continue;
        err = ds_buf_append(buf, plain, (size_t)(p - plain));
        if (!*p)
            break;
        if (!err)
            err = ds_buf_append(buf, escape, len);
        plain = p + 1;
    }
    if (!err)
        err = ds_buf_append(buf, "\"", 1);
    if (err && buf->data) {
        buf->len = start;
        buf->data[start] = '\0';
    }
    return err;
}

void ds_buf_free(struct ds_buf *buf)
{
    free(buf->data);
    *buf = (struct ds_buf){0};
}
