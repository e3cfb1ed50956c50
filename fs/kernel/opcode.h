/* The kinds of requests that the kernel sends. */
#ifndef FS_OPCODE_H
#define FS_OPCODE_H

enum fs_opcode {
    FS_LOOKUP,
    FS_FORGET,
    FS_GETATTR,
    FS_SETATTR,
    FS_ACCESS,
    FS_OPEN,
    FS_CREATE,
    FS_READ,
    FS_WRITE,
    FS_FLUSH,
    FS_FSYNC,
    FS_RELEASE,
    FS_UNLINK,
    FS_RENAME,
    FS_MKDIR,
    FS_RMDIR,
    FS_LINK,
    FS_SYMLINK,
    FS_READLINK,
    FS_MKNOD,
    FS_OPENDIR,
    FS_READDIR,
    FS_READDIRPLUS,
    FS_RELEASEDIR,
    FS_STATFS,
    FS_GETXATTR,
    FS_SETXATTR,
    FS_LISTXATTR,
    FS_REMOVEXATTR,
    FS_OPCODE_COUNT
};

/* "lookup", "forget", …: the kernel's names in lower case. */
const char *fs_opcode_name(enum fs_opcode opcode);

#endif
