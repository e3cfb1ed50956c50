/* A growing byte buffer. */
#ifndef DS_BUF_H
#define DS_BUF_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed is empty and valid. `data` is NUL-terminated whenever it is not NULL; `len` does not count
 * that NUL. */
struct ds_buf {
    char *data;
    size_t len;
    size_t capacity; /* bytes allocated, with the NUL */
};

/* Makes room for `more` bytes beyond `len`. 0 or -ENOMEM (also on overflow). */
int ds_buf_reserve(struct ds_buf *buf, size_t more);

/* Appends `len` bytes; `data` may be NULL when `len` is 0. 0 or -ENOMEM, then unchanged. */
int ds_buf_append(struct ds_buf *buf, const void *data, size_t len);

/* Appends a C string. 0 or -ENOMEM. */
int ds_buf_puts(struct ds_buf *buf, const char *text);

/* Appends formatted text. 0 or -ENOMEM. */
int ds_buf_printf(struct ds_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends `text` as a quoted JSON string; bytes from 0x80 on are copied as they are. 0 or -ENOMEM.
 */
int ds_buf_json_string(struct ds_buf *buf, const char *text);

/* Frees the content and zeroes the buffer. Harmless on a zeroed one. */
void ds_buf_free(struct ds_buf *buf);

#endif
