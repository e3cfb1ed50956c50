/* What "invalid argument" means. */
#include "doubt.h"

#include "cleanup.h"

#include <errno.h>
#include <string.h>

bool ds_doubt_has(const struct ds_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->names[i], name))
            return true;
    return false;
}

/* True if the host has been asked and lists no such DataSet. */
static bool lacks_dataset(struct ds_tools *tools, struct ds_call *call, const char *dataset)
{
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    return !ds_commands_list(tools, call, &names) && !names.left_out &&
           !ds_doubt_has(&names, dataset);
}

static bool lacks(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                  const char *key)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    if (!key)
        return lacks_dataset(tools, call, dataset);
    int err = ds_commands_list_keys(tools, call, dataset, &keys);
    if (err == -EINVAL)
        return lacks_dataset(tools, call, dataset);
    return err == -ENOENT || (!err && !ds_doubt_has(&keys, key));
}

int ds_doubt_settle(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                    const char *key, int err)
{
    char words[DS_CALL_TEXT_BYTES];
    enum ds_sent sent = ds_call_sent(call);
    if (err != -EINVAL)
        return err;
    memcpy(words, call->text, sizeof words);
    bool missing = lacks(tools, call, dataset, key);
    ds_call_set_sent(call, sent);
    return missing ? -ENOENT : ds_call_fail(call, err, "%s", words);
}
