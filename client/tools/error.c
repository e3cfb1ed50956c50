/* The host's ways to say what went wrong as errnos. */
#include "error.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Only `invalid-argument` is documented; the others are the names of vCenter's REST interface and
 * words that open-vm-tools and hosts are known to use. Lower case letters only, the more special
 * before the more general. */
static const struct {
    const char *word;
    int error;
} table[] = {
    {"notfound", -ENOENT},
    {"nosuch", -ENOENT},
    {"doesnotexist", -ENOENT},
    {"alreadyexists", -EEXIST},
    {"permissiondenied", -EACCES},
    {"accessdenied", -EACCES},
    {"unauthorized", -EACCES},
    {"unauthenticated", -EACCES},
    {"unabletoallocate", -ENOSPC},
    {"nospace", -ENOSPC},
    {"notenoughspace", -ENOSPC},
    {"outofspace", -ENOSPC},
    {"quota", -ENOSPC},
    {"busy", -EAGAIN},
    {"concurrentchange", -EAGAIN},
    {"serviceunavailable", -EAGAIN},
    {"tryagain", -EAGAIN},
    {"notallowed", -EBUSY},
    {"suspended", -EBUSY},
    {"unknowncommand", -EOPNOTSUPP},
    {"unsupported", -EOPNOTSUPP},
    {"notsupported", -EOPNOTSUPP},
    {"disabled", -EOPNOTSUPP},
    {"toolong", -EINVAL},
    {"toolarge", -EINVAL},
    {"toobig", -EINVAL},
    {"invalid", -EINVAL},
};

static const char *const long_words[] = {"toolong", "toolarge", "toobig", "longerthan", "exceed"};

enum { WORDS_BYTES = 256 };

/* The letters of `text` in lower case, as many as fit. */
static void letters_of(const char *text, char words[WORDS_BYTES])
{
    size_t len = 0;
    for (const char *p = text ? text : ""; *p && len < WORDS_BYTES - 1; p++)
        if (isalpha((unsigned char)*p) && (unsigned char)*p < 0x80)
            words[len++] = (char)tolower((unsigned char)*p);
    words[len] = '\0';
}

static int look_up(const char *words)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strstr(words, table[i].word))
            return table[i].error;
    return 0;
}

static bool is_about_length(const char *words)
{
    for (size_t i = 0; i < sizeof long_words / sizeof *long_words; i++)
        if (strstr(words, long_words[i]))
            return true;
    return false;
}

/* -EINVAL, or what is wrong with a length if the words say so. */
static int refine_invalid(const char *id, const char *message)
{
    if (!is_about_length(id) && !is_about_length(message))
        return -EINVAL;
    if (strstr(id, "value") || strstr(message, "value"))
        return -EFBIG;
    if (strstr(id, "key") || strstr(message, "key") || strstr(message, "name"))
        return -ENAMETOOLONG;
    return -EFBIG;
}

int ds_tools_errno(const char *id, const char *message)
{
    char id_words[WORDS_BYTES];
    char message_words[WORDS_BYTES];
    letters_of(id, id_words);
    letters_of(message, message_words);
    int error = look_up(id_words);
    if (!error)
        error = look_up(message_words);
    if (error == -EINVAL)
        error = refine_invalid(id_words, message_words);
    return error ? error : -EIO;
}

int ds_tools_fail(struct ds_call *call, const char *id, const char *message, bool whole_rpc)
{
    const char *said = message && *message ? message : id && *id ? id : "no reason";
    int error = ds_tools_errno(id, message);
    char words[WORDS_BYTES];
    letters_of(message, words);
    if (strstr(words, "unknowncommand"))
        return ds_call_fail(call, error,
                            "this host does not know DataSets (vSphere 8 and hardware version 20 "
                            "are needed)");
    if (whole_rpc && error == -EACCES)
        return ds_call_fail(call, error, "the host refused: %.100s (root is needed)", said);
    return ds_call_fail(call, error, "the host refused: %.160s", said);
}
