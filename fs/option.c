/* What the tables of options and their readers share. */
#include "option.h"

#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct fs_option *fs_option_in(const struct fs_option *table, const char *name)
{
    while (table->name && strcmp(table->name, name) != 0)
        table++;
    return table->name ? table : NULL;
}

int fs_option_refuse(char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, FS_OPTION_WHY_BYTES, format, list);
    va_end(list);
    ds_text_clean(why);
    return -EINVAL;
}

bool fs_option_number(const char *text, unsigned base, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)*text - '0';
        if (digit >= base || number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    if (number < min || number > max)
        return false;
    *out = number;
    return true;
}
