/* Random steps over several handles, on a mount and on a model of it: contents, sizes and errnos
 * must be the same, whatever the store refuses. DS_SEED repeats a run, MODEL_STEPS makes it longer.
 */
#include "harness.h"

#include "model_steps.h"
#include "peer.h"
#include "sim.h"
#include "tests/seed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS (100000 / (HARNESS_SLOWNESS > 1 ? 5 : 1))
#define BURST 40 /* writes in a row, so that a handle's later ones may be gathered */

static bool with_faults;

/* A handle of a file that is there, any or one that may write; NULL if there is none. */
static struct model_handle *some_handle(bool to_write)
{
    unsigned first = model_roll(MODEL_HANDLES);
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        struct model_handle *handle = &model_handles[(first + i) % MODEL_HANDLES];
        if (handle->file && (!to_write || model_writes(handle)))
            return handle;
    }
    return NULL;
}

/* After a refusal what the kernel remembers may be wrong for 20 ms. */
static int look(int directory, const char *path, struct statx *status)
{
    int flags = AT_EMPTY_PATH | (with_faults ? AT_STATX_FORCE_SYNC : AT_STATX_SYNC_AS_STAT);
    return statx(directory, path, flags, STATX_SIZE, status);
}

static void step_look(void)
{
    struct model_handle *handle = some_handle(false);
    if (!handle || !handle->file->exists)
        return;
    struct statx status;
    model_step("look at h%u of k%u", model_number(handle), handle->file->key);
    if (!model_verdict(0, model_errno(look(handle->fd, "", &status))))
        return;
    if (status.stx_size != handle->file->bytes.len)
        model_fail("%llu bytes, not %zu", (unsigned long long)status.stx_size,
                   handle->file->bytes.len);
    model_check_content(handle);
}

/* By name, which is an open of its own. */
static void step_read(void)
{
    unsigned key = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[key];
    bool exists = file && file->exists;
    struct statx status;
    char path[MODEL_PATH_BYTES];
    model_path(path, key);
    model_step("stat k%u", key);
    int got = model_errno(look(AT_FDCWD, path, &status));
    if (!model_verdict(exists ? 0 : ENOENT, got))
        return;
    if (got == 0 && file && status.stx_size != file->bytes.len)
        model_fail("%llu bytes, not %zu", (unsigned long long)status.stx_size, file->bytes.len);
    model_step("read k%u", key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int opened = model_errno(fd);
    bool well = model_verdict(exists && !model_refuses_creation(file, opened) ? 0 : ENOENT, opened);
    if (fd >= 0 && well) {
        struct model_handle handle = {.fd = fd, .file = file};
        model_check_committed(file);
        model_check_content(&handle);
    }
    if (fd >= 0)
        close(fd);
}

/* --- the run --- */

static struct model_handle *free_handle(void)
{
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (!model_handles[i].file)
            return &model_handles[i];
    return NULL;
}

static void open_or_close(void)
{
    struct model_handle *handle = free_handle();
    if (handle && model_roll(8))
        model_step_open(handle);
    else if ((handle = some_handle(false)))
        model_step_close(handle);
}

static void cut_large(void)
{
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        struct model_handle *handle = &model_handles[i];
        if (handle->file && model_writes(handle) && handle->file->bytes.len > MODEL_LARGE &&
            !model_roll(4))
            model_step_ftruncate(handle);
    }
}

/* After some writes the next ones are gathered, and what is refused then is told by a later call.
 */
static void burst(struct model_handle *handle)
{
    for (unsigned i = model_roll(BURST); i > 0; i--)
        model_step_write(handle);
    if (with_faults && model_roll(2))
        model_arm(MODEL_ARM_WRITES);
    for (unsigned i = model_roll(4); i > 0; i--)
        model_step_write(handle);
    if (model_roll(3))
        model_step_close(handle);
}

static void step_handle(void)
{
    struct model_handle *handle = some_handle(true);
    unsigned chosen = model_roll(100);
    if (!handle)
        return;
    if (chosen < 45)
        model_step_write(handle);
    else if (chosen < 47)
        burst(handle);
    else if (chosen < 60)
        model_step_blocks(handle);
    else if (chosen < 75)
        model_step_ftruncate(handle);
    else if (chosen < 88)
        model_step_fsync(handle);
    else
        model_step_close(handle);
}

static void step_any(void)
{
    unsigned chosen = model_roll(100);
    cut_large();
    if (chosen < 20)
        open_or_close();
    else if (chosen < 60)
        step_handle();
    else if (chosen < 65)
        model_step_unlink();
    else if (chosen < 71)
        model_step_rename();
    else if (chosen < 74)
        model_step_truncate();
    else if (chosen < 90)
        step_look();
    else
        step_read();
    if (with_faults && !model_roll(40))
        model_arm(MODEL_ARM_ANY);
}

/* Without handles, the store has exactly the model's keys. */
static void check_all(void)
{
    size_t counts[2] = {0};
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (model_handles[i].file)
            model_step_close(&model_handles[i]);
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        if (!model_keys[i])
            continue;
        model_step("the end of k%u", i);
        model_check_committed(model_keys[i]);
        counts[model_dataset(i) != model_dataset(0)]++;
    }
    assert_int_equal(peer_keys(model_dataset(0)), counts[0]);
    assert_int_equal(peer_keys(model_dataset(MODEL_KEYS - 1)), counts[1]);
}

static void run(unsigned long count)
{
    model_seed(seed_of_run());
    model_run_begin(with_faults);
    for (unsigned long next = 1000; model_run_steps() < count; next += 1000) {
        harness_prolong();
        while (model_run_steps() < next)
            step_any();
        model_disarm();
        check_all();
    }
    model_run_done();
}

static void test_refusing_store(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), NULL);
    with_faults = true;
    run(harness_number("MODEL_STEPS", STEPS) / 2);
}

static void test_obedient_store(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    harness_start_source("m", HARNESS_SOURCE, NULL);
    with_faults = false;
    run(harness_number("MODEL_STEPS", STEPS) / 2);
}

static int teardown(void **state)
{
    model_run_end();
    return harness_teardown(state);
}

static const struct CMUnitTest tests[] = {
    {"test_obedient_store", test_obedient_store, harness_setup, teardown, NULL},
    {"test_refusing_store", test_refusing_store, harness_setup, teardown, NULL},
};

HARNESS_MAIN(tests)
