/* Text that grows; a simulator without memory ends at once. */
#ifndef SIM_OUT_H
#define SIM_OUT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

void sim_out_bytes(struct ds_buf *out, const char *data, size_t len);
void sim_out_text(struct ds_buf *out, const char *text);
void sim_out_format(struct ds_buf *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A quoted JSON string. `raw`: most control characters stay as they are, which JSON forbids. */
void sim_out_json(struct ds_buf *out, const char *data, size_t len, bool raw);

/* The bytes of a file; nothing if it cannot be read, which is said on standard error. */
void sim_out_file(struct ds_buf *out, const char *path);

/* Shortens the text to `len` bytes. */
void sim_out_cut(struct ds_buf *out, size_t len);

#endif
