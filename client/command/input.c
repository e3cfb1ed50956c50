/* What commands read. */
#include "input.h"

#include "../base/json_load.h"
#include "cleanup.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* All that a machine can hold, each byte escaped, and the keys' names. */
#define OBJECT_MAX_BYTES (7 * (size_t)DS_TOTAL_MAX_BYTES)

static enum ds_status tell(const char *file, const char *words)
{
    if (ds_session_interrupted())
        return DS_STATUS_FAILED;
    ds_log(DS_LOG_ERROR, "%s: %s", file != NULL ? file : "standard input", words);
    return DS_STATUS_FAILED;
}

int ds_input_all(int fd, size_t most, struct ds_buf *out)
{
    enum { CHUNK_BYTES = 65536 };
    ssize_t got;

    do {
        if (ds_buf_reserve(out, CHUNK_BYTES) != 0)
            return -ENOMEM;
        got = read(fd, out->data + out->len, CHUNK_BYTES);
        if (got < 0 && (errno != EINTR || ds_session_interrupted()))
            return -errno;
        out->len += got > 0 ? (size_t)got : 0;
        out->data[out->len] = '\0';
    } while (got != 0 && out->len <= most);
    return out->len <= most ? 0 : -EFBIG;
}

enum ds_status ds_input_read(const char *file, size_t most, struct ds_buf *out)
{
    int opened DS_AUTO_CLOSE = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    int err;

    if (file != NULL && opened < 0)
        return tell(file, strerror(errno));
    err = ds_input_all(file != NULL ? opened : STDIN_FILENO, most, out);
    if (err == -EFBIG)
        return tell(file, "too long");
    return err == 0 ? DS_STATUS_OK : tell(file, strerror(-err));
}

enum ds_status ds_input_object(const char *file, json_t **out)
{
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    enum ds_status status = ds_input_read(file, OBJECT_MAX_BYTES, &text);
    json_error_t fault;
    int err;

    if (status != DS_STATUS_OK)
        return status;
    err = ds_json_parse(text.data, text.len, JSON_REJECT_DUPLICATES, &fault, out);
    if (err == -ENOMEM)
        return tell(file, strerror(ENOMEM));
    if (err == 0 && json_is_object(*out))
        return DS_STATUS_OK;
    if (err == 0)
        json_decref(*out);
    if (err == 0)
        tell(file, "expected a JSON object");
    else
        ds_log(DS_LOG_ERROR, "%s: line %d, column %d: not JSON: %s",
               file != NULL ? file : "standard input", fault.line, fault.column, fault.text);
    return DS_STATUS_USAGE;
}
