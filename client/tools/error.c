/* The host's ways to say what went wrong as errnos. */
#include "error.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Only `invalid-argument` is documented; the others are the names of vCenter's REST interface,
 * words that open-vm-tools and hosts are known to use, and what else people call the same. Lower
 * case letters only, the more special before the more general. */
static const struct {
    const char *word;
    int error;
} table[] = {
    /* What is not known here is no key. */
    {"unknowncommand", -EOPNOTSUPP},
    {"commandnotfound", -EOPNOTSUPP},
    {"unknownoperation", -EOPNOTSUPP},
    {"operationnotfound", -EOPNOTSUPP},
    {"unknownerror", -EIO},
    {"unknownfailure", -EIO},
    {"unknownreason", -EIO},
    {"unknownexception", -EIO},
    {"unknownargument", -EINVAL},
    {"unknownparameter", -EINVAL},
    {"unknownproperty", -EINVAL},
    {"unknownfield", -EINVAL},
    {"unknownoption", -EINVAL},
    {"unknowncontext", -EINVAL},
    {"missingargument", -EINVAL},
    {"missingparameter", -EINVAL},
    {"missingproperty", -EINVAL},
    {"missingfield", -EINVAL},
    {"missingoption", -EINVAL},
    {"missingrequired", -EINVAL},
    {"requiredargument", -EINVAL},
    {"missingpermission", -EACCES},
    {"missingprivilege", -EACCES},
    {"notfound", -ENOENT},
    {"couldnotfind", -ENOENT},
    {"cannotfind", -ENOENT},
    {"unabletofind", -ENOENT},
    {"nosuch", -ENOENT},
    {"noentry", -ENOENT},
    {"notexist", -ENOENT}, /* does not, did not, do not */
    {"doesntexist", -ENOENT},
    {"nonexist", -ENOENT},
    {"nolongerexist", -ENOENT},
    {"notpresent", -ENOENT},
    {"enoent", -ENOENT},
    {"alreadyexist", -EEXIST},
    {"duplicate", -EEXIST},
    {"permissiondenied", -EACCES},
    {"accessdenied", -EACCES},
    {"nopermission", -EACCES},
    {"noaccess", -EACCES},
    {"insufficientpermission", -EACCES},
    {"insufficientprivilege", -EACCES},
    {"unauthorized", -EACCES},
    {"notauthorized", -EACCES},
    {"unauthenticated", -EACCES},
    {"forbidden", -EACCES},
    {"notpermitted", -EACCES},
    {"readonly", -EACCES},
    {"unabletoallocate", -ENOSPC},
    {"nospace", -ENOSPC},
    {"notenoughspace", -ENOSPC},
    {"outofspace", -ENOSPC},
    {"insufficientspace", -ENOSPC},
    {"exhausted", -ENOSPC},
    {"isfull", -ENOSPC},
    {"datasetfull", -ENOSPC},
    {"diskfull", -ENOSPC},
    {"storefull", -ENOSPC},
    {"quota", -ENOSPC},
    {"limit", -ENOSPC},
    {"busy", -EAGAIN},
    {"concurrentchange", -EAGAIN},
    {"serviceunavailable", -EAGAIN},
    {"tryagain", -EAGAIN},
    {"notallowed", -EBUSY},
    {"suspended", -EBUSY},
    {"unsupported", -EOPNOTSUPP},
    {"notsupported", -EOPNOTSUPP},
    {"notimplemented", -EOPNOTSUPP},
    {"unimplemented", -EOPNOTSUPP},
    {"disabled", -EOPNOTSUPP},
    {"missing", -ENOENT},
    {"unknown", -ENOENT},
    {"toolong", -EINVAL},
    {"toolarge", -EINVAL},
    {"toobig", -EINVAL},
    {"invalid", -EINVAL},
};

static const char *const long_words[] = {"toolong", "toolarge", "toobig", "longerthan", "exceed"};
enum { SURE_LONG_WORDS = 4 }; /* the last is said of quotas too */

enum { WORDS_BYTES = 256 };

/* Where what is quoted at `text` ends, if anything is: it is somebody's key or value, and none of
 * the host's own words. */
static const char *end_of_quote(const char *begin, const char *text)
{
    bool inside_word = text > begin && isalnum((unsigned char)text[-1]); /* "doesn't" */
    if ((*text != '"' && *text != '\'') || inside_word)
        return NULL;
    return strchr(text + 1, *text);
}

/* The letters of `text` in lower case, as many as fit, without what is quoted. */
static void letters_of(const char *text, char words[WORDS_BYTES])
{
    size_t len = 0;
    const char *begin = text ? text : "";
    for (const char *p = begin; *p && len < WORDS_BYTES - 1; p++) {
        const char *end = end_of_quote(begin, p);
        if (end)
            p = end;
        else if (isalpha((unsigned char)*p) && (unsigned char)*p < 0x80)
            words[len++] = (char)tolower((unsigned char)*p);
    }
    words[len] = '\0';
}

static int look_up(const char *words)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strstr(words, table[i].word))
            return table[i].error;
    return 0;
}

static bool is_about_length(const char *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(words, long_words[i]))
            return true;
    return false;
}

/* What is wrong with a length if the words say so, else `error`. `argument`: something is wrong
 * with what was sent. */
static int refine(int error, bool argument, const char *id, const char *message)
{
    size_t count = argument ? sizeof long_words / sizeof *long_words : SURE_LONG_WORDS;
    if (!is_about_length(id, count) && !is_about_length(message, count))
        return error;
    if (strstr(id, "value") || strstr(message, "value"))
        return -EFBIG;
    if (strstr(id, "key") || strstr(message, "key") || strstr(message, "name"))
        return -ENAMETOOLONG;
    return error == -EINVAL ? -EFBIG : error;
}

/* `invalid-argument` is the one id that a host is known to give, and it may well give it for all.
 */
static bool is_general(const char *id)
{
    return !*id || (strstr(id, "invalid") && look_up(id) == -EINVAL) || !strcmp(id, "error") ||
           !strcmp(id, "failed") || !strcmp(id, "failure");
}

int ds_tools_errno(const char *id, const char *message)
{
    char id_words[WORDS_BYTES];
    char message_words[WORDS_BYTES];
    letters_of(id, id_words);
    letters_of(message, message_words);
    int by_id = look_up(id_words);
    int by_message = look_up(message_words);
    int error = by_id;
    if (!by_id || (by_message && is_general(id_words)))
        error = by_message;
    if (error == -EINVAL || error == -ENOSPC)
        error = refine(error, error == -EINVAL || by_id == -EINVAL, id_words, message_words);
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
