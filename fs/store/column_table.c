/* The columns that are followed. */
#include "column_table.h"

#include "call.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { COLUMNS = 64 }; /* are followed at once */

void fs_cell_empty(struct fs *fs, struct fs_cell *cell)
{
    if (cell->node != NULL)
        fs_node_unpin_ahead(fs, cell->node);
    if (cell->dataset != NULL)
        fs_dataset_unref(cell->dataset);
    *cell = (struct fs_cell){0};
}

bool fs_cell_fill(struct fs *fs, struct fs_cell *cell, struct fs_column *column, struct fs_vm *vm)
{
    cell->column = column;
    cell->dataset = fs_dataset_get(vm, column->dataset);
    if (cell->dataset == NULL || column->key == NULL)
        return cell->dataset != NULL;
    cell->node = fs_node_get_key(fs, cell->dataset, column->key);
    if (cell->node == NULL)
        return false;
    fs_node_pin_ahead(cell->node);
    fs_node_unpin(fs, cell->node);
    return true;
}

static void free_column(struct fs *fs, struct fs_column *column)
{
    if (column == NULL)
        return;
    for (size_t i = 0; i < FS_COLUMN_CELLS; i++)
        fs_cell_empty(fs, &column->cells[i]);
    fs_readers_clear(&column->readers);
    fs_listing_unref(column->listing);
    free(column->lacking);
    free(column->dataset);
    free(column->key);
    free(column);
}

void fs_columns_end(struct fs *fs)
{
    struct fs_column *column, *next;

    if (fs->machines.columns == NULL)
        return;
    DL_FOREACH_SAFE2(fs->machines.columns->list, column, next, older)
    {
        free_column(fs, column);
    }
    free(fs->machines.columns);
    fs->machines.columns = NULL;
}

void fs_columns_trim(struct fs *fs, int64_t age_ms)
{
    int64_t old_ms = ds_call_now_ms() - age_ms;
    struct fs_column *column;

    if (fs->machines.columns == NULL)
        return;
    DL_FOREACH2(fs->machines.columns->list, column, older)
    {
        for (size_t i = 0; i < FS_COLUMN_CELLS; i++)
            if (!column->cells[i].coming && column->cells[i].came_ms < old_ms)
                fs_cell_empty(fs, &column->cells[i]);
    }
}

static bool is_column(const struct fs_column *column, const char *dataset, const char *key)
{
    return strcmp(column->dataset, dataset) == 0 &&
           (key == NULL ? column->key == NULL
                        : column->key != NULL && strcmp(column->key, key) == 0);
}

struct fs_column *fs_columns_find(const struct fs_columns *columns, const char *dataset,
                                  const char *key)
{
    struct fs_column *column;

    DL_FOREACH2(columns->list, column, older)
    {
        if (is_column(column, dataset, key))
            return column;
    }
    return NULL;
}

/* Makes room for another one: the one used longest ago of which nothing is on its way goes. */
static bool make_room(struct fs *fs, struct fs_columns *columns)
{
    struct fs_column *last = columns->list != NULL ? columns->list->newer : NULL;

    if (columns->count < COLUMNS || last == NULL)
        return true;
    while (last != columns->list && last->coming > 0)
        last = last->newer;
    if (last->coming > 0)
        return false;
    DL_DELETE2(columns->list, last, newer, older);
    columns->count--;
    free_column(fs, last);
    return true;
}

struct fs_column *fs_columns_enter(struct fs *fs, pid_t tid, const char *dataset, const char *key)
{
    struct fs_columns *columns = fs->machines.columns;
    struct fs_column *column = fs_columns_find(columns, dataset, key);

    if (column != NULL) {
        DL_DELETE2(columns->list, column, newer, older);
        DL_PREPEND2(columns->list, column, newer, older);
        return column;
    }
    if (!fs_reader_session_listed(&columns->sessions, tid) || !make_room(fs, columns))
        return NULL;
    column = calloc(1, sizeof(*column));
    if (column == NULL)
        return NULL;
    column->dataset = strdup(dataset);
    column->key = key != NULL ? strdup(key) : NULL;
    if (column->dataset == NULL || (key != NULL && column->key == NULL)) {
        free_column(fs, column);
        return NULL;
    }
    DL_PREPEND2(columns->list, column, newer, older);
    columns->count++;
    return column;
}

bool fs_column_take_listing(struct fs *fs, struct fs_column *column)
{
    struct fs_listing *listing = fs->machines.listing;
    unsigned char *lacking;

    if (listing == NULL || column->listing == listing)
        return listing != NULL;
    lacking = calloc(listing->names.count + 1, 1);
    if (lacking == NULL)
        return false;
    free(column->lacking);
    fs_listing_unref(column->listing);
    column->lacking = lacking;
    column->listing = listing;
    listing->refs++;
    return true;
}

struct fs_cell *fs_column_cell(struct fs_column *column, const struct fs_vm *vm)
{
    for (size_t i = 1; i <= FS_COLUMN_CELLS; i++) {
        struct fs_cell *cell =
            &column->cells[(column->next + FS_COLUMN_CELLS - i) % FS_COLUMN_CELLS];

        if (cell->dataset != NULL && cell->dataset->vm == vm)
            return cell;
    }
    return NULL;
}

bool fs_columns_serve(const struct fs_columns *columns, pid_t tid, struct fs_node *node,
                      enum fs_ticket_use use)
{
    struct fs_column *column = NULL;
    const struct fs_reader *reader;
    struct fs_cell *cell;

    if (columns != NULL && node->attached)
        column = fs_columns_find(columns, node->dataset->name, node->key);
    reader = column != NULL ? fs_readers_find(&column->readers, tid, false) : NULL;
    if (reader != NULL && reader->run < 2)
        reader = fs_readers_find(&column->readers, reader->parent, true);
    cell = reader != NULL && reader->run >= 2 ? fs_column_cell(column, node->dataset->vm) : NULL;
    if (cell == NULL)
        return false;
    if (fs_ticket_take_ahead(node, use, reader->since_ms)) {
        cell->stat_by = tid;
        cell->stat_ms = ds_call_now_ms();
        return true;
    }
    /* ls calls stat(2) and then lstat(2): it is told the same for as long as the kernel would. */
    return use == FS_TICKET_STAT && cell->stat_by == tid && fs_ticket_came_ahead(node) &&
           node->seen.value != NULL && ds_call_now_ms() - cell->stat_ms <= FS_FRESH_MS;
}
