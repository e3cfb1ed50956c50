/* What JSON text is looked at for before it is parsed. */
#include "json_text.h"

#include <errno.h>
#include <stdbool.h>

struct scanner {
    bool in_string;
    bool escaped;
    unsigned depth;
    unsigned elements;
    size_t raw; /* control characters inside strings */
};

static int scan_outside(struct scanner *scanner, char byte)
{
    switch (byte) {
    case '"':
        scanner->in_string = true;
        return 0;
    case '[':
    case '{':
        if (++scanner->depth > DS_JSON_TEXT_MAX_DEPTH)
            return -EPROTO;
        break;
    case ']':
    case '}':
        if (!scanner->depth--)
            return -EPROTO;
        return 0;
    case ',':
        break;
    default:
        return 0;
    }
    return ++scanner->elements > DS_JSON_TEXT_MAX_ELEMENTS ? -EPROTO : 0;
}

static int scan_inside(struct scanner *scanner, char byte)
{
    bool raw = (unsigned char)byte < 0x20;
    if (raw && scanner->escaped)
        return -EPROTO;
    if (raw)
        scanner->raw++;
    if (scanner->escaped)
        scanner->escaped = false;
    else if (byte == '\\')
        scanner->escaped = true;
    else if (byte == '"')
        scanner->in_string = false;
    return 0;
}

static int scan(struct scanner *scanner, char byte)
{
    return scanner->in_string ? scan_inside(scanner, byte) : scan_outside(scanner, byte);
}

/* Copies the text, which has been scanned, with `raw` characters escaped. */
static int escape(const char *text, size_t len, size_t raw, struct ds_buf *out)
{
    enum { ESCAPE_BYTES = 6 };
    int err = ds_buf_reserve(out, len + raw * ESCAPE_BYTES);
    struct scanner scanner = {0};
    for (size_t i = 0; i < len && !err; i++) {
        size_t before = scanner.raw;
        err = scan(&scanner, text[i]);
        if (err)
            break;
        if (scanner.raw == before)
            err = ds_buf_append(out, &text[i], 1);
        else
            err = ds_buf_printf(out, "\\u%04x", (unsigned)text[i]);
    }
    return err;
}

int ds_json_text_clean(const char *text, size_t len, struct ds_buf *out)
{
    if (len > DS_JSON_TEXT_MAX_BYTES)
        return -EPROTO;
    struct scanner scanner = {0};
    for (size_t i = 0; i < len; i++) {
        int err = scan(&scanner, text[i]);
        if (err)
            return err;
    }
    if (!scanner.raw)
        return 0;
    int err = escape(text, len, scanner.raw, out);
    if (err)
        ds_buf_free(out);
    return err;
}
