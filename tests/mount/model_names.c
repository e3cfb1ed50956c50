/* Steps that open and close handles, and change names. */
#include "model_steps.h"

#include "cleanup.h"
#include "harness.h"
#include "peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int roll_flags(void)
{
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
    int flags = modes[model_roll(4)];
    if (model_roll(2)) {
        flags |= O_CREAT;
        flags |= model_roll(5) ? 0 : O_EXCL;
    }
    if (flags & O_ACCMODE) {
        flags |= model_roll(4) ? 0 : O_TRUNC;
        flags |= model_roll(3) ? 0 : O_APPEND;
    }
    return flags;
}

/* The last writer is gone, and with it a creation or truncation whose data was refused; but when is
 * not known. */
static void forget_refused(struct model_file *file)
{
    char path[MODEL_PATH_BYTES];
    file->refused = false;
    if (!file->exists)
        return;
    model_disarm();
    model_path(path, file->key);
    if (truncate(path, 0) != 0)
        model_fail("then truncate: %s", strerror(errno));
    model_pend(file);
    assert_soon(model_emptied_or_struck(file));
    model_check_committed(file);
}

void model_step_close(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    unsigned key = file->key;
    /* Where the store has an empty value already, the release would not show. */
    bool writes = model_writes(handle);
    /* What waits is made final by the release of who asked for it or of the last writer, which the
     * kernel sends after close has returned. */
    bool publishes = file->waits && (handle->pends || file->writers == writes);
    if (publishes && writes && model_emptied_or_struck(file)) {
        model_disarm();
        model_step_fsync(handle);
        publishes = file->waits;
    }
    bool forgets = file->refused && writes && file->writers == 1;
    model_step("close h%u of k%u", model_number(handle), key);
    int got = model_errno(close(handle->fd));
    model_close(handle); /* frees what nothing else holds */
    file = key == MODEL_DETACHED ? NULL : model_keys[key];
    if (publishes)
        assert_soon(model_emptied_or_struck(file));
    if (!model_verdict(0, got) || !file)
        return;
    if (forgets && model_attached(file))
        forget_refused(file);
    else if (publishes || (writes && !file->waits))
        model_check_committed(file);
}

bool model_refuses_creation(const struct model_file *file, int got)
{
    return got == ENOENT && file && file->waits && model_struck();
}

void model_step_open(struct model_handle *handle)
{
    unsigned key = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[key];
    bool exists = file && file->exists;
    int flags = roll_flags();
    int expected = exists && (flags & O_EXCL) ? EEXIST : exists || (flags & O_CREAT) ? 0 : ENOENT;
    char path[MODEL_PATH_BYTES];
    bool makes = !exists && (flags & O_CREAT) && !(flags & O_ACCMODE);
    if (makes)
        model_disarm(); /* nobody could be told if its creation was refused later */
    model_path(path, key);
    model_step("open k%u as h%u:%s%s%s%s%s", key, model_number(handle),
               (const char *[]){" r", " w", " rw"}[flags & O_ACCMODE],
               flags & O_CREAT ? " creat" : "", flags & O_EXCL ? " excl" : "",
               flags & O_TRUNC ? " trunc" : "", flags & O_APPEND ? " append" : "");
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int got = model_errno(fd);
    if (model_refuses_creation(file, got))
        expected = got;
    if (got == 0) {
        if (!file)
            file = model_create(key);
        if (!exists || (flags & O_TRUNC))
            model_pend(file);
        model_open(handle, file, fd, flags);
        if (!exists || (flags & O_TRUNC))
            model_pend_by(handle);
    }
    if (model_verdict(expected, got) && got == 0 && exists && !(flags & O_TRUNC))
        model_check_committed(file); /* an open makes final what waited */
    if (makes)
        model_step_close(handle);
}

void model_step_unlink(void)
{
    unsigned key = model_roll(MODEL_KEYS);
    const struct model_file *file = model_keys[key];
    bool exists = file && file->exists;
    char path[MODEL_PATH_BYTES];
    model_path(path, key);
    model_step("unlink k%u", key);
    int got = model_errno(unlink(path));
    if (got == 0)
        model_detach(key);
    if (model_verdict(exists ? 0 : ENOENT, got) && !peer_lacks(model_dataset(key), model_name(key)))
        model_fail("it is in the store");
}

/* The rename failed, perhaps after its first half: then both keys have the value, and what waited
 * under the new name is overwritten. */
static void may_be_half_renamed(const struct model_file *file, unsigned to)
{
    struct model_file *target = model_keys[to] ? model_keys[to] : model_create(to);
    char *stored DS_AUTO_FREE = peer_get(model_dataset(to), model_name(to));
    model_may_become(target, file);
    target->renamed_over = true;
    if (model_struck() && model_stored_is(file, stored))
        target->waits = target->refused = false;
}

void model_step_rename(void)
{
    unsigned from = model_roll(MODEL_KEYS);
    unsigned to = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[from];
    const struct model_file *target = model_keys[to];
    bool exists = file && file->exists;
    unsigned flags = model_roll(3) ? 0 : RENAME_NOREPLACE;
    char path[MODEL_PATH_BYTES];
    char to_path[MODEL_PATH_BYTES];
    int expected = !exists                                                  ? ENOENT
                   : target && target->exists && (flags & RENAME_NOREPLACE) ? EEXIST
                                                                            : 0;
    model_path(path, from);
    model_path(to_path, to);
    model_step("rename k%u to k%u%s", from, to, flags ? " noreplace" : "");
    int got = model_errno(renameat2(AT_FDCWD, path, AT_FDCWD, to_path, flags));
    if (got == 0 && from != to && exists) {
        model_detach(to);
        file->key = to;
        file->waits = false;
        model_keys[to] = file;
        model_keys[from] = NULL;
    } else if (got != 0 && from != to && exists) {
        may_be_half_renamed(file, to);
    }
    bool well = model_verdict(expected, got);
    if (well && got != 0 && model_keys[to])
        model_settle(model_keys[to]);
    if (!well || got != 0 || from == to)
        return;
    model_check_store(file);
    if (!peer_lacks(model_dataset(from), model_name(from)))
        model_fail("the old name is in the store");
}
