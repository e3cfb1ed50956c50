/* What a lookup and a stat(2) must know of an entry. */
#include "know_value.h"

#include "cleanup.h"
#include "file/handle.h"
#include "model/absent_keys.h"
#include "model/datasets.h"
#include "model/open_ticket.h"
#include "model/value.h"
#include "store/fetch_value.h"
#include "store/read_ahead.h"

#include <errno.h>

/* For so long a value that is read bit by bit stays as it was. */
enum { READ_STEADY_MS = 1000 };

/* Asks the store. Where memory has an answer too, it serves when the store stays silent. */
static int ask(struct fs_request *request, struct fs_node *node, bool known)
{
    struct fs *fs = request->fs;
    int64_t deadline_ms = request->call.deadline_ms;
    int64_t patience_ms = ds_call_now_ms() + FS_SILENT_MS;
    int err;

    if (!known || patience_ms >= deadline_ms)
        return fs_fetch_value(request, node, false, false);
    request->call.deadline_ms = patience_ms;
    err = fs_fetch_value(request, node, false, false);
    request->call.deadline_ms = deadline_ms;
    if (err == -ETIMEDOUT) {
        DS_LOCK_SCOPE(&fs->lock);
        err = fs_value_exists(node) ? 0 : -ENOENT;
    }
    return err;
}

/* True if memory answers. A reader that is asked about by each read(2) on its way to the end goes
 * on with the value that it has begun with, lest it get the head of one and the tail of another. */
static bool answers(const struct fs_request *request, const struct fs_node *node)
{
    bool looks = request->opcode == FS_GETATTR, reads = looks && request->fi.fh != 0;

    return fs_value_answers(request->fs, node) ||
           (reads && (node->seen.presence == FS_PRESENT || fs_value_was_had(node)) &&
            fs_value_younger(node, READ_STEADY_MS)) ||
           (looks && fs_handle_steady(node, request->tid));
}

int fs_know(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    bool answered, known;
    int err;

    pthread_mutex_lock(&fs->lock);
    answered = answers(request, node);
    if (answered)
        fs_ahead_passes(request, node);
    known = node->seen.presence == FS_PRESENT;
    err = fs_value_exists(node) ? 0 : -ENOENT;
    if (!answered && err != 0 && request->opcode == FS_LOOKUP)
        answered = fs_absent_answers(fs, node, request->tid);
    pthread_mutex_unlock(&fs->lock);
    if (answered || fs_ahead_serves(request, node, FS_TICKET_STAT, &err))
        return err;
    err = ask(request, node, known);
    if (err == -ENOENT && request->opcode == FS_LOOKUP) {
        DS_LOCK_SCOPE(&fs->lock);
        fs_absent_tell(fs, node, request->tid);
        return err;
    }
    if (err == 0) {
        DS_LOCK_SCOPE(&fs->lock);
        if (!fs_value_younger(node, FS_FRESH_MS) || request->fi.fh != 0)
            return 0; /* from memory, or after an OPEN: no ticket for the next one */
        fs_ticket_give(node, request->tid);
    }
    return err;
}
