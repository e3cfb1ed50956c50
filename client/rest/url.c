/* What a SOURCE of the form https://HOST[:PORT]/VM says, and the parts of paths. */
#include "url.h"

#include "dataset.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "https://";
static const char name_prefix[] = "name=";
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
/* RFC 3986, 2.3 */
#define UNRESERVED LETTERS DIGITS "-._~"

enum { PORT_MAX = 65535, PORT_DIGITS = 5, HOST_MAX_BYTES = 253 /* RFC 1035, as text */ };

__attribute__((format(printf, 2, 3))) static int refuse(char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, DS_WHY_BYTES, format, list);
    va_end(list);
    return -EINVAL;
}

/* The length of HOST at `text`, with an IPv6 address's brackets; 0 if there is none. */
static size_t host_length(const char *text)
{
    size_t len;
    if (*text == '[') {
        len = 1 + strspn(text + 1, DIGITS "abcdefABCDEF:.");
        return len > 1 && text[len] == ']' ? len + 1 : 0;
    }
    len = strspn(text, LETTERS DIGITS "-._");
    return len <= HOST_MAX_BYTES ? len : 0;
}

/* The length of ":PORT" at `text`, 0 if there is none, -1 if it is wrong. */
static int port_length(const char *text)
{
    if (*text != ':')
        return 0;
    size_t len = strspn(text + 1, DIGITS);
    if (!len || len > PORT_DIGITS)
        return -1;
    long port = strtol(text + 1, NULL, 10);
    return port >= 1 && port <= PORT_MAX ? (int)len + 1 : -1;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Decodes in place. False if there is a '%' without two hexadecimal digits or a NUL. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        *to = *from;
        if (*from == '%') {
            int high = hex_digit(from[1]);
            int low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            *to = (char)(high * 16 + low);
            from += 2;
        }
        to++;
    }
    *to = '\0';
    return true;
}

static bool is_id(const char *vm)
{
    return !strncmp(vm, "vm-", 3) && vm[3] && strspn(vm + 3, DIGITS) == strlen(vm + 3);
}

/* Reads what stands behind the slash. */
static int parse_vm(const char *text, struct ds_url *out, char *why)
{
    if (!*text)
        return refuse(why, "https://HOST/VM needs a virtual machine: its id, such as vm-42, or its "
                           "name; https://HOST without the slash is all machines");
    if (text[strcspn(text, "/?#")])
        return refuse(why, "VM in https://HOST/VM is one name: write / as %%2F, ? as %%3F, # as "
                           "%%23");
    bool named = !strncmp(text, name_prefix, strlen(name_prefix));
    out->vm = strdup(named ? text + strlen(name_prefix) : text);
    if (!out->vm)
        return -ENOMEM;
    if (!decode(out->vm))
        return refuse(why, "VM in https://HOST/VM: a %% needs two hexadecimal digits (not 00); "
                           "write %% itself as %%25");
    if (!*out->vm || !ds_utf8_valid(out->vm, strlen(out->vm)))
        return refuse(why, "VM in https://HOST/VM is %s", *out->vm ? "not UTF-8" : "empty");
    /* Only now: to encode an unreserved character changes nothing (RFC 3986, 2.3). */
    out->by_name = named || !is_id(out->vm);
    return 0;
}

/* Reads what stands before the path, which `*path` then is. */
static int parse_server(const char *source, struct ds_url *out, const char **path, char *why)
{
    size_t begin = strlen(scheme);
    if (strncasecmp(source, scheme, begin) != 0)
        return refuse(why, "expected https://HOST/VM");
    const char *authority = source + begin;
    size_t authority_len = strcspn(authority, "/?#");
    if (memchr(authority, '@', authority_len))
        return refuse(why, "user and password do not belong in SOURCE, where others can read them: "
                           "use -o credentials=FILE");
    size_t host_len = host_length(authority);
    int port_len = host_len ? port_length(authority + host_len) : 0;
    if (!host_len || port_len < 0 || host_len + (size_t)port_len != authority_len)
        return refuse(why, "HOST[:PORT] in https://HOST/VM is not a host's name or address%s",
                      port_len < 0 ? " with a port from 1 to 65535" : "");
    bool bracketed = *authority == '[';
    out->host = strndup(authority + bracketed, host_len - 2 * bracketed);
    if (!out->host || asprintf(&out->base, "%s%.*s", scheme, (int)authority_len, authority) < 0) {
        out->base = NULL;
        return -ENOMEM;
    }
    *path = authority + authority_len;
    return 0;
}

static int parse(const char *source, struct ds_url *out, char *why)
{
    const char *path = "";
    int err = parse_server(source, out, &path, why);
    if (err)
        return err;
    if (*path != '/' && *path)
        return refuse(why, "expected https://HOST/VM, without ? or #");
    return parse_vm(*path ? path + 1 : path, out, why);
}

int ds_url_parse(const char *source, struct ds_url *out, char *why)
{
    struct ds_url url = {0};
    int err = parse(source, &url, why);
    if (err)
        ds_url_clear(&url);
    else
        *out = url;
    return err;
}

int ds_url_parse_server(const char *source, struct ds_url *out, char *why)
{
    struct ds_url url = {0};
    const char *path = "";
    int err = parse_server(source, &url, &path, why);
    if (!err && *path)
        err = refuse(why, "expected https://HOST with nothing behind it, or https://HOST/VM");
    if (err)
        ds_url_clear(&url);
    else
        *out = url;
    return err;
}

void ds_url_clear(struct ds_url *url)
{
    free(url->base);
    free(url->host);
    free(url->vm);
    *url = (struct ds_url){0};
}

static bool is_dots(const char *text, size_t len)
{
    return (len == 1 || len == 2) && !strncmp(text, "..", len);
}

bool ds_url_is_segment(const char *text)
{
    static const char separators[] = "/\\";
    bool good = *text;
    for (const char *part = text; good; part++) {
        size_t len = strcspn(part, separators);
        good = !is_dots(part, len);
        part += len;
        if (!*part)
            break;
    }
    return good;
}

int ds_url_encode(struct ds_buf *out, const char *text)
{
    int err = ds_buf_reserve(out, strlen(text));
    while (*text && !err) {
        size_t plain = strspn(text, UNRESERVED);
        err = ds_buf_append(out, text, plain);
        text += plain;
        if (*text && !err)
            err = ds_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text++);
    }
    return err;
}

int ds_url_add(struct ds_buf *url, const char *name, const char *value)
{
    bool begun = memchr(url->data, '?', url->len) != NULL;
    int err = ds_buf_printf(url, "%c%s=", begun ? '&' : '?', name);
    return err ? err : ds_url_encode(url, value);
}
