/* Text on its way to a terminal. */
#include "text.h"

#include "utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Ranges of code points that are not shown (Unicode 15: the categories Cc, Cf, Zl and Zp, and the
 * letters and marks without width that can hide in a name), in their order. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1F},       /* C0 */
    {0x7F, 0x9F},       /* DEL and C1 */
    {0xAD, 0xAD},       /* soft hyphen */
    {0x34F, 0x34F},     /* grapheme joiner */
    {0x600, 0x605},     /* Arabic number signs */
    {0x61C, 0x61C},     /* Arabic letter mark */
    {0x6DD, 0x6DD},     /* Arabic end of ayah */
    {0x70F, 0x70F},     /* Syriac abbreviation mark */
    {0x890, 0x891},     /* Arabic pound and piastre marks */
    {0x8E2, 0x8E2},     /* Arabic disputed end of ayah */
    {0x115F, 0x1160},   /* Hangul fillers */
    {0x17B4, 0x17B5},   /* Khmer inherent vowels */
    {0x180B, 0x180F},   /* Mongolian separators */
    {0x200B, 0x200F},   /* zero width, marks of direction */
    {0x2028, 0x202E},   /* separators, embeddings and overrides */
    {0x2060, 0x206F},   /* joiners, isolates, deprecated ones */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xFE00, 0xFE0F},   /* variation selectors */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFA0, 0xFFA0},   /* Hangul filler */
    {0xFFF0, 0xFFFB},   /* annotations */
    {0x110BD, 0x110BD}, /* Kaithi number sign */
    {0x110CD, 0x110CD}, /* Kaithi number sign above */
    {0x13430, 0x1343F}, /* Egyptian format controls */
    {0x1BCA0, 0x1BCA3}, /* shorthand format controls */
    {0x1D173, 0x1D17A}, /* musical format controls */
    {0xE0000, 0xE0FFF}, /* tags, more variation selectors */
};

static bool is_hidden(uint32_t code)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden && hidden[i].first <= code; i++)
        if (code <= hidden[i].last)
            return true;
    return false;
}

/* The code point at `text`, with its length; length 0 if it is not UTF-8. */
static uint32_t code_point(const char *text, size_t *len)
{
    unsigned char lead = (unsigned char)*text;
    *len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (strnlen(text, *len) < *len || !ds_utf8_valid(text, *len)) {
        *len = 0;
        return 0;
    }
    uint32_t code = *len == 1 ? lead : lead & (0xFFU >> (*len + 1));
    for (size_t i = 1; i < *len; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    return code;
}

void ds_text_clean(char *text)
{
    char *to = text;
    while (*text) {
        size_t len;
        uint32_t code = code_point(text, &len);
        if (!len || is_hidden(code)) {
            *to++ = '?';
            text += len ? len : 1;
            continue;
        }
        memmove(to, text, len);
        to += len;
        text += len;
    }
    *to = '\0';
}
