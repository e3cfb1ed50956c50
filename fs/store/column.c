/* What is followed across the machines of an inventory. */
#include "column.h"

#include "await.h"
#include "cleanup.h"
#include "column_table.h"
#include "fetch_value.h"
#include "inventory.h"
#include "kernel/run_request.h"
#include "model/machines.h"
#include "model/value.h"
#include "query_dataset.h"
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    BEHIND = 4, /* machines that a key's reader may be behind */

    /* A cell that young need not be asked for again. */
    YOUNG_MS = FS_TICKET_AHEAD_MS / 2
};

static size_t window_of(const struct fs *fs)
{
    size_t parallel = ds_inventory_parallel(fs->machines.inventory);
    size_t window = parallel > 1 ? parallel - parallel / 3 : 0;

    if (window > fs->options->max_threads / 2)
        window = fs->options->max_threads / 2;
    return window < fs->options->readahead ? window : fs->options->readahead;
}

void fs_column_lists(struct fs *fs, pid_t tid)
{
    if (window_of(fs) == 0)
        return;
    if (fs->machines.columns == NULL)
        fs->machines.columns = calloc(1, sizeof(*fs->machines.columns));
    if (fs->machines.columns != NULL)
        fs_reader_session_lists(&fs->machines.columns->sessions, tid);
}

void fs_column_trim(struct fs *fs)
{
    if (fs->machines.columns != NULL)
        fs_columns_trim(fs, FS_TICKET_AHEAD_MS);
}

void fs_column_end(struct fs *fs)
{
    DS_LOCK_SCOPE(&fs->lock);
    fs_columns_end(fs);
}

static void note_lacking(const struct fs *fs, const struct fs_cell *cell)
{
    struct fs_column *column = cell->column;
    size_t index;

    if (column->listing == fs->machines.listing && column->listing != NULL &&
        fs_reader_place(column->listing, 0, cell->dataset->vm->machine.file_name, &index))
        column->lacking[index] = 1;
}

/* What was asked for has come, or will not. `err` as fs_query_refresh() and fs_fetch_value(): what
 * failed is asked for once more by who comes to it, and is his failure then. */
static void settle(struct fs *fs, struct fs_cell *cell, int err)
{
    DS_LOCK_SCOPE(&fs->lock);
    cell->coming = false;
    cell->column->coming--;
    cell->absent = err == -ENOENT;
    cell->came_ms = ds_call_now_ms();
    if (cell->absent)
        note_lacking(fs, cell);
    if (cell->node != NULL)
        fs_ticket_expected(cell->node, cell->asked_ms,
                           err == 0 && fs_value_younger(cell->node, FS_FRESH_MS));
    fs_await_tell(fs);
}

static int fetch(struct fs_request *request)
{
    struct fs_cell *cell = request->task;
    int err;

    ds_call_init(&request->call, request->fs->options->store.timeout_ms);
    err = fs_query_refresh(request, cell->dataset, YOUNG_MS);
    if (err == 0 && cell->node != NULL)
        err = fs_fetch_value(request, cell->node, false, false);
    settle(request->fs, cell, err);
    return 0;
}

static void drop(struct fs_request *request)
{
    settle(request->fs, request->task, -EINTR);
}

/* The place of the next one, which was asked for longest ago; NULL: all are on their way. */
static struct fs_cell *next_cell(struct fs_column *column)
{
    for (size_t i = 0; i < FS_COLUMN_CELLS; i++) {
        struct fs_cell *cell = &column->cells[column->next];

        column->next = (column->next + 1) % FS_COLUMN_CELLS;
        if (!cell->coming)
            return cell;
    }
    return NULL;
}

/* Asks one machine. False if no more can be asked now. */
static bool ask(struct fs *fs, struct fs_column *column, struct fs_vm *vm)
{
    struct fs_cell *cell = next_cell(column);
    bool filled, local;

    if (cell == NULL)
        return false;
    fs_cell_empty(fs, cell);
    filled = fs_cell_fill(fs, cell, column, vm);
    local = filled && cell->node != NULL && fs_node_is_local(cell->node);
    if (!filled || local || fs_run_internal(&fs->kernel, fetch, drop, 0, cell) != 0) {
        fs_cell_empty(fs, cell);
        return local;
    }
    if (cell->node != NULL)
        fs_ticket_expect(cell->node);
    cell->asked_ms = ds_call_now_ms();
    cell->coming = true;
    column->coming++;
    return true;
}

/* Asks the machines behind the step, of which it was not found missing. */
static void ask_next(struct fs *fs, struct fs_column *column, const struct fs_step *step)
{
    const struct ds_names *names = &column->listing->names;
    size_t window = window_of(fs), most = step->run < 8 ? (size_t)1 << step->run : window;
    int64_t young_ms = ds_call_now_ms() - YOUNG_MS;

    if (most > window)
        most = window;
    for (size_t i = step->index + 1; i < names->count && most > 0; i++) {
        size_t at = step->back ? names->count - 1 - i : i;
        struct fs_vm *vm = fs_machines_shown(fs, names->names[at]);
        const struct fs_cell *cell = vm != NULL ? fs_column_cell(column, vm) : NULL;

        if (vm == NULL || column->lacking[at] || fs_vm_is_silent(vm))
            continue;
        most--;
        if (cell != NULL && (cell->coming || (!cell->used && cell->came_ms >= young_ms)))
            continue;
        if (!ask(fs, column, vm))
            return;
    }
}

/* Machines that lack it are none that a reader leaves out. */
static void pass_lacking(const struct fs_column *column, struct fs_reader *reader, size_t index)
{
    size_t last = column->listing->names.count - 1;

    while (reader != NULL && reader->run > 0 && reader->next < index && index <= last &&
           column->lacking[reader->back ? last - reader->next : reader->next])
        reader->next++;
}

/* True if the caller follows the column; `*step` is where. */
static bool follows(struct fs *fs, struct fs_column *column, const struct fs_vm *vm, pid_t tid,
                    struct fs_step *step)
{
    struct fs_reader *own;

    if (!fs_column_take_listing(fs, column) || vm->machine.file_name == NULL)
        return false;
    own = fs_readers_enter(&column->readers, &fs->machines.columns->sessions, tid);
    if (own == NULL ||
        !fs_reader_place(column->listing, own->next, vm->machine.file_name, &step->index))
        return false;
    step->listing = column->listing;
    fs_reader_turn(own, step);
    pass_lacking(column, own, step->index);
    pass_lacking(column, fs_readers_find(&column->readers, own->parent, true), step->index);
    return fs_readers_follow(&column->readers, own, step);
}

/* True if the one that follows the DataSet follows a key of it as well, at the same machine or just
 * before it: that brings both. */
static bool follows_key(const struct fs_columns *columns, const char *dataset,
                        const struct fs_step *step)
{
    int64_t since_ms = ds_call_now_ms() - FS_READER_PAUSE_MS;
    struct fs_column *column;

    DL_FOREACH2(columns->list, column, older)
    {
        const struct fs_reader *reader =
            column->key != NULL && strcmp(column->dataset, dataset) == 0
                ? fs_readers_find(&column->readers, step->reader, step->children)
                : NULL;

        if (reader != NULL && reader->run >= 2 && reader->at_ms > since_ms &&
            reader->back == step->back && reader->next <= step->index + 1 &&
            step->index - reader->next + 1 <= BEHIND)
            return true;
    }
    return false;
}

/* True if anything of the DataSet is on its way, and the machine is not silent. */
static bool comes(const void *what)
{
    const struct fs_dataset *dataset = what;
    struct fs_column *column;

    if (fs_vm_is_silent(dataset->vm))
        return false;
    DL_FOREACH2(dataset->vm->fs->machines.columns->list, column, older)
    {
        for (size_t i = 0; column->coming > 0 && i < FS_COLUMN_CELLS; i++)
            if (column->cells[i].dataset == dataset && column->cells[i].coming)
                return true;
    }
    return false;
}

/* True if it was asked for since the reader follows, and found missing, and was not made by this
 * mount since. */
static bool is_absent(const struct fs_cell *cell, const struct fs_step *step)
{
    bool made = cell->node != NULL ? !cell->node->attached || fs_value_exists(cell->node)
                                   : cell->dataset->exists;

    return cell->absent && !made && cell->asked_ms >= step->since_ms &&
           ds_call_now_ms() - cell->came_ms <= FS_TICKET_AHEAD_MS;
}

/* The one that follows has come to that machine's cell. True if there is none of it. */
static bool use_cell(struct fs_column *column, const struct fs_vm *vm, const struct fs_step *step)
{
    struct fs_reader *reader = fs_readers_find(&column->readers, step->reader, step->children);
    struct fs_cell *cell = fs_column_cell(column, vm);

    if (reader != NULL)
        reader->at_ms = ds_call_now_ms(); /* it has waited, which is no pause of its own */
    if (cell == NULL || cell->coming || cell->used)
        return false;
    cell->used = true;
    return is_absent(cell, step);
}

int fs_column_comes(struct fs_request *request, struct fs_dataset *dataset, const char *key)
{
    struct fs *fs = request->fs;
    struct fs_column *column;
    struct fs_step step;
    bool follower;
    int err;

    if (!fs_machines_any(fs))
        return 0;
    DS_LOCK_SCOPE(&fs->lock);
    if (fs->machines.columns == NULL || request->tid == 0)
        return 0;
    column = fs_columns_enter(fs, request->tid, dataset->name, key);
    follower = column != NULL && follows(fs, column, dataset->vm, request->tid, &step);
    /* Who has listed the DataSet has all its keys ahead, with one request. */
    if (follower && key != NULL && fs_walk_listed_ms(dataset, request->tid) != 0)
        follower = false;
    if (follower && (key != NULL || !follows_key(fs->machines.columns, dataset->name, &step)))
        ask_next(fs, column, &step);
    err = fs_await(request, comes, dataset);
    if (err != 0 || !follower)
        return err;
    column = fs_columns_find(fs->machines.columns, dataset->name, key);
    return column != NULL && use_cell(column, dataset->vm, &step) ? -ENOENT : 0;
}

int fs_column_comes_node(struct fs_request *request, const struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset = NULL;
    char *key DS_AUTO_FREE = NULL;
    int err;

    if (!fs_machines_any(fs))
        return 0;
    /* A rename may give the node another key and DataSet meanwhile. */
    pthread_mutex_lock(&fs->lock);
    if (fs->machines.columns != NULL && node->attached) {
        key = strdup(node->key);
        dataset = key != NULL ? node->dataset : NULL;
    }
    if (dataset != NULL)
        fs_dataset_ref(dataset);
    pthread_mutex_unlock(&fs->lock);
    if (dataset == NULL)
        return 0;
    err = fs_column_comes(request, dataset, key);
    fs_dataset_release(dataset);
    return err;
}
