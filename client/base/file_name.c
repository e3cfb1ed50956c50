/* File names of keys and DataSets, both ways. Pure. */
#include "file_name.h"

#include "sha256.h"
#include "utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ESCAPE_BYTES = 3, /* %XX */
    DIGEST_BYTES = 8,
    MARK_BYTES = 2 + 2 * DIGEST_BYTES, /* %~ and the digits */
    PREFIX_MAX_BYTES = DS_FILE_NAME_MAX_BYTES - MARK_BYTES,
    /* A cut loses at most the first three bytes of a code point. */
    PREFIX_MIN_BYTES = PREFIX_MAX_BYTES - 3,
};

static const char mark[] = "%~";

/* The name of a key that is escaped as a whole; NULL for all other keys. */
static const char *whole_name(enum ds_file_name_place place, const char *key)
{
    if (!*key)
        return "%";
    if (!strcmp(key, "."))
        return "%2E";
    if (!strcmp(key, ".."))
        return "%2E%2E";
    if (place == DS_FILE_NAME_IN_ROOT && !strcmp(key, DS_FILE_NAME_CONTROL))
        return "%2Edatasetfs";
    return NULL;
}

static bool is_escaped(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7F || byte == '/' || byte == '%';
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Bytes of the code point at `text`, which is not at its end. */
static size_t code_point_bytes(const char *text)
{
    size_t len = 1;
    while (len < 4 && is_continuation(text[len]))
        len++;
    return len;
}

/* Writes as many whole characters as fit into `room` bytes and a NUL. True if that was all. */
static bool encode_up_to(size_t room, const char *key, char *name)
{
    size_t len = 0;
    bool fits = true;
    while (*key) {
        unsigned char byte = (unsigned char)*key;
        size_t from = is_escaped(byte) ? 1 : code_point_bytes(key);
        size_t to = is_escaped(byte) ? ESCAPE_BYTES : from;
        fits = len + to <= room;
        if (!fits)
            break;
        if (is_escaped(byte))
            snprintf(name + len, ESCAPE_BYTES + 1, "%%%02X", byte);
        else
            memcpy(name + len, key, to);
        key += from;
        len += to;
    }
    name[len] = '\0';
    return fits;
}

static void append_mark(const char *key, char *name)
{
    uint8_t digest[DS_SHA256_BYTES];

    ds_sha256(key, strlen(key), digest);

    char *end = stpcpy(name + strlen(name), mark);
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        end += snprintf(end, 3, "%02x", digest[i]);
}

void ds_file_name_encode(enum ds_file_name_place place, const char *key,
                         char name[DS_FILE_NAME_MAX_BYTES + 1])
{
    const char *whole = whole_name(place, key);
    if (whole) {
        strcpy(name, whole);
        return;
    }
    if (!encode_up_to(DS_FILE_NAME_MAX_BYTES, key, name))
        ds_file_name_shorten(key, name);
}

void ds_file_name_shorten(const char *key, char name[DS_FILE_NAME_MAX_BYTES + 1])
{
    encode_up_to(PREFIX_MAX_BYTES, key, name);
    append_mark(key, name);
}

/* The value of an upper-case hexadecimal digit, or -1. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Undoes the escapes. `key` has room for `name`. */
static int unescape(const char *name, char *key)
{
    while (*name) {
        if (*name != '%') {
            *key++ = *name++;
            continue;
        }
        int high = digit_value(name[1]);
        int low = high < 0 ? -1 : digit_value(name[2]);
        if (low < 0)
            return -EINVAL;
        *key++ = (char)(high << 4 | low);
        name += ESCAPE_BYTES;
    }
    *key = '\0';
    return 0;
}

int ds_file_name_decode(enum ds_file_name_place place, const char *name, char **key)
{
    size_t len = strlen(name);
    if (len > DS_FILE_NAME_MAX_BYTES)
        return -ENAMETOOLONG;
    if (!ds_utf8_valid(name, len))
        return -EILSEQ;

    char decoded[DS_FILE_NAME_MAX_BYTES + 1] = "";
    int err = strcmp(name, "%") != 0 ? unescape(name, decoded) : 0;
    if (err)
        return err;
    /* One key, one name: this also refuses "%00", "%ff", "%41" and what is escaped needlessly. */
    char again[DS_FILE_NAME_MAX_BYTES + 1];
    ds_file_name_encode(place, decoded, again);
    if (strcmp(name, again) != 0)
        return -EINVAL;
    char *copy = strdup(decoded);
    if (!copy)
        return -ENOMEM;
    *key = copy;
    return 0;
}

/* True if `prefix` could be the beginning of an encoded key. */
static bool is_encoded_prefix(const char *prefix)
{
    char decoded[DS_FILE_NAME_MAX_BYTES + 1];
    char again[DS_FILE_NAME_MAX_BYTES + 1];
    return !unescape(prefix, decoded) && encode_up_to(DS_FILE_NAME_MAX_BYTES, decoded, again) &&
           !strcmp(prefix, again);
}

bool ds_file_name_is_shortened(const char *name)
{
    size_t len = strlen(name);
    if (len < PREFIX_MIN_BYTES + MARK_BYTES || len > DS_FILE_NAME_MAX_BYTES ||
        !ds_utf8_valid(name, len))
        return false;
    size_t prefix_len = len - MARK_BYTES;
    const char *digits = name + prefix_len + sizeof mark - 1;
    if (strncmp(name + prefix_len, mark, sizeof mark - 1) != 0 ||
        strspn(digits, "0123456789abcdef") != 2 * DIGEST_BYTES)
        return false;

    char prefix[PREFIX_MAX_BYTES + 1];
    memcpy(prefix, name, prefix_len);
    prefix[prefix_len] = '\0';
    return is_encoded_prefix(prefix);
}

bool ds_file_name_needs_shortening(enum ds_file_name_place place, const char *key)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    return !whole_name(place, key) && !encode_up_to(DS_FILE_NAME_MAX_BYTES, key, name);
}
