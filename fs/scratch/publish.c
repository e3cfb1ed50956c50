/* How scratch content becomes the value of a key. */
#include "publish.h"

#include "cleanup.h"
#include "model/datasets.h"
#include "model/machines.h"
#include "model/value.h"
#include "scratch.h"
#include "store/send.h"
#include "utf8.h"
#include "withheld.h"

#include <errno.h>

static int check_content(struct fs_request *request, const struct ds_buf *bytes)
{
    if (bytes->len > DS_VALUE_MAX_BYTES)
        return ds_call_fail(&request->call, -EFBIG, "a value has at most %d bytes",
                            DS_VALUE_MAX_BYTES);
    if (!ds_utf8_valid(bytes->data, bytes->len))
        return ds_call_fail(&request->call, -EILSEQ, "a value is UTF-8 text without NUL bytes");
    return 0;
}

int fs_publish_send(struct fs_request *request, struct fs_node *node, struct fs_node *to)
{
    const struct ds_buf *bytes =
        &node->busy->scratch->bytes; /* constant while we have the key lock */
    int err;

    fs_machines_below(request, to->dataset->vm);
    fs_request_about(request, to->dataset->name, to->key);
    err = check_content(request, bytes);
    if (err == 0)
        err = fs_send_value(request, to, bytes->len > 0 ? bytes->data : "", bytes->len);
    if (err != 0 && to->busy->scratch != NULL)
        fs_value_unseen(to);
    return err;
}

void fs_publish_done(struct fs *fs, struct fs_node *node, bool trusted)
{
    struct ds_buf *bytes = &node->busy->scratch->bytes;
    struct fs_value *value = fs_value_new(bytes->data, bytes->len, NULL, 0);
    size_t size_bytes = bytes->len;

    fs_scratch_free(fs, node);
    if (value != NULL)
        fs_value_learn_shown(fs, node, value, trusted);
    else
        fs_value_unknown(fs, node, size_bytes);
}

int fs_publish(struct fs_request *request, struct fs_node *node)
{
    int err = fs_publish_send(request, node, node);

    if (err == 0)
        err = fs_withheld_remove(request, node);
    if (err == 0)
        fs_publish_done(request->fs, node, true);
    return err;
}

int fs_publish_unlink(struct fs_request *request, struct fs_node *node, bool *done)
{
    *done = node->busy->scratch != NULL;
    if (node->busy->scratch != NULL)
        return fs_withheld_remove(request, node);
    if (node->busy->withheld == NULL)
        return 0;
    if (node->busy->working.image == NULL)
        return -ENOENT;
    return fs_publish(request, node->busy->withheld); /* its value is nowhere else, soon */
}
