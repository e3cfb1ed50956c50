/* The options that go to libfuse and the kernel, and the words of fstab that mean nothing here. */
#include "option_kernel.h"

#include <errno.h>

/* Appends a value as libfuse reads it. 0 or -ENOMEM. */
static int append_escaped(struct ds_buf *out, const char *value)
{
    int err = 0;
    for (; *value && !err; value++) {
        if (*value == ',' || *value == '\\')
            err = ds_buf_puts(out, "\\");
        if (!err)
            err = ds_buf_append(out, value, 1);
    }
    return err;
}

static int pass_on(void *to, const struct ds_option *option, const char *value)
{
    struct fs_option_words *words = to;
    int err = ds_buf_printf(&words->words, "%s%s,", option->name, value ? "=" : "");
    if (!err && value) {
        words->words.len--;
        err = append_escaped(&words->words, value);
        if (!err)
            err = ds_buf_puts(&words->words, ",");
    }
    return err;
}

static int pass_allow_other(void *to, const struct ds_option *option, const char *value)
{
    struct fs_option_words *words = to;
    words->allow_other = true;
    return pass_on(to, option, value);
}

static int pass_allow_root(void *to, const struct ds_option *option, const char *value)
{
    struct fs_option_words *words = to;
    words->allow_root = true;
    return pass_on(to, option, value);
}

static int pass_max_read(void *to, const struct ds_option *option, const char *value)
{
    uint64_t number;
    if (!ds_option_number(value, 10, 4096, 1024 * 1024, &number))
        return -EINVAL;
    return pass_on(to, option, value);
}

#define SECURITY_CONTEXT .metavar = "CONTEXT", .expected = "a security context", .set = pass_on

const struct ds_option fs_option_kernel[] = {
    {"allow_other", .help = "let in other users, as the modes say", .set = pass_allow_other},
    {"allow_root", .help = "let in root beside the user who mounts", .set = pass_allow_root},
    {"default_permissions", .help = "the kernel checks modes; comes with allow_other",
     .set = pass_on},
    {"auto_unmount", .help = "let fusermount3 unmount if the daemon is killed", .set = pass_on},
    {"max_read", "BYTES", "bytes from 4096 to 1048576", "largest read that the kernel asks for",
     .set = pass_max_read},

    {"noatime", .set = pass_on},
    {"sync", .set = pass_on},
    {"async", .set = pass_on},
    {"dirsync", .set = pass_on},
    {"context", SECURITY_CONTEXT},
    {"fscontext", SECURITY_CONTEXT},
    {"defcontext", SECURITY_CONTEXT},
    {"rootcontext", SECURITY_CONTEXT},

    {"nosuid", .set = ds_option_drop}, /* always on */
    {"nodev", .set = ds_option_drop},
    {"noexec", .set = ds_option_drop},
    {"suid", .set = ds_option_drop},
    {"dev", .set = ds_option_drop},
    {"exec", .set = ds_option_drop},
    {"defaults", .set = ds_option_drop},
    {"auto", .set = ds_option_drop},
    {"noauto", .set = ds_option_drop},
    {"user", "NAME", .value_optional = true, .set = ds_option_drop},
    {"nouser", .set = ds_option_drop},
    {"users", .set = ds_option_drop},
    {"nousers", .set = ds_option_drop},
    {"owner", .set = ds_option_drop},
    {"noowner", .set = ds_option_drop},
    {"group", .set = ds_option_drop},
    {"nogroup", .set = ds_option_drop},
    {"remount", .refused =
                    "the options of a mount cannot be changed: unmount it, then mount it with the "
                    "new ones"},
    {"nofail", .set = ds_option_drop},
    {"_netdev", .set = ds_option_drop},
    {"comment", "TEXT", "text", .set = ds_option_drop},
    {"uhelper", "NAME", "a name", .set = ds_option_drop},
    {"helper", "NAME", "a name", .set = ds_option_drop},
    {"atime", .set = ds_option_drop},
    {"relatime", .set = ds_option_drop},
    {"norelatime", .set = ds_option_drop},
    {"strictatime", .set = ds_option_drop},
    {"nostrictatime", .set = ds_option_drop},
    {"diratime", .set = ds_option_drop},
    {"nodiratime", .set = ds_option_drop},
    {"lazytime", .set = ds_option_drop},
    {"nolazytime", .set = ds_option_drop},
    {"iversion", .set = ds_option_drop},
    {"noiversion", .set = ds_option_drop},
    {"mand", .set = ds_option_drop},
    {"nomand", .set = ds_option_drop},
    {"silent", .set = ds_option_drop},
    {"loud", .set = ds_option_drop},
    {"nosymfollow", .set = ds_option_drop},
    {"symfollow", .set = ds_option_drop},

    {.name = NULL},
};
