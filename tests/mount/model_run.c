#include "model_run.h"

#include "cleanup.h"
#include "harness.h"
#include "peer.h"
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTES 20
#define NOTE_BYTES 160
#define FAULT_STEPS 40 /* a fault that found nothing to strike in so many is taken away */
#define TELLS_MAX 3    /* of one handle: a late failure and one more for each held piece */

static char notes[NOTES][NOTE_BYTES];
static unsigned long steps;
static bool done;

static struct {
    bool armed;
    bool loses_nothing; /* it strikes a question, which the kernel may ask again by itself */
    int error;
    uint64_t fired; /* before it was armed */
    unsigned long since;
    unsigned long struck; /* so far, all together */
} fault;

static struct model_handle *cut; /* NULL: no code point is cut */

void model_run_begin(bool faults)
{
    memset(&fault, 0, sizeof fault);
    memset(notes, 0, sizeof notes);
    steps = 0;
    done = false;
    cut = NULL;
    fault.fired = faults ? sim_fired() : 0;
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        model_handles[i].fd = -1;
}

unsigned long model_run_steps(void)
{
    return steps;
}

void model_run_done(void)
{
    done = true;
    print_message("%lu steps, %lu faults struck\n", steps, fault.struck);
}

void model_run_end(void)
{
    if (!done) {
        print_error("the last steps were:\n");
        for (unsigned long i = steps < NOTES ? 1 : steps - NOTES + 1; i <= steps; i++)
            print_error("%7lu %s\n", i, notes[i % NOTES]);
        harness_print_file("m/.datasetfs/errors");
    }
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (model_handles[i].file)
            close(model_handles[i].fd);
    model_clear();
}

void model_step(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(notes[++steps % NOTES], NOTE_BYTES, format, arguments);
    va_end(arguments);
}

void model_note(const char *format, ...)
{
    char *note = notes[steps % NOTES];
    size_t len = strlen(note);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note + len, NOTE_BYTES - len, format, arguments);
    va_end(arguments);
}

void model_fail(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_error("step %lu: %s: %s\n", steps, notes[steps % NOTES], text);
    fail();
    abort(); /* fail() does not return, which its declaration does not say */
}

const char *model_dataset(unsigned key)
{
    return key < 3 ? "app" : "other";
}

const char *model_name(unsigned key)
{
    static const char *const names[MODEL_KEYS] = {"k0", "k1", "k2", "k0", "caf\xc3\xa9"};
    return names[key];
}

void model_path(char path[MODEL_PATH_BYTES], unsigned key)
{
    snprintf(path, MODEL_PATH_BYTES, "m/%s/%s", model_dataset(key), model_name(key));
}

void model_arm(enum model_arm what)
{
    static const struct {
        const char *id;
        int error;
    } errors[] = {{"unable-to-allocate-resource", ENOSPC},
                  {"permission-denied", EACCES},
                  {"not-allowed-in-current-state", EBUSY},
                  {"invalid-argument", EINVAL}};
    static const char *const commands[] = {"set-entry", "set-entry", "set-entry", "get-entry",
                                           "delete-entry"};
    unsigned error = model_roll(sizeof errors / sizeof *errors);
    const char *command = commands[model_roll(sizeof commands / sizeof *commands)];
    unsigned skip = model_roll(3);
    if (what == MODEL_ARM_WRITES) {
        command = commands[0];
        skip = 0;
    }
    if (fault.armed)
        return;
    fault.armed = true;
    fault.loses_nothing = strcmp(command, "get-entry") == 0;
    fault.error = errors[error].error;
    fault.since = steps;
    model_note("; now %s fails with %s after %u", command, strerror(fault.error), skip);
    sim_fault("error=%s:command=datasets-%s:count=1:skip=%u", errors[error].id, command, skip);
}

bool model_struck(void)
{
    return fault.armed && sim_fired() > fault.fired;
}

void model_cut_open(struct model_handle *handle)
{
    cut = handle;
}

void model_cut_closed(void)
{
    cut = NULL;
}

bool model_stored_is(const struct model_file *file, const char *stored)
{
    if (!stored || !file->exists)
        return !stored && !file->exists;
    size_t len = strlen(stored);
    return len == file->bytes.len && (len == 0 || memcmp(stored, file->bytes.data, len) == 0);
}

static void describe(const char *what, const char *data, size_t len)
{
    print_error("%s: %zu bytes '%.60s'...'%.60s'\n", what, len, data ? data : "",
                data && len > 60 ? data + len - 60 : "");
}

void model_check_store(struct model_file *file)
{
    char *stored DS_AUTO_FREE = peer_get(model_dataset(file->key), model_name(file->key));
    if (!model_stored_is(file, stored)) {
        describe(stored ? "the store has" : "the store has nothing", stored,
                 stored ? strlen(stored) : 0);
        describe("the model", file->bytes.data, file->bytes.len);
        model_fail("k%u is not in the store as it should be", file->key);
    }
    model_must_hold(file);
}

bool model_resync(struct model_file *file)
{
    char *stored DS_AUTO_FREE = peer_get(model_dataset(file->key), model_name(file->key));
    size_t len = stored ? strlen(stored) : 0;
    if (!model_explains(file, stored, len)) {
        describe(stored ? "the store has" : "the store has nothing", stored, len);
        describe("the model", file->bytes.data, file->bytes.len);
        model_fail("the store has in k%u what nobody may have put there", file->key);
    }
    if (file->waits)
        file->refused = file->writers > 0 && (file->creates ? !stored : !stored || len > 0);
    bool changed = !model_stored_is(file, stored);
    file->waits = file->renamed_over = false;
    file->exists = stored != NULL;
    model_assign(&file->bytes, stored, len);
    model_must_hold(file);
    model_settle(file);
    return changed;
}

/* A removed file's content is in memory only. */
static void resync_detached(struct model_file *file, int fd)
{
    char path[32];
    char *text DS_AUTO_FREE = malloc(file->bytes.len + 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_non_null(text);
    ssize_t len = harness_read(path, text, file->bytes.len + 1);
    if (len < 0 || !model_explains(file, text, (size_t)len))
        model_fail("a removed file has %zd bytes that nobody may have put there", len);
    model_assign(&file->bytes, text, (size_t)len);
    model_must_hold(file);
}

static unsigned long long size_of(const struct model_handle *handle)
{
    struct statx seen;
    if (statx(handle->fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_SIZE, &seen) != 0)
        model_fail("statx of h%u: %s", model_number(handle), strerror(errno));
    return seen.stx_size;
}

void model_refresh(const struct model_file *file)
{
    int64_t until = harness_now_ms() + HARNESS_SOON_MS;
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        const struct model_handle *handle = &model_handles[i];
        if (handle->file != file || !file->exists)
            continue;
        while (size_of(handle) != file->bytes.len) {
            if (harness_now_ms() > until)
                model_fail("h%u has %llu bytes, not %zu", i, size_of(handle), file->bytes.len);
            harness_pause();
        }
        return;
    }
}

/* Asks each writer; true if one is told of the fault. What they wrote is in the store then. */
static bool ask_writers(void)
{
    bool told = false;
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        const struct model_handle *handle = &model_handles[i];
        int error = -1;
        if (!handle->file || !model_writes(handle))
            continue;
        for (int tries = 0; tries < TELLS_MAX && error != 0; tries++) {
            error = fsync(handle->fd) ? errno : 0;
            told = told || error == fault.error;
            if (error != 0 && error != fault.error)
                model_fail("then fsync of h%u: %s", i, strerror(error));
        }
        if (error != 0)
            model_fail("fsync of h%u does not come to an end of %s", i, strerror(error));
    }
    return told;
}

/* The held piece of a code point is given up with all that was there. */
static void give_up_cut(void)
{
    struct model_file *file = cut->file;
    if (ftruncate(cut->fd, 0) != 0)
        model_fail("then ftruncate: %s", strerror(errno));
    model_assign(&file->bytes, "", 0);
    if (file->key == MODEL_DETACHED)
        model_must_hold(file);
    else
        model_may_hold(file);
    cut = NULL;
}

/* What a close was refused is tried again when the file is released, and that may come later; an
 * open makes it final. */
static void finish_release(const struct model_file *file)
{
    char path[MODEL_PATH_BYTES];
    model_path(path, file->key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        model_fail("then open of k%u: %s", file->key, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void settle(bool told)
{
    bool silent = fault.loses_nothing, lost = false;
    sim_clear();
    fault.armed = false;
    fault.fired = sim_fired();
    fault.struck++;
    if (cut)
        give_up_cut();
    told = ask_writers() || told;
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        struct model_file *file = model_keys[i];
        if (!file) {
            if (!peer_lacks(model_dataset(i), model_name(i)))
                model_fail("k%u is in the store", i);
            continue;
        }
        bool waited = file->waits;
        if (!waited)
            finish_release(file);
        bool kept = file->writers > 0 && !waited && !file->refused && !file->renamed_over;
        bool changed = model_resync(file);
        file = model_keys[i];
        /* A release was refused, and nobody can be told of that. */
        silent = silent || (waited && !(file && file->exists && file->bytes.len == 0));
        lost = lost || changed;
        if (kept && changed)
            model_fail("k%u has lost what was acknowledged, although somebody has it open", i);
        if (file)
            model_refresh(file);
    }
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        struct model_handle *handle = &model_handles[i];
        if (handle->file && handle->file->version_count > 1)
            resync_detached(handle->file, handle->fd);
    }
    if (lost && !told && !silent)
        model_fail("nobody was told that the store refused (%s)", strerror(fault.error));
}

void model_disarm(void)
{
    if (!fault.armed)
        return;
    sim_clear();
    if (model_struck())
        settle(false);
    fault.armed = false;
}

bool model_verdict(int expected, int got)
{
    const char *words = got == MODEL_CUT_SHORT ? "cut short" : strerror(got);
    if (model_struck()) {
        bool told = got == MODEL_CUT_SHORT || (got == fault.error && got != expected);
        if (got != expected && !told)
            model_fail("%s, not %s or %s", words, strerror(expected), strerror(fault.error));
        model_note(" -> %s; struck", words);
        settle(told);
        return false;
    }
    if (got != expected)
        model_fail("%s, not %s", words, strerror(expected));
    if (expected)
        model_note(" -> %s", words);
    if (fault.armed && steps - fault.since > FAULT_STEPS)
        model_disarm();
    return true;
}

void model_check_committed(struct model_file *file)
{
    if (!model_attached(file) || file->refused)
        return;
    file->waits = false;
    model_check_store(file);
}

void model_check_content(const struct model_handle *handle)
{
    if ((handle->flags & O_ACCMODE) == O_WRONLY)
        return;
    const struct ds_buf *bytes = &handle->file->bytes;
    char *text DS_AUTO_FREE = malloc(bytes->len + 2);
    assert_non_null(text);
    ssize_t len = pread(handle->fd, text, bytes->len + 2, 0);
    if (!model_verdict(0, model_errno((int)len)))
        return;
    size_t same = 0;
    while (same < bytes->len && same < (size_t)len && text[same] == bytes->data[same])
        same++;
    if ((size_t)len != bytes->len || same != bytes->len)
        model_fail("read %zd bytes, not %zu; different from byte %zu on", len, bytes->len, same);
}

bool model_emptied_or_struck(const struct model_file *file)
{
    return peer_has(model_dataset(file->key), model_name(file->key), "") || model_struck();
}
