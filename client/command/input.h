/* What commands read. */
#ifndef DS_INPUT_H
#define DS_INPUT_H

#include "buf.h"
#include "session.h"

#include <jansson.h>

/* Reads all that `fd` has, but no more than `most` bytes. 0; -EFBIG; -ENOMEM; the errno of
 * read(2), -EINTR only after a signal that ends the command. */
int ds_input_all(int fd, size_t most, struct ds_buf *out);

/* Reads all of a file, or of standard input if that is NULL, but no more than `most` bytes. The
 * status; what went wrong is told. `out` is freed by the caller in any case. */
enum ds_status ds_input_read(const char *file, size_t most, struct ds_buf *out);

/* The same as one JSON object without a name twice, new in `*out`. */
enum ds_status ds_input_object(const char *file, json_t **out);

#endif
