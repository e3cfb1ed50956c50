/* UTF-8 after RFC 3629, without NUL. */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

/* The length of the code point that begins with `lead`, 0 if none does; `*low` and `*high` bound
 * its second byte, which is where overlong forms, surrogates and values over U+10FFFF show. */
static size_t sequence(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0x01 && lead <= 0x7F)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0)
            *low = 0xA0;
        if (lead == 0xED)
            *high = 0x9F;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0)
            *low = 0x90;
        if (lead == 0xF4)
            *high = 0x8F;
        return 4;
    }
    return 0;
}

/* The length of the leading run of whole 8-byte words of ASCII without NUL. */
static size_t ascii_run(const char *data, size_t len)
{
    const uint64_t ones = 0x0101010101010101ULL;
    const uint64_t tops = 0x8080808080808080ULL;
    size_t at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, data + at, sizeof word);
        /* The subtraction borrows into a top bit if a byte is 0. */
        if ((word | (word - ones)) & tops)
            break;
    }
    return at;
}

size_t ds_utf8_prefix(const char *data, size_t len, bool *incomplete)
{
    const unsigned char *bytes = (const unsigned char *)data;
    bool cut = false;
    size_t at = 0;

    while (at < len) {
        if (bytes[at] < 0x80) {
            at += ascii_run(data + at, len - at);
            if (at == len)
                break;
        }
        unsigned char low, high;
        size_t need = sequence(bytes[at], &low, &high);
        size_t have = need ? 1 : 0;
        while (have && have < need && at + have < len && bytes[at + have] >= low &&
               bytes[at + have] <= high) {
            low = 0x80;
            high = 0xBF;
            have++;
        }
        if (!have || have < need) {
            cut = have && at + have == len;
            break;
        }
        at += need;
    }
    if (incomplete)
        *incomplete = cut;
    return at;
}

bool ds_utf8_valid(const char *data, size_t len)
{
    return ds_utf8_prefix(data, len, NULL) == len;
}
