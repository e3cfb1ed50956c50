/* The names of the opcodes. */
#include "opcode.h"

static const char *const opcode_names[FS_OPCODE_COUNT] = {
    [FS_LOOKUP] = "lookup",
    [FS_FORGET] = "forget",
    [FS_GETATTR] = "getattr",
    [FS_SETATTR] = "setattr",
    [FS_ACCESS] = "access",
    [FS_OPEN] = "open",
    [FS_CREATE] = "create",
    [FS_READ] = "read",
    [FS_WRITE] = "write",
    [FS_FLUSH] = "flush",
    [FS_FSYNC] = "fsync",
    [FS_RELEASE] = "release",
    [FS_UNLINK] = "unlink",
    [FS_RENAME] = "rename",
    [FS_MKDIR] = "mkdir",
    [FS_RMDIR] = "rmdir",
    [FS_LINK] = "link",
    [FS_SYMLINK] = "symlink",
    [FS_READLINK] = "readlink",
    [FS_MKNOD] = "mknod",
    [FS_OPENDIR] = "opendir",
    [FS_READDIR] = "readdir",
    [FS_READDIRPLUS] = "readdirplus",
    [FS_RELEASEDIR] = "releasedir",
    [FS_STATFS] = "statfs",
    [FS_GETXATTR] = "getxattr",
    [FS_SETXATTR] = "setxattr",
    [FS_LISTXATTR] = "listxattr",
    [FS_REMOVEXATTR] = "removexattr",
};

const char *fs_opcode_name(enum fs_opcode opcode)
{
    return opcode_names[opcode];
}
