/* The kernel's pages of a file that is being opened. */
#include "prefill.h"

#include "content.h"
#include "kernel/pages.h"
#include "model/told_kernel.h"
#include "model/value.h"
#include "read.h"

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

void fs_prefill(struct fs_request *request, struct fs_handle *handle, bool told)
{
    struct fs_node *node = handle->node;
    size_t size = fs_content_size(node);
    struct fs_value *value = NULL;

    if (!told || handle->writes || request->fi.keep_cache || (request->fi.flags & O_DIRECT) ||
        !is_alone(handle) || node->busy->scratch != NULL || size == 0 || size > PREFILL_MAX_BYTES ||
        fs_read_visible(node, &value) != 0 || value == NULL)
        return;
    /* Pages that are not given, or not all, are dropped with the answer. */
    if (value->len == size &&
        fs_pages_give(&request->fs->kernel, node->ino, value->data, value->len) == 0) {
        fs_told_reads_pages(node, handle->pages);
        request->fi.keep_cache = 1;
    }
    fs_value_unref(value);
}
