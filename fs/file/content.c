/* What a reader sees. */
#include "content.h"

#include "model/key_history.h"
#include "scratch/scratch.h"
#include "working.h"

size_t fs_content_size(const struct fs_node *node)
{
    return node->busy->scratch != NULL ? node->busy->scratch->bytes.len : fs_working_size(node);
}

uint64_t fs_content_digest(const struct fs *fs, const struct fs_node *node)
{
    const struct fs_image *image = node->busy->working.image;
    const struct fs_value *value = node->seen.value;

    if (node->busy->scratch != NULL)
        return fs_history_digest(fs, node->busy->scratch->bytes.data,
                                 node->busy->scratch->bytes.len);
    if (image != NULL)
        return fs_history_digest(fs, image->bytes.data, image->bytes.len);
    return value != NULL ? fs_history_digest(fs, value->data, value->len) : node->seen.digest;
}
