/* Files that hold a user's name and password. */
#ifndef DS_REST_LOGIN_FILE_H
#define DS_REST_LOGIN_FILE_H

#include "call.h"
#include "login.h"

enum ds_login_file_kind {
    DS_LOGIN_FILE_PRIVATE, /* ours: lines username= and password=, for its owner's eyes only */
    DS_LOGIN_FILE_SYSTEMD, /* the same, made by systemd, which lets the service's user in by ACL */
    DS_LOGIN_FILE_NETRC    /* ~/.netrc, as curl and ftp read it */
};

#define DS_LOGIN_FILE_MAX_BYTES (64 * 1024)

/* Reads the file. In one of ours, all after the first "=" up to the end of the line is the value;
 * blank lines and lines that begin with "#" are passed over. `login` changes on success only.
 * -EACCES others may read the file, or it belongs to somebody else than this user or root; -EINVAL
 * not understood, with the line's number; -ENODATA a .netrc without an entry for `host`; -EFBIG;
 * the errno of reading it. With words. */
int ds_login_file_read(const char *file, enum ds_login_file_kind kind, const char *host,
                       struct ds_login *login, struct ds_call *call);

#endif
