#include "cell.h"

#include "errno_name.h"

#include <stdio.h>

#define BETWEEN ", "

const char *cell_told(int told)
{
    switch (told) {
    case 0:
        return "ok";
    case TOLD_REFUSED:
        return "refused";
    case TOLD_NO_LINE:
        return "an error without a line of its own";
    case TOLD_WRONG:
        return "success, which is not true";
    case TOLD_NOTHING:
        return "nothing";
    default:
        return ds_errno_name(told);
    }
}

static void insert(struct cell *cell, const char *word)
{
    size_t at = 0;
    while (at < cell->count && strcmp(cell->words[at], word) < 0)
        at++;
    if (at < cell->count && strcmp(cell->words[at], word) == 0)
        return;
    assert_true(cell->count < CELL_WORDS);
    memmove(cell->words + at + 1, cell->words + at, (cell->count - at) * sizeof *cell->words);
    snprintf(cell->words[at], sizeof cell->words[at], "%s", word);
    cell->count++;
}

void cell_add(struct cell *cell, int told, enum after after)
{
    static const char *const behind[] = {
        [AFTER_OLD] = "", [AFTER_NEW] = " (done)", [AFTER_BOTH] = " (both)"};
    char word[CELL_WORD_BYTES];
    bool plain = after > AFTER_BOTH || (told == 0 && after == AFTER_NEW);
    snprintf(word, sizeof word, "%s%s", cell_told(told), plain ? "" : behind[after]);
    insert(cell, word);
}

char *cell_text(const struct cell *cell)
{
    struct ds_buf text = {0};
    int err = cell->count ? 0 : ds_buf_puts(&text, ".");
    for (size_t i = 0; i < cell->count && !err; i++)
        err = ds_buf_printf(&text, "%s%s", i ? BETWEEN : "", cell->words[i]);
    assert_int_equal(err, 0);
    return text.data;
}

static bool stands_in(const char *word, const char *text)
{
    size_t len = strlen(word);
    while (text) {
        if (strncmp(text, word, len) == 0 && (!text[len] || !strncmp(text + len, BETWEEN, 2)))
            return true;
        text = strstr(text, BETWEEN);
        text = text ? text + 2 : NULL;
    }
    return false;
}

bool cell_is_within(const struct cell *cell, const char *text)
{
    for (size_t i = 0; i < cell->count; i++)
        if (!stands_in(cell->words[i], text))
            return false;
    return true;
}
