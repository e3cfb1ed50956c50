/* The reply to a request: claimed once, given, and reported if it is a failure. */
#include "reply.h"

#include "error_log.h"

#include <errno.h>

bool fs_reply_claim(struct fs_request *request)
{
    bool ours = !atomic_exchange(&request->settled, true);

    if (request->watched) {
        if (ours)
            fuse_req_interrupt_func(request->req, NULL, NULL);
        fs_timer_cancel(request->kernel->timer, &request->job.look);
        request->watched = false;
    }
    return ours;
}

int fs_reply_ok(struct fs_request *request)
{
    return fs_reply_claim(request) ? fuse_reply_err(request->req, 0) : -ENOENT;
}

int fs_reply_entry(struct fs_request *request, const struct fuse_entry_param *entry)
{
    return fs_reply_claim(request) ? fuse_reply_entry(request->req, entry) : -ENOENT;
}

int fs_reply_create(struct fs_request *request, const struct fuse_entry_param *entry)
{
    return fs_reply_claim(request) ? fuse_reply_create(request->req, entry, &request->fi) : -ENOENT;
}

int fs_reply_attr(struct fs_request *request, const struct stat *attr, double timeout_s)
{
    return fs_reply_claim(request) ? fuse_reply_attr(request->req, attr, timeout_s) : -ENOENT;
}

int fs_reply_open(struct fs_request *request)
{
    return fs_reply_claim(request) ? fuse_reply_open(request->req, &request->fi) : -ENOENT;
}

int fs_reply_readlink(struct fs_request *request, const char *to)
{
    return fs_reply_claim(request) ? fuse_reply_readlink(request->req, to) : -ENOENT;
}

int fs_reply_write(struct fs_request *request, size_t count)
{
    return fs_reply_claim(request) ? fuse_reply_write(request->req, count) : -ENOENT;
}

int fs_reply_buf(struct fs_request *request, const char *data, size_t len)
{
    return fs_reply_claim(request) ? fuse_reply_buf(request->req, data, len) : -ENOENT;
}

int fs_reply_xattr(struct fs_request *request, size_t count)
{
    return fs_reply_claim(request) ? fuse_reply_xattr(request->req, count) : -ENOENT;
}

int fs_reply_statfs(struct fs_request *request, const struct statvfs *statfs)
{
    return fs_reply_claim(request) ? fuse_reply_statfs(request->req, statfs) : -ENOENT;
}

/* What has no words, or was the caller's own wish, is no news. */
static void report(const struct fs_request *request, int error)
{
    struct fs_error_log_about about = {.machine = request->machine,
                                       .dataset = request->dataset,
                                       .key = request->key,
                                       .info = request->dataset != NULL && request->about_info};

    if (request->call.text[0] == '\0' || error == -EINTR)
        return;
    fs_error_log_note(request->kernel->errors, fs_opcode_name(request->opcode), &about, error,
                      request->call.text);
}

void fs_reply_error(struct fs_request *request, int error)
{
    if (fs_reply_claim(request))
        fuse_reply_err(request->req, -error);
}

void fs_reply_failure(struct fs_request *request, int error)
{
    report(request, error);
    fs_reply_error(request, error);
}

/* A write is not "interrupted", which callers repeat: an append would stand twice. Nor
 * is a close, which they do not repeat. While a login lingers nothing of the write itself has left:
 * its data is gathered by then, or not taken yet. */
void fs_reply_early(struct fs_request *request)
{
    bool lingers = request->call.lingers, write = request->opcode == FS_WRITE;

    if (atomic_exchange(&request->settled, true))
        return;
    fuse_req_interrupt_func(request->req, NULL, NULL);
    if (write && lingers && request->taken) {
        request->granted = true;
        fuse_reply_write(request->req, request->size);
    } else {
        fuse_reply_err(request->req,
                       request->opcode == FS_FLUSH || (write && !lingers) ? EIO : EINTR);
    }
}
