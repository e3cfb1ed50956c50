#include "model.h"

#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>

#define NOTHING 0 /* the digest of no value */

struct model_file *model_keys[MODEL_KEYS];
struct model_handle model_handles[MODEL_HANDLES];

static uint64_t random_state;

void model_seed(uint64_t seed)
{
    random_state = seed;
}

/* Knuth's MMIX. */
unsigned model_roll(unsigned sides)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % sides;
}

void model_text(struct ds_buf *out, size_t len, bool plain)
{
    static const char *const longer[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    char letter[] = "x";
    for (size_t end = out->len + len; out->len < end;) {
        unsigned chosen = model_roll(plain ? 27 : 36);
        letter[0] = "abcdefghijklmnopqrstuvwxyz\n"[chosen % 27];
        assert_int_equal(ds_buf_puts(out, chosen < 27 ? letter : longer[chosen % 3]), 0);
    }
}

size_t model_whole(const struct ds_buf *bytes, size_t at)
{
    while (at < bytes->len && ((unsigned char)bytes->data[at] & 0xC0) == 0x80)
        at++;
    return at;
}

void model_assign(struct ds_buf *buf, const char *data, size_t len)
{
    struct ds_buf fresh = {0};
    assert_int_equal(ds_buf_append(&fresh, data, len), 0);
    ds_buf_free(buf);
    *buf = fresh;
}

void model_overwrite(struct ds_buf *buf, size_t offset, const char *data, size_t len)
{
    size_t inside = buf->len - offset < len ? buf->len - offset : len;
    if (inside > 0)
        memcpy(buf->data + offset, data, inside);
    assert_int_equal(ds_buf_append(buf, data + inside, len - inside), 0);
}

/* FNV-1a; never NOTHING. */
static uint64_t digest(const char *data, size_t len)
{
    uint64_t sum = 14695981039346656037ULL;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)data[i]) * 1099511628211ULL;
    return sum | 1;
}

static void add_version(struct model_file *file, uint64_t version)
{
    if (file->version_count == file->version_capacity) {
        file->version_capacity = 2 * file->version_capacity + 4;
        file->versions =
            realloc(file->versions, file->version_capacity * sizeof *file->versions); // NOLINT
        assert_non_null(file->versions);
    }
    file->versions[file->version_count++] = version;
}

void model_may_hold(struct model_file *file)
{
    add_version(file, file->exists ? digest(file->bytes.data, file->bytes.len) : NOTHING);
}

void model_may_become(struct model_file *file, const struct model_file *other)
{
    add_version(file, digest(other->bytes.data, other->bytes.len));
}

void model_must_hold(struct model_file *file)
{
    file->version_count = 0;
    model_may_hold(file);
}

bool model_explains(const struct model_file *file, const char *data, size_t len)
{
    uint64_t wanted = data ? digest(data, len) : NOTHING;
    for (size_t i = 0; i < file->version_count; i++)
        if (file->versions[i] == wanted)
            return true;
    return false;
}

struct model_file *model_create(unsigned key)
{
    struct model_file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    file->key = key;
    model_must_hold(file);
    model_keys[key] = file;
    return file;
}

static void free_file(struct model_file *file)
{
    ds_buf_free(&file->bytes);
    free(file->versions);
    free(file);
}

void model_settle(struct model_file *file)
{
    if (file->handles > 0 || (file->key != MODEL_DETACHED && file->exists))
        return;
    if (file->key != MODEL_DETACHED)
        model_keys[file->key] = NULL;
    free_file(file);
}

void model_detach(unsigned key)
{
    struct model_file *file = model_keys[key];
    if (!file)
        return;
    file->key = MODEL_DETACHED;
    file->waits = false;
    file->refused = false;
    model_keys[key] = NULL;
    model_settle(file);
}

bool model_writes(const struct model_handle *handle)
{
    return (handle->flags & O_ACCMODE) != O_RDONLY;
}

void model_open(struct model_handle *handle, struct model_file *file, int fd, int flags)
{
    *handle = (struct model_handle){.fd = fd, .flags = flags, .file = file};
    file->handles++;
    file->writers += model_writes(handle);
}

void model_close(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    file->handles--;
    file->writers -= model_writes(handle);
    handle->fd = -1;
    handle->file = NULL;
    model_settle(file);
}

unsigned model_number(const struct model_handle *handle)
{
    return (unsigned)(handle - model_handles);
}

bool model_attached(const struct model_file *file)
{
    return file->key != MODEL_DETACHED;
}

int model_errno(int result)
{
    return result < 0 ? errno : 0;
}

void model_pend_by(struct model_handle *handle)
{
    handle->pends = handle->file->waits;
}

void model_pend_by_path(struct model_file *file)
{
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (model_handles[i].file == file && model_writes(&model_handles[i]))
            model_pend_by(&model_handles[i]);
}

void model_pend(struct model_file *file)
{
    for (unsigned i = 0; i < MODEL_HANDLES && !file->waits; i++)
        if (model_handles[i].file == file)
            model_handles[i].pends = false;
    file->creates = !file->exists || (file->waits && file->creates);
    file->exists = true;
    file->waits = model_attached(file);
    file->refused = false;
    model_assign(&file->bytes, "", 0);
    if (model_attached(file))
        model_may_hold(file);
    else
        model_must_hold(file);
}

void model_clear(void)
{
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (model_handles[i].file)
            model_close(&model_handles[i]);
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        if (model_keys[i])
            free_file(model_keys[i]);
    memset(model_keys, 0, sizeof model_keys);
}
