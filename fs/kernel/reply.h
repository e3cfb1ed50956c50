/* The one reply to a request. */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include "request.h"

/* Claims the reply. False if it was given already. Afterwards nobody else touches the request. */
bool fs_reply_claim(struct fs_request *request);

/* Each like libfuse's function of that name. They return 0, or -ENOENT if the reply
 * did not reach the kernel: then what it granted must be taken back. */
int fs_reply_ok(struct fs_request *request);
int fs_reply_entry(struct fs_request *request, const struct fuse_entry_param *entry);
int fs_reply_create(struct fs_request *request, const struct fuse_entry_param *entry);
int fs_reply_attr(struct fs_request *request, const struct stat *attr, double timeout_s);
int fs_reply_open(struct fs_request *request);
int fs_reply_readlink(struct fs_request *request, const char *to);
int fs_reply_write(struct fs_request *request, size_t count);
int fs_reply_buf(struct fs_request *request, const char *data, size_t len);
int fs_reply_xattr(struct fs_request *request, size_t count);
int fs_reply_statfs(struct fs_request *request, const struct statvfs *statfs);

/* The negative errno, and the same with a report in the list of errors, if there are words. */
void fs_reply_error(struct fs_request *request, int error);
void fs_reply_failure(struct fs_request *request, int error);

/* Replies although the call goes on: its bytes have left, and its outcome only matters to those who
 * come later. */
void fs_reply_early(struct fs_request *request);

#endif
