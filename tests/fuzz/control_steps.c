/* What somebody does in .datasetfs, and to a DataSet. */
#include "control_steps.h"

#include "dataset.h"
#include "fuzz.h"
#include "kernel.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

/* One write is one object, and makes or changes the DataSet e as it says. */
static void write_info(struct memory_store *store, bool shaken, const struct step *step)
{
    struct kernel_file file = {.open = false};
    struct ds_attributes given = {0};
    char why[DS_WHY_BYTES];
    json_t *before = json_deep_copy(store->datasets);
    bool host = store->client.caps.side == DS_SIDE_HOST;
    int valid = ds_attributes_from_json(step->text, step->len, &given, why);
    int err = kernel_open(".datasetfs/info/e", O_WRONLY | O_CREAT, &file);
    require(shaken || err == (host ? 0 : -EPERM));
    if (!err && step->len) {
        err = kernel_write(&file, 0, step->text, step->len, false);
        require(shaken || err == valid);
    }
    require(!err || shaken || json_equal(before, store->datasets));
    if (file.open)
        kernel_close(&file);
    ds_attributes_clear(&given);
    json_decref(before);
}

static void use_xattr(const struct step *step)
{
    static const char *const names[] = {
        "user.dataset.description", "user.dataset.host",
        "user.dataset.guest",       "user.dataset.omit_from_snapshot_and_clone",
        "user.dataset.used",        "user.other",
        "security.selinux"};
    const char *name = names[step->number % (sizeof names / sizeof *names)];
    kernel_set_xattr("e", name, step->text, step->len, 0);
    kernel_set_xattr("e", name, step->text, step->len, XATTR_CREATE);
    for (size_t room = 0; room <= 1024; room = room * 1023 + 1)
        kernel_get_xattr("e", name, room);
    kernel_list_xattr("e");
    kernel_list_xattr("d/a");
}

/* A file of .datasetfs is read as a whole, and not written; a directory is listed. */
static void read_control(const struct step *step)
{
    struct kernel_file file = {.open = false};
    struct ds_buf text = {0};
    char path[64];
    snprintf(path, sizeof path, ".datasetfs/%.*s", (int)(step->len < 32 ? step->len : 32),
             step->text);
    int err = kernel_open(path, O_RDONLY, &file);
    if (!err) {
        require(!kernel_read(&file, &text) && ds_utf8_valid(text.data, text.len));
        kernel_close(&file);
    }
    ds_buf_free(&text);
    bool info = step->len >= 4 && !memcmp(step->text, "info", 4);
    err = kernel_open(path, O_WRONLY, &file);
    require(err || info);
    if (!err) {
        require(!kernel_truncate(&file, 0, true));
        kernel_close(&file);
    }
}

static void make_or_remove(const struct step *step)
{
    if (step->number % 2)
        kernel_rmdir("e");
    else
        kernel_mkdir("e");
}

static void list(const struct step *step)
{
    static const char *const names[] = {"", "d", ".datasetfs", ".datasetfs/info", "e"};
    kernel_list(names[step->number % 5], step->number >= 5);
    kernel_statfs();
}

void control_step(struct memory_store *store, bool shaken, const struct step *step)
{
    switch (step->what) {
    case 'i':
        write_info(store, shaken, step);
        break;
    case 'v':
        use_xattr(step);
        break;
    case 'c':
        read_control(step);
        break;
    case 'k':
        make_or_remove(step);
        break;
    case 'l':
        list(step);
        break;
    default:
        break;
    }
}
