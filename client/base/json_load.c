/* Reading JSON that others have sent. */
#include "json_load.h"

#include "cleanup.h"
#include "json_text.h"
#include "text.h"
#include "utf8.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* jansson goes on when it has no room for the next byte of a string, and calls other lacks of
 * memory a fault of the text: what is known of them is noted where they happen. */
static _Thread_local bool lacked_memory;
static _Atomic(json_malloc_t) allocate_inside = malloc;

static void *allocate(size_t size)
{
    void *memory = atomic_load(&allocate_inside)(size);
    if (!memory)
        lacked_memory = true;
    return memory;
}

/* Whoever has set other functions keeps them, behind ours. */
static void watch_memory(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    json_malloc_t set = NULL;
    json_free_t release = NULL;
    DS_LOCK_SCOPE(&mutex);
    json_get_alloc_funcs(&set, &release);
    if (set == allocate)
        return;
    atomic_store(&allocate_inside, set);
    json_set_alloc_funcs(allocate, release);
}

int ds_json_parse(const char *text, size_t len, size_t flags, json_error_t *fault, json_t **out)
{
    watch_memory();
    lacked_memory = false;
    json_t *json = json_loadb(text, len, flags, fault);
    if (lacked_memory || (!json && json_error_code(fault) == json_error_out_of_memory)) {
        json_decref(json);
        return -ENOMEM;
    }
    if (!json)
        return -EPROTO;
    *out = json;
    return 0;
}

/* jansson takes up to five times the length of a long text while it reads it. */
enum { LONG_BYTES = 64 * 1024, LONG_AT_ONCE = 2 };

static pthread_mutex_t turns_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_is_free = PTHREAD_COND_INITIALIZER;
static unsigned turns_taken; /* under the mutex */

/* Whoever reads needs nothing but a processor, so nobody waits for long. */
static void take_turn(void)
{
    DS_LOCK_SCOPE(&turns_mutex);
    while (turns_taken == LONG_AT_ONCE)
        pthread_cond_wait(&turn_is_free, &turns_mutex);
    turns_taken++;
}

static void give_turn(void)
{
    DS_LOCK_SCOPE(&turns_mutex);
    turns_taken--;
    pthread_cond_signal(&turn_is_free);
}

static int load(const char *text, size_t len, size_t flags, json_t **out)
{
    struct ds_buf clean DS_CLEANUP(ds_buf_free) = {0};
    json_error_t fault = {0};
    int err = ds_json_text_clean(text, len, &clean);
    if (err)
        return err;
    return ds_json_parse(clean.data ? clean.data : text, clean.data ? clean.len : len,
                         flags | JSON_ALLOW_NUL, &fault, out);
}

int ds_json_load(const char *text, size_t len, size_t flags, json_t **out)
{
    bool is_long = len >= LONG_BYTES;
    if (is_long)
        take_turn();
    int err = load(text, len, flags, out);
    if (is_long)
        give_turn();
    return err;
}

bool ds_json_is_text(const json_t *json)
{
    return json_is_string(json) && !memchr(json_string_value(json), '\0', json_string_length(json));
}

void ds_json_copy_words(const json_t *json, char *to, size_t size)
{
    size_t len = json_string_length(json);
    if (len > size - 1)
        len = size - 1;
    if (len)
        memcpy(to, json_string_value(json), len);
    to[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (!to[i])
            to[i] = '?';
    to[ds_utf8_prefix(to, len, NULL)] = '\0';
    ds_text_clean(to);
}

int ds_json_copy_description(const json_t *string, char **out)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    struct ds_buf copy = {0};
    const char *text = json_string_value(string);
    const char *end = text + json_string_length(string);
    int err = ds_buf_puts(&copy, "");
    while (!err && text < end) {
        size_t len = strnlen(text, (size_t)(end - text));
        err = ds_buf_append(&copy, text, len);
        text += len;
        if (!err && text < end)
            err = ds_buf_puts(&copy, replacement);
        text += text < end;
    }
    if (err)
        ds_buf_free(&copy);
    else
        *out = copy.data;
    return err;
}

void ds_json_read_used(const json_t *json, struct ds_attributes *out)
{
    double used = json_number_value(json);
    if (json_is_string(json)) {
        char *end = NULL;
        const char *digits = json_string_value(json);
        used = isdigit((unsigned char)*digits) ? strtod(digits, &end) : -1;
        if (end && *end)
            return;
    } else if (!json_is_number(json)) {
        return;
    }
    /* Far above what a virtual machine can hold, far below what a double cannot. */
    if (!(used >= 0 && used <= (double)(UINT64_C(1) << 52)))
        return;
    out->used_known = true;
    out->used_bytes = (uint64_t)used;
}
