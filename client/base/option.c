/* Words of -o. */
#include "option.h"

#include "cleanup.h"
#include "text.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_MAX_BYTES = 80 /* of a wrong value, in a message */ };

int ds_option_refuse(char *why, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(why, DS_OPTION_WHY_BYTES, format, list);
    va_end(list);
    ds_text_clean(why);
    return -EINVAL;
}

int ds_option_shown_bytes(const char *value)
{
    if (strchr(value, '@') != NULL)
        return 0;
    return (int)ds_utf8_prefix(value, strnlen(value, SHOWN_MAX_BYTES), NULL);
}

int ds_option_refuse_unknown(char *why, const char *word)
{
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    if (len == 0 || len > SHOWN_MAX_BYTES || strchr(word, '@') != NULL ||
        (word[len] != '\0' && word[len] != '='))
        return ds_option_refuse(why, "unknown option (see datasetfs -h)");
    return ds_option_refuse(why, "unknown option '%.*s' (see datasetfs -h)", (int)len, word);
}

bool ds_option_number(const char *text, unsigned base, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
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

int ds_option_seconds(const char *value, uint64_t min, uint64_t max, int64_t *out_ms)
{
    uint64_t seconds;

    if (!ds_option_number(value, 10, min, max, &seconds))
        return -EINVAL;
    *out_ms = (int64_t)seconds * 1000;
    return 0;
}

int ds_option_set_flag(void *to, const struct ds_option *option, const char *value)
{
    (void)value;
    *(bool *)((char *)to + option->flag) = true;
    return 0;
}

int ds_option_drop(void *to, const struct ds_option *option, const char *value)
{
    (void)to, (void)option, (void)value;
    return 0;
}

/* The option of that name, with what it changes in `*to`; or NULL. */
static const struct ds_option *find(const struct ds_option_table *tables, size_t count,
                                    const char *name, void **to)
{
    for (size_t i = 0; i < count; i++) {
        const struct ds_option *option = tables[i].options;

        while (option->name != NULL && strcmp(option->name, name) != 0)
            option++;
        *to = tables[i].to;
        if (option->name != NULL)
            return option;
    }
    return NULL;
}

static int refuse_value(char *why, const struct ds_option *option, const char *value)
{
    int shown = option->value_hidden ? 0 : ds_option_shown_bytes(value);

    return ds_option_refuse(why, "option '%s%s%.*s': expected %s", option->name,
                            shown > 0 ? "=" : "", shown, value, option->expected);
}

/* One word, which may be changed. */
static int parse_word(const struct ds_option_table *tables, size_t count, bool sloppy, char *word,
                      char *why)
{
    char *equals = strchr(word, '='), *value = equals != NULL ? equals + 1 : NULL;
    const struct ds_option *option;
    void *to = NULL;
    int err;

    if (strncasecmp(word, "x-", 2) == 0)
        return 0;
    if (equals != NULL)
        *equals = '\0';
    option = find(tables, count, word, &to);
    if (option == NULL)
        return sloppy ? 0 : ds_option_refuse_unknown(why, word);
    if (option->refused != NULL)
        return ds_option_refuse(why, "option '%s': %s", option->name, option->refused);
    if (value != NULL && option->metavar == NULL)
        return ds_option_refuse(why, "option '%s' takes no value", option->name);
    if (value == NULL && option->metavar != NULL && !option->value_optional)
        return ds_option_refuse(why, "option '%s' needs a value: %s", option->name,
                                option->expected);
    err = option->set(to, option, value);
    return err == -EINVAL ? refuse_value(why, option, value != NULL ? value : "") : err;
}

/* Cuts the next word off `*rest`, undoing the escapes in place. */
static char *next_word(char **rest)
{
    char *word = *rest, *in = word, *out = word;

    while (*in != '\0' && *in != ',') {
        if (*in == '\\' && (in[1] == ',' || in[1] == '\\'))
            in++;
        *out++ = *in++;
    }
    *rest = *in != '\0' ? in + 1 : in;
    *out = '\0';
    return word;
}

static int parse_list(const struct ds_option_table *tables, size_t count, bool sloppy,
                      const char *list, char *why)
{
    char *copy DS_AUTO_FREE = strdup(list), *rest = copy;
    int err = copy != NULL ? 0 : -ENOMEM;

    while (err == 0 && *rest != '\0') {
        char *word = next_word(&rest);

        if (*word != '\0')
            err = parse_word(tables, count, sloppy, word, why);
    }
    return err;
}

int ds_option_parse_list(const struct ds_option_table *tables, size_t count, const char *list,
                         char *why)
{
    return parse_list(tables, count, false, list, why);
}

int ds_option_parse_known(const struct ds_option_table *tables, size_t count, const char *list,
                          char *why)
{
    return parse_list(tables, count, true, list, why);
}
