#include "document.h"

#include "cleanup.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_NAME "SECURITY.md"
#define TITLE "#### "
#define END_MARK "<!-- end of faults -->"

struct cell *document_cell(const struct document *document, size_t fault, size_t operation)
{
    return &document->cells[fault * operation_count + operation];
}

static bool has_column(enum way way, const struct operation *operation)
{
    return operation->ways & IN(way);
}

static bool has_row(enum way way, const struct fault *fault)
{
    for (size_t i = 0; i < operation_count; i++)
        if (fault_concerns(fault, &operations[i], way))
            return true;
    return false;
}

static void add(struct ds_buf *out, const char *text)
{
    assert_int_equal(ds_buf_puts(out, text), 0);
}

/* The line that a section begins with. */
static char *title_line(enum way way)
{
    char *line = NULL;
    assert_true(asprintf(&line, TITLE "`%s`\n", way_title(way)) > 0);
    return line;
}

static void print_head(const struct document *document, struct ds_buf *out)
{
    char *title DS_AUTO_FREE = title_line(document->way);
    add(out, title);
    add(out, "\n| fault |");
    for (size_t i = 0; i < operation_count; i++)
        if (has_column(document->way, &operations[i]))
            assert_int_equal(ds_buf_printf(out, " %s |", operations[i].name), 0);
    add(out, "\n|---|");
    for (size_t i = 0; i < operation_count; i++)
        if (has_column(document->way, &operations[i]))
            add(out, "---|");
    add(out, "\n");
}

static void print_row(const struct document *document, size_t row, struct ds_buf *out)
{
    assert_int_equal(ds_buf_printf(out, "| %s |", faults[row].name), 0);
    for (size_t i = 0; i < operation_count; i++) {
        if (!has_column(document->way, &operations[i]))
            continue;
        char *text DS_AUTO_FREE = cell_text(document_cell(document, row, i));
        assert_int_equal(ds_buf_printf(out, " %s |", text), 0);
    }
    add(out, "\n");
}

char *document_print(const struct document *document, unsigned long lost, unsigned long twice)
{
    struct ds_buf out = {0};
    print_head(document, &out);
    for (size_t row = 0; row < fault_count; row++)
        if (has_row(document->way, &faults[row]))
            print_row(document, row, &out);
    assert_int_equal(ds_buf_printf(&out, "\n%lu lost, %lu twice.\n\n", lost, twice), 0);
    return out.data;
}

static void read_file(struct ds_buf *out)
{
    char bytes[4096];
    size_t len;
    FILE *file = fopen(FILE_NAME, "re");
    if (!file)
        fail_msg(FILE_NAME ": %s (run the tests from the root of the source tree)",
                 strerror(errno));
    while ((len = fread(bytes, 1, sizeof bytes, file)) > 0)
        assert_int_equal(ds_buf_append(out, bytes, len), 0);
    fclose(file);
}

char *document_read(enum way way)
{
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};
    char *title DS_AUTO_FREE = title_line(way);
    read_file(&text);
    const char *begin = text.data ? strstr(text.data, title) : NULL;
    if (!begin)
        return NULL;
    const char *end = strstr(begin, "\n" TITLE);
    if (!end)
        end = strstr(begin, "\n" END_MARK);
    return end ? strndup(begin, (size_t)(end + 1 - begin)) : NULL;
}

bool document_has_rows(const char *section, enum way way)
{
    size_t rows = 2, found = 0; /* with the two lines of the head */
    for (size_t row = 0; row < fault_count; row++)
        rows += has_row(way, &faults[row]);
    for (const char *at = section; at && (at = strstr(at, "\n|")); at += 2)
        found++;
    return found == rows;
}

char *document_find(const char *section, const struct fault *fault, enum way way,
                    const struct operation *operation)
{
    char begin[128];
    snprintf(begin, sizeof begin, "\n| %s |", fault->name);
    const char *at = section ? strstr(section, begin) : NULL;
    if (!at)
        return NULL;
    at += strlen(begin);
    for (const struct operation *column = operations; column < operation; column++)
        if (has_column(way, column)) {
            at = strchr(at, '|');
            if (!at)
                return NULL;
            at++;
        }
    const char *end = strstr(at, " |");
    return end && *at == ' ' ? strndup(at + 1, (size_t)(end - at - 1)) : NULL;
}
