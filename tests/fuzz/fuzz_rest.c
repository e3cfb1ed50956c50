/* Replies from a hostile vCenter, read as each kind of reply, and values on their way to it. */
#include "fuzz.h"

#include "client/rest/error.h"
#include "client/rest/json.h"
#include "client/rest/reply.h"
#include "machine_name.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void require_text(const char *text)
{
    require(ds_utf8_valid(text, strlen(text)));
}

/* 0 or -EPROTO; true if something was read, and so is to be looked at. */
static bool was_read(int err, const void *out, const void *before, size_t size)
{
    require(!err || err == -EPROTO);
    if (err)
        require(!memcmp(out, before, size));
    return !err;
}

/* The writer's text reads as what was written. */
static void write_back(const char *data, size_t len)
{
    struct ds_buf text = {0};
    struct ds_buf again = {0};
    require(!ds_rest_json_put_string(&text, data, len));
    require(ds_utf8_valid(text.data, text.len) && !memchr(text.data, '\n', text.len));
    require(ds_rest_json_check(text.data, text.len, true) == 0);
    require(!ds_rest_json_read_string(text.data, text.len, &again));
    require(again.len == len && (!len || !memcmp(again.data, data, len)));
    ds_buf_free(&again);
    ds_buf_free(&text);
}

static void read_strings(const char *text, size_t len)
{
    static char sign[] = "s";
    const struct ds_buf before = {.data = sign, .len = 1, .capacity = 2};
    struct ds_buf value = before;
    if (was_read(ds_rest_json_read_string(text, len, &value), &value, &before, sizeof value)) {
        require(ds_utf8_valid(value.data, value.len) && ds_rest_json_check(text, len, true) == 0);
        write_back(value.data, value.len);
        ds_buf_free(&value);
    }
    value = before;
    if (was_read(ds_rest_json_read_wrapped(text, len, &value), &value, &before, sizeof value)) {
        require(ds_utf8_valid(value.data, value.len) && ds_rest_json_check(text, len, true) == 0);
        ds_buf_free(&value);
    }
}

static void read_names(const char *text, size_t len)
{
    static char sign[] = "n";
    static char *signs[] = {sign};
    const struct ds_names before = {.names = signs, .count = 1, .capacity = 1};
    struct ds_names names = before;
    struct ds_names ids = before;
    if (was_read(ds_rest_json_read_keys(text, len, &names), &names, &before, sizeof names)) {
        for (size_t i = 0; i < names.count; i++)
            require_text(names.names[i]);
        ds_names_clear(&names);
    }
    names = before;
    int err = ds_rest_json_read_ids(text, len, "data_set", &names, &ids);
    bool read = was_read(err, &names, &before, sizeof names);
    was_read(err, &ids, &before, sizeof ids);
    if (!read)
        return;
    require(names.count == ids.count);
    for (size_t i = 0; i < names.count; i++) {
        require_text(names.names[i]);
        require_text(ids.names[i]);
    }
    ds_names_clear(&names);
    ds_names_clear(&ids);
}

/* What was read and is written reads the same. */
static void read_attributes(const char *text, size_t len)
{
    static char sign[] = "d";
    struct ds_attributes before;
    struct ds_attributes found;
    struct ds_attributes again = {0};
    struct ds_buf written = {0};
    memset(&before, 0, sizeof before); /* the padding too */
    before.description = sign;
    memcpy(&found, &before, sizeof found);
    if (!was_read(ds_rest_json_read_attributes(text, len, &found), &found, &before, sizeof found))
        return;
    if (found.description)
        require_text(found.description);
    require(!ds_rest_json_put_update(&written, &found));
    require(!ds_rest_json_read_attributes(written.data, written.len, &again));
    require(again.host == found.host && again.guest == found.guest);
    require(again.omit_from_snapshot_and_clone == found.omit_from_snapshot_and_clone);
    require(!again.description == !found.description);
    require(!found.description || !strcmp(again.description, found.description));
    ds_attributes_clear(&again);
    ds_buf_free(&written);
    /* What creates a DataSet says all of it. */
    require(!ds_rest_json_put_create(&written, "n", &found));
    require(!ds_rest_json_read_attributes(written.data, written.len, &again));
    require(again.description && again.host && again.guest && again.omit_from_snapshot_and_clone);
    ds_attributes_clear(&again);
    ds_attributes_clear(&found);
    ds_buf_free(&written);
}

static void read_machine(const char *text, size_t len)
{
    char power[16];
    unsigned version = 0;
    if (ds_rest_json_read_machine(text, len, power, sizeof power, &version) == 0) {
        require(strnlen(power, sizeof power) < sizeof power);
        require_text(power);
    }
}

static void read_machines(const char *text, size_t len)
{
    struct ds_machines machines = {0};
    int err = ds_rest_json_read_machines(text, len, &machines);
    require(!err || err == -EPROTO);
    for (size_t i = 0; i < machines.count; i++) {
        require(ds_machine_name_is_id(machines.list[i].id));
        require_text(machines.list[i].name);
        require(machines.list[i].power < DS_POWER_COUNT);
    }
    require(!ds_machines_sort(&machines));
    for (size_t i = 0; i < machines.count; i++) {
        bool twin =
            (i && !strcmp(machines.list[i - 1].name, machines.list[i].name)) ||
            (i + 1 < machines.count && !strcmp(machines.list[i + 1].name, machines.list[i].name));
        require(ds_machines_is_ambiguous(&machines, i) == twin);
        require(*ds_power_name(machines.list[i].power));
    }
    ds_machines_clear(&machines);
}

static void read_fault(const char *text, size_t len)
{
    struct ds_rest_fault fault;
    memset(&fault, 'x', sizeof fault);
    ds_rest_json_read_fault(text, len, &fault);
    require(strnlen(fault.type, sizeof fault.type) < sizeof fault.type);
    require(strnlen(fault.message, sizeof fault.message) < sizeof fault.message);
    require_text(fault.type);
    require_text(fault.message);
    for (const char *p = fault.message; *p; p++)
        require((unsigned char)*p >= 0x20 && *p != 0x7F);
    require(ds_rest_errno(fault.type, 400, fault.message) < 0);
    ds_rest_is_unauthenticated(fault.type, 401);
    require(ds_rest_errno(fault.type, 599, fault.message) < 0);
}

/* Whatever the status: a failure has words, and only the store's own "not found" has none. What the
 * answer is to, and what it is said to be, is chosen by its length: all of that with each input
 * would take three quarters of the time. */
static void read_answer(const char *text, size_t len)
{
    static const int statuses[] = {200, 204, 301, 400, 401, 404, 500, 503, 504};
    bool change = len & 1;
    bool html = len & 2;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct ds_http_request request = {
            .change = change, .status = statuses[i], .html = html, .retry_after_ms = 1};
        struct ds_call call;
        ds_call_init(&call, 1000);
        require(!ds_buf_append(&request.reply, text, len));
        int err =
            change ? ds_reply_check_change(&request, &call, true) : ds_reply_check(&request, &call);
        require(err <= 0 && (err || statuses[i] < 300));
        require(!err || err == -ENOENT || *call.text);
        require(err != -ENOENT || statuses[i] == 404 || ds_reply_is_typed(&request));
        ds_buf_free(&request.reply);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    read_strings(text, size);
    read_names(text, size);
    read_attributes(text, size);
    read_machine(text, size);
    read_machines(text, size);
    read_fault(text, size);
    ds_rest_json_check(text, size, false);
    read_answer(text, size);
    if (ds_utf8_valid(text, size))
        write_back(text, size);
    return 0;
}
