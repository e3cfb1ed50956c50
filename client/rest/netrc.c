/* The format of ~/.netrc. */
#include "netrc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct scanner {
    char *at;
    unsigned line;
    bool line_ended; /* with the last word */
    bool unfinished; /* a quote has no end */
};

static bool is(const char *word, const char *keyword)
{
    return !strcasecmp(word, keyword);
}

static void skip_line(struct scanner *scanner)
{
    scanner->at += strcspn(scanner->at, "\n");
    if (*scanner->at) {
        scanner->at++;
        scanner->line++;
    }
}

/* Passes over what separates words: blanks, ends of lines and, unless a value is expected,
 * comments.
 */
static void skip_between(struct scanner *scanner, bool value)
{
    for (;;) {
        scanner->at += strspn(scanner->at, " \t\r");
        if (*scanner->at != '\n' && (value || *scanner->at != '#'))
            return;
        skip_line(scanner);
    }
}

static char unescape(char letter)
{
    static const char letters[] = "nrt";
    const char *at = letter ? strchr(letters, letter) : NULL;
    if (at)
        letter = "\n\r\t"[at - letters];
    return letter;
}

/* Cuts the word in quotes out; its first quote has been passed. */
static void take_quoted(struct scanner *scanner, char *to)
{
    char *from = scanner->at;
    while (*from && *from != '"' && *from != '\n') {
        bool escaped = *from == '\\' && from[1] && from[1] != '\n';
        if (escaped)
            *to++ = unescape(*++from);
        else
            *to++ = *from;
        from++;
    }
    scanner->unfinished = *from != '"';
    scanner->line_ended = false;
    scanner->at = scanner->unfinished ? from : from + 1;
    *to = '\0';
}

/* The next word, cut out in place; NULL at the end and where a quote is not finished. */
static char *next_word(struct scanner *scanner, bool value)
{
    skip_between(scanner, value);
    char *word = scanner->at;
    if (!*word)
        return NULL;
    if (*word == '"') {
        scanner->at++;
        take_quoted(scanner, word);
        return scanner->unfinished ? NULL : word;
    }
    scanner->at += strcspn(word, " \t\r\n");
    scanner->line_ended = *scanner->at == '\n';
    scanner->line += scanner->line_ended;
    if (*scanner->at)
        *scanner->at++ = '\0';
    return word;
}

/* The definition of a macro goes to the next blank line. */
static void skip_macro(struct scanner *scanner)
{
    if (!scanner->line_ended)
        skip_line(scanner);
    while (*scanner->at && scanner->at[strspn(scanner->at, " \t\r")] != '\n')
        skip_line(scanner);
}

static bool keep(char *to, size_t size, const char *value)
{
    size_t len = strlen(value);
    if (len >= size)
        return false;
    memcpy(to, value, len + 1);
    return true;
}

/* Puts the value of a login or password into its place. False if it is too long. */
static bool keep_value(struct ds_login *found, const char *word, const char *value)
{
    if (is(word, "login"))
        return keep(found->username, sizeof found->username, value);
    return !is(word, "password") || keep(found->password, sizeof found->password, value);
}

static bool has_value(const char *word)
{
    return is(word, "machine") || is(word, "login") || is(word, "password") || is(word, "account");
}

/* True if the entry that begins with this word is one for `host`; what an entry before it has told
 * is forgotten. */
static bool begins_ours(const char *word, const char *value, const char *host,
                        struct ds_login *found)
{
    *found = (struct ds_login){0};
    return is(word, "default") || (value && is(value, host));
}

static int find(struct scanner *scanner, const char *host, struct ds_login *found)
{
    bool ours = false;
    for (const char *word; (word = next_word(scanner, false));) {
        const char *value = has_value(word) ? next_word(scanner, true) : NULL;
        if (scanner->unfinished)
            break;
        if (is(word, "macdef"))
            skip_macro(scanner);
        else if (is(word, "machine") || is(word, "default"))
            ours = begins_ours(word, value, host, found);
        else if (ours && value && !keep_value(found, word, value))
            return -EINVAL;
        if (ours && *found->username && *found->password)
            return 0;
    }
    return scanner->unfinished ? -EINVAL : -ENODATA;
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

int ds_netrc_find(char *text, size_t len, const char *host, struct ds_login *found, unsigned *line)
{
    struct scanner scanner = {.at = text, .line = 1};
    if (strlen(text) != len) {
        *line = count_lines(text) + 1;
        return -EINVAL;
    }
    int err = find(&scanner, host, found);
    if (err == -EINVAL)
        *line = scanner.line - scanner.line_ended;
    return err;
}
