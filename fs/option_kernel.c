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

static int pass_on(struct fs_option_parser *parser, const struct fs_option *option,
                   const char *value)
{
    int err = ds_buf_printf(&parser->kernel, "%s%s,", option->name, value ? "=" : "");
    if (!err && value) {
        parser->kernel.len--;
        err = append_escaped(&parser->kernel, value);
        if (!err)
            err = ds_buf_puts(&parser->kernel, ",");
    }
    return err;
}

static int pass_allow_other(struct fs_option_parser *parser, const struct fs_option *option,
                            const char *value)
{
    parser->options->allow_other = true;
    return pass_on(parser, option, value);
}

static int pass_allow_root(struct fs_option_parser *parser, const struct fs_option *option,
                           const char *value)
{
    parser->allow_root = true;
    return pass_on(parser, option, value);
}

static int pass_max_read(struct fs_option_parser *parser, const struct fs_option *option,
                         const char *value)
{
    uint64_t number;
    if (!fs_option_number(value, 10, 4096, 1024 * 1024, &number))
        return -EINVAL;
    return pass_on(parser, option, value);
}

static int drop(struct fs_option_parser *parser, const struct fs_option *option, const char *value)
{
    (void)parser;
    (void)option;
    (void)value;
    return 0;
}

static int refuse_remount(struct fs_option_parser *parser, const struct fs_option *option,
                          const char *value)
{
    (void)option;
    (void)value;
    return fs_option_refuse(parser->why,
                            "remount: the options of a mount cannot be changed: unmount it, then "
                            "mount it with the new ones");
}

#define SECURITY_CONTEXT .metavar = "CONTEXT", .expected = "a security context", .set = pass_on

const struct fs_option fs_option_kernel[] = {
    {"allow_other", .help = "let in other users, as the modes say", .set = pass_allow_other},
    {"allow_root", .help = "let in root beside the user who mounts", .set = pass_allow_root},
    {"default_permissions", .help = "the kernel checks modes; comes with allow_other",
     .set = pass_on},
    {"auto_unmount", .help = "unmount even if the daemon is killed", .set = pass_on},
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

    {"nosuid", .set = drop}, /* always on */
    {"nodev", .set = drop},
    {"noexec", .set = drop},
    {"suid", .set = drop},
    {"dev", .set = drop},
    {"exec", .set = drop},
    {"defaults", .set = drop},
    {"auto", .set = drop},
    {"noauto", .set = drop},
    {"user", "NAME", .value_optional = true, .set = drop},
    {"nouser", .set = drop},
    {"users", .set = drop},
    {"nousers", .set = drop},
    {"owner", .set = drop},
    {"noowner", .set = drop},
    {"group", .set = drop},
    {"nogroup", .set = drop},
    {"remount", .set = refuse_remount},
    {"nofail", .set = drop},
    {"_netdev", .set = drop},
    {"comment", "TEXT", "text", .set = drop},
    {"uhelper", "NAME", "a name", .set = drop},
    {"helper", "NAME", "a name", .set = drop},
    {"atime", .set = drop},
    {"relatime", .set = drop},
    {"norelatime", .set = drop},
    {"strictatime", .set = drop},
    {"nostrictatime", .set = drop},
    {"diratime", .set = drop},
    {"nodiratime", .set = drop},
    {"lazytime", .set = drop},
    {"nolazytime", .set = drop},
    {"iversion", .set = drop},
    {"noiversion", .set = drop},
    {"mand", .set = drop},
    {"nomand", .set = drop},
    {"silent", .set = drop},
    {"loud", .set = drop},
    {"nosymfollow", .set = drop},
    {"symfollow", .set = drop},

    {.name = NULL},
};
