/* Scratch that is left behind: published after its delay or at the end of the mount. */
#include "leftover.h"

#include "cleanup.h"
#include "file_name.h"
#include "kernel/error_log.h"
#include "log.h"
#include "model/datasets.h"
#include "model/due_work.h"
#include "model/machines.h"
#include "publish.h"
#include "scratch.h"
#include "text.h"
#include "withheld.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A publication that failed is tried again after a pause that doubles from the first to the last.
 */
enum { RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 60000 };

/* True if there is something that somebody means to keep. */
static bool has_content(const struct fs_scratch *scratch)
{
    return scratch->bytes.len > 0 || scratch->renamed;
}

/* True if another try could end otherwise without the content being changed. */
static bool may_pass(int error)
{
    return error != -EILSEQ && error != -EFBIG;
}

/* DATASET/KEY, below its machine in an inventory. */
struct place {
    char text[3 * (DS_FILE_NAME_MAX_BYTES + 1)];
};

static struct place place_of(const struct fs_node *node)
{
    const char *machine = node->dataset->vm->machine.file_name;
    struct place place;

    snprintf(place.text, sizeof(place.text), "%s%s%s/%s", machine != NULL ? machine : "",
             machine != NULL ? "/" : "", node->dataset->name, node->key);
    return place;
}

static void log_published(const struct fs_node *node, bool renamed)
{
    ds_log(DS_LOG_INFO, "published %s, %s", place_of(node).text,
           renamed ? "to which a key was renamed" : "a temporary file that was left behind");
}

static void note_failure(struct fs_request *request, struct fs_node *node, int err)
{
    struct fs *fs = request->fs;
    struct fs_scratch *scratch = node->busy->scratch;
    struct fs_error_log_about about = fs_machines_about(node);

    if (scratch->error != err) /* reported once */
        fs_error_log_note(fs->kernel.errors, "publish", &about, err, request->call.text);
    scratch->error = err;
    snprintf(scratch->why, sizeof(scratch->why), "%s",
             request->call.text[0] != '\0' ? request->call.text : strerror(-err));
    ds_text_clean(scratch->why);
    if (!may_pass(err))
        return;
    scratch->retry_ms = scratch->retry_ms == 0 ? RETRY_FIRST_MS : 2 * scratch->retry_ms;
    if (scratch->retry_ms > RETRY_LAST_MS)
        scratch->retry_ms = RETRY_LAST_MS;
    fs_due_set(fs, node, ds_call_now_ms() + scratch->retry_ms, fs_leftover_due);
}

/* True if it is left: nobody writes to it, and its delay is over. Otherwise the one who closes it,
 * or the end of the delay, brings us here again. */
static bool is_left(struct fs *fs, struct fs_node *node)
{
    const struct fs_scratch *scratch = node->busy->scratch;
    int64_t end_ms;

    if (scratch == NULL || !node->attached || !has_content(scratch))
        return false;
    if (!scratch->renamed && fs_node_is_written(node))
        return false;
    end_ms = scratch->since_ms + fs->options->scratch_delay_ms;
    if (end_ms <= ds_call_now_ms())
        return true;
    fs_due_set(fs, node, end_ms, fs_leftover_due);
    return false;
}

void fs_leftover_due(struct fs_request *request, struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_withheld_locks locks;
    bool renamed;
    int err = fs_withheld_lock(request, node, NULL, &locks);

    if (err != 0) {
        if (node->busy->scratch != NULL)
            fs_due_set(fs, node, ds_call_now_ms() + RETRY_FIRST_MS, fs_leftover_due);
        return;
    }
    if (is_left(fs, node)) {
        renamed = node->busy->scratch->renamed;
        err = fs_publish(request, node);
        if (err == 0)
            log_published(node, renamed);
        else
            note_failure(request, node, err);
    }
    fs_withheld_unlock(fs, &locks);
}

/* From there on, the first scratch node with content; or NULL. */
static struct fs_node *first_left(const struct fs_busy *busy)
{
    while (busy != NULL &&
           (busy->scratch == NULL || !busy->node->attached || !has_content(busy->scratch)))
        busy = busy->next;
    return busy != NULL ? busy->node : NULL;
}

/* With fs->lock. */
static int publish_last(struct fs_request *request, struct fs_node *node)
{
    struct fs_withheld_locks locks;
    int err = fs_withheld_lock(request, node, NULL, &locks);
    bool renamed, withheld;

    if (err != 0)
        return err; /* nobody else is there: it cannot be */
    renamed = node->busy->scratch->renamed;
    err = fs_publish(request, node);
    withheld = err != 0 && node->busy->scratch->origin != NULL;
    if (err == 0)
        log_published(node, renamed);
    else if (withheld)
        ds_log(DS_LOG_ERROR, "%s could not be renamed to %s: %s",
               place_of(node->busy->scratch->origin).text, place_of(node).text,
               request->call.text[0] != '\0' ? request->call.text : strerror(-err));
    else
        ds_log(DS_LOG_ERROR, "the temporary file %s is lost: %s", place_of(node).text,
               request->call.text[0] != '\0' ? request->call.text : strerror(-err));
    fs_withheld_unlock(request->fs, &locks);
    return err;
}

int fs_leftover_publish(struct fs_request *request)
{
    struct fs *fs = request->fs;
    struct fs_node *node, *next;
    int first = 0, err;

    DS_LOCK_SCOPE(&fs->lock);
    /* What gets busy meanwhile stands at the end, and the pinned one stays where it is. */
    for (node = first_left(fs->busy); node != NULL; node = next) {
        fs_node_pin(node);
        fs_request_next(request);
        err = publish_last(request, node);
        first = first != 0 ? first : err;
        next = first_left(node->busy->next);
        fs_node_unpin(fs, node);
    }
    return first;
}

/* With fs->lock. */
static int print_one(const struct fs_node *node, struct ds_buf *out)
{
    const struct fs_scratch *scratch = node->busy->scratch;
    char dataset[DS_FILE_NAME_MAX_BYTES + 1], name[DS_FILE_NAME_MAX_BYTES + 1];
    int err;

    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, node->dataset->name, dataset);
    ds_file_name_encode(DS_FILE_NAME_IN_DATASET, node->key, name);
    ds_text_clean(dataset);
    ds_text_clean(name);
    err = ds_buf_printf(out, "/%s/%s\t%zu\t%lld\t", dataset, name, scratch->bytes.len,
                        (long long)(ds_call_now_ms() - scratch->since_ms) / 1000);
    if (err != 0 || scratch->error == 0)
        return err != 0 ? err : ds_buf_puts(out, "held\n");
    return ds_buf_printf(out, "failed: %s\n", scratch->why);
}

int fs_leftover_print(struct fs *fs, struct ds_buf *out)
{
    int err = 0;

    DS_LOCK_SCOPE(&fs->lock);
    for (const struct fs_busy *busy = fs->busy; err == 0 && busy != NULL; busy = busy->next)
        if (busy->scratch != NULL && busy->node->attached)
            err = print_one(busy->node, out);
    return err;
}
