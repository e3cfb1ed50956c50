/* What JSON text is looked at for before it is parsed. */
#include "json_text.h"

#include "utf8.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In place of a number that no double holds. */
#define LARGEST 1e300

enum { ESCAPE_BYTES = 6 /* \u0000 */, NUMBER_COPY_BYTES = 400 };

struct scanner {
    const char *text;
    size_t len;
    size_t at;
    unsigned elements;
    unsigned depth;
    bool is_object[DS_JSON_TEXT_MAX_DEPTH + 1]; /* of each depth */
    bool after_colon;
    struct ds_buf *out; /* what has been mended so far */
    size_t copied;      /* of `text`, to there */
};

/* `by` takes the place of the text from `at` on, of which `count` bytes are passed over. */
static int replace(struct scanner *scanner, size_t count, const char *by)
{
    int err =
        ds_buf_append(scanner->out, scanner->text + scanner->copied, scanner->at - scanner->copied);
    if (!err)
        err = ds_buf_puts(scanner->out, by);
    scanner->at += count;
    scanner->copied = scanner->at;
    return err;
}

static int replace_no_text(struct scanner *scanner, size_t count, bool is_name)
{
    return replace(scanner, count, is_name ? "\\ufffd" : "\\u0000");
}

/* The code unit of an escape \uXXXX at `at`, or -1. */
static long code_unit(const struct scanner *scanner, size_t at)
{
    char digits[5] = "";
    char *end;
    if (at + ESCAPE_BYTES > scanner->len || scanner->text[at] != '\\' ||
        scanner->text[at + 1] != 'u')
        return -1;
    memcpy(digits, scanner->text + at + 2, 4);
    if (strspn(digits, "0123456789abcdefABCDEF") != 4)
        return -1;
    return strtol(digits, &end, 16);
}

static bool is_high(long unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(long unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static int scan_escape(struct scanner *scanner, bool is_name)
{
    long unit = code_unit(scanner, scanner->at);
    if (is_high(unit) && is_low(code_unit(scanner, scanner->at + ESCAPE_BYTES))) {
        scanner->at += (size_t)2 * ESCAPE_BYTES;
        return 0;
    }
    if (unit == 0 || is_high(unit) || is_low(unit))
        return replace_no_text(scanner, ESCAPE_BYTES, is_name);
    if (scanner->at + 1 < scanner->len && (unsigned char)scanner->text[scanner->at + 1] < 0x20)
        return -EPROTO;
    scanner->at += scanner->at + 1 < scanner->len ? 2 : 1;
    return 0;
}

/* The bytes from 0x80 on that follow one another. */
static int scan_high(struct scanner *scanner, bool is_name)
{
    size_t end = scanner->at;
    while (end < scanner->len && (unsigned char)scanner->text[end] >= 0x80)
        end++;
    int err = 0;
    while (scanner->at < end && !err) {
        scanner->at += ds_utf8_prefix(scanner->text + scanner->at, end - scanner->at, NULL);
        if (scanner->at < end)
            err = replace_no_text(scanner, 1, is_name);
    }
    return err;
}

static int scan_control(struct scanner *scanner, bool is_name)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char byte = (unsigned char)scanner->text[scanner->at];
    char escape[] = "\\u0000";
    if (!byte)
        return replace_no_text(scanner, 1, is_name);
    escape[ESCAPE_BYTES - 2] = digits[byte >> 4];
    escape[ESCAPE_BYTES - 1] = digits[byte & 15];
    return replace(scanner, 1, escape);
}

/* From behind the opening quote to behind the closing one, or to the end. */
static int scan_string(struct scanner *scanner)
{
    bool is_name = scanner->is_object[scanner->depth] && !scanner->after_colon;
    int err = 0;
    while (scanner->at < scanner->len && !err) {
        unsigned char byte = (unsigned char)scanner->text[scanner->at];
        if (byte == '"') {
            scanner->at++;
            return 0;
        }
        if (byte == '\\')
            err = scan_escape(scanner, is_name);
        else if (byte >= 0x80)
            err = scan_high(scanner, is_name);
        else if (byte < 0x20)
            err = scan_control(scanner, is_name);
        else
            scanner->at++;
    }
    return err;
}

/* True for a number as JSON writes it: others are the parser's to refuse. */
static bool is_number(const char *text, size_t len)
{
    static const char digits[] = "0123456789";
    const char *p = text + (*text == '-');
    size_t whole = strspn(p, digits);
    if (!whole || (*p == '0' && whole > 1))
        return false;
    p += whole;
    if (*p == '.') {
        size_t fraction = strspn(p + 1, digits);
        if (!fraction)
            return false;
        p += 1 + fraction;
    }
    if (*p == 'e' || *p == 'E') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        size_t exponent = strspn(p, digits);
        if (!exponent)
            return false;
        p += exponent;
    }
    return p == text + len;
}

/* True if a 64-bit integer, or a double if it is written as one, holds it. */
static bool is_held(const char *number)
{
    errno = 0;
    if (number[strcspn(number, ".eE")])
        return isfinite(strtod(number, NULL));
    long long value = strtoll(number, NULL, 10);
    (void)value;
    return errno == 0;
}

static int scan_number(struct scanner *scanner)
{
    enum { HARMLESS_BYTES = 15 };
    char copy[NUMBER_COPY_BYTES];
    const char *begin = scanner->text + scanner->at;
    size_t len = 0;
    while (scanner->at + len < scanner->len && strchr("+-.0123456789eE", begin[len]) && begin[len])
        len++;
    bool negative = *begin == '-';
    if (len >= sizeof copy)
        return -EPROTO;
    memcpy(copy, begin, len);
    copy[len] = '\0';
    bool harmless = len <= HARMLESS_BYTES && !copy[strcspn(copy, "eE")];
    if (harmless || !is_number(copy, len) || is_held(copy)) {
        scanner->at += len;
        return 0;
    }
    double value = strtod(copy, NULL);
    char mended[32];
    if (!(value >= -LARGEST && value <= LARGEST))
        return replace(scanner, len, negative ? "-1e300" : "1e300");
    snprintf(mended, sizeof mended, "%.17e", value);
    return replace(scanner, len, mended);
}

static int open_level(struct scanner *scanner, bool is_object)
{
    if (++scanner->depth > DS_JSON_TEXT_MAX_DEPTH)
        return -EPROTO;
    scanner->is_object[scanner->depth] = is_object;
    scanner->after_colon = false;
    return ++scanner->elements > DS_JSON_TEXT_MAX_ELEMENTS ? -EPROTO : 0;
}

static int scan(struct scanner *scanner)
{
    char byte = scanner->text[scanner->at];
    if (byte == '-' || (byte >= '0' && byte <= '9'))
        return scan_number(scanner);
    scanner->at++;
    switch (byte) {
    case '"':
        return scan_string(scanner);
    case '[':
    case '{':
        return open_level(scanner, byte == '{');
    case ']':
    case '}':
        scanner->after_colon = false;
        return scanner->depth-- ? 0 : -EPROTO;
    case ',':
        scanner->after_colon = false;
        return ++scanner->elements > DS_JSON_TEXT_MAX_ELEMENTS ? -EPROTO : 0;
    case ':':
        scanner->after_colon = true;
        return 0;
    default:
        return 0;
    }
}

int ds_json_text_clean(const char *text, size_t len, struct ds_buf *out)
{
    struct scanner scanner = {.text = text, .len = len, .out = out};
    if (len > DS_JSON_TEXT_MAX_BYTES)
        return -EPROTO;
    int err = 0;
    while (scanner.at < len && !err)
        err = scan(&scanner);
    if (!err && scanner.copied)
        err = ds_buf_append(out, text + scanner.copied, len - scanner.copied);
    if (err)
        ds_buf_free(out);
    return err;
}
