/* The kernel's pages of a file that is being opened. */
#include "prefill.h"

#include "kernel/pages.h"
#include "model/told_kernel.h"
#include "model/value.h"

#include <fcntl.h>

/* As many bytes as the kernel asks for with its first request of a reader that has come to read
 * all. */
enum { PREFILL_MAX_BYTES = 128 * 1024 };

/* The kernel locks the pages that it waits for us to fill: with any other file open, this thread
 * might wait for one of them, with all that it holds. */
static bool is_alone(const struct fs_handle *handle)
{
    return handle->node->busy->open.handles == handle && handle->next == NULL;
}

/* True if a READ would be answered by what the store was seen to hold. */
static bool shows_stored(const struct fs_node *node)
{
    const struct fs_working *working = &node->busy->working;

    return node->attached && node->busy->scratch == NULL && node->busy->withheld == NULL &&
           working->image == NULL && working->tail.len == 0 && !fs_commit_waits(&working->commit) &&
           fs_value_is_shown(node) && node->seen.presence == FS_PRESENT && node->seen.value != NULL;
}

void fs_prefill(struct fs_request *request, struct fs_handle *handle, bool told)
{
    struct fs_node *node = handle->node;
    const struct fs_value *value = node->seen.value;

    if (!told || handle->writes || request->fi.keep_cache || (request->fi.flags & O_DIRECT) ||
        !is_alone(handle) || !shows_stored(node) || value->len == 0 ||
        value->len > PREFILL_MAX_BYTES)
        return;
    if (fs_pages_give(&request->fs->kernel, node->ino, value->data, value->len) != 0)
        return; /* they are dropped with the answer, as they would have been */
    fs_told_reads_pages(node, handle->pages);
    request->fi.keep_cache = 1;
}
