#include "peer.h"

#include "cleanup.h"
#include "place.h"
#include "process.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define PEER_TIMEOUT_MS (45000 * HARNESS_SLOWNESS)

static struct ds_client *clients[2]; /* by enum ds_side */
static sqlite3 *blocker;

struct ds_client *peer_client(enum ds_side side)
{
    if (clients[side])
        return clients[side];
    char source[PATH_MAX];
    snprintf(source, sizeof source, "local:%.2000s/s.db", harness_dir());
    struct ds_source_options options = {.side = side, .side_given = true};
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = ds_source_open(source, &options, &call, &clients[side]);
    if (error)
        fail_msg("the peer cannot open the store: %s (%s)", call.text, strerror(-error));
    return clients[side];
}

void peer_close(void)
{
    peer_unblock();
    for (size_t i = 0; i < 2; i++) {
        struct ds_call call;
        ds_call_init(&call, PEER_TIMEOUT_MS);
        ds_client_free(clients[i], &call);
        clients[i] = NULL;
    }
}

static void check(const char *what, const char *dataset, int error, const struct ds_call *call)
{
    if (error)
        fail_msg("peer: %s %s: %s (%s)", what, dataset, strerror(-error), call->text);
    harness_pause(); /* another process would have to be waited for, and a mount goes by that */
}

void peer_create(const char *dataset, enum ds_access host, enum ds_access guest)
{
    struct ds_attributes attributes = {.description = (char[]){""},
                                       .host = host,
                                       .guest = guest,
                                       .omit_from_snapshot_and_clone = DS_FLAG_OFF};
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = ds_client_create(peer_client(DS_SIDE_HOST), &call, dataset, &attributes);
    check("create", dataset, error, &call);
}

void peer_destroy(const char *dataset)
{
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = ds_client_destroy(peer_client(DS_SIDE_HOST), &call, dataset, true);
    check("destroy", dataset, error, &call);
}

void peer_update(const char *dataset, const struct ds_attributes *change)
{
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = ds_client_update(peer_client(DS_SIDE_HOST), &call, dataset, change);
    check("update", dataset, error, &call);
}

void peer_access(const char *dataset, enum ds_access host, enum ds_access guest)
{
    peer_update(dataset, &(struct ds_attributes){.host = host, .guest = guest});
}

bool peer_query(const char *dataset, struct ds_attributes *out)
{
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = ds_client_query(peer_client(DS_SIDE_HOST), &call, dataset, out);
    if (error != -ENOENT)
        check("query", dataset, error, &call);
    return error == 0;
}

void peer_set(const char *dataset, const char *key, const char *value)
{
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = -EACCES;
    for (int side = DS_SIDE_HOST; side <= DS_SIDE_GUEST && error == -EACCES; side++)
        error = ds_client_set(peer_client(side), &call, dataset, key, value, strlen(value), NULL);
    check("set", dataset, error, &call);
}

void peer_remove(const char *dataset, const char *key)
{
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = -EACCES;
    for (int side = DS_SIDE_HOST; side <= DS_SIDE_GUEST && error == -EACCES; side++)
        error = ds_client_remove(peer_client(side), &call, dataset, key, NULL);
    check("remove", dataset, error, &call);
}

/* 0 or -ENOENT. */
static int get(const char *dataset, const char *key, struct ds_buf *out)
{
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = -EACCES;
    for (int side = DS_SIDE_HOST; side <= DS_SIDE_GUEST && error == -EACCES; side++)
        error = ds_client_get_one(peer_client(side), &call, dataset, key, out);
    if (error != -ENOENT)
        check("get", dataset, error, &call);
    return error;
}

bool peer_has(const char *dataset, const char *key, const char *value)
{
    struct ds_buf got DS_CLEANUP(ds_buf_free) = {0};
    return get(dataset, key, &got) == 0 && got.len == strlen(value) &&
           (got.len == 0 || memcmp(got.data, value, got.len) == 0);
}

bool peer_lacks(const char *dataset, const char *key)
{
    struct ds_buf got DS_CLEANUP(ds_buf_free) = {0};
    return get(dataset, key, &got) == -ENOENT;
}

char *peer_get(const char *dataset, const char *key)
{
    struct ds_buf got DS_CLEANUP(ds_buf_free) = {0};
    return get(dataset, key, &got) == 0 ? strdup(got.data ? got.data : "") : NULL;
}

size_t peer_keys(const char *dataset)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    struct ds_call call;
    ds_call_init(&call, PEER_TIMEOUT_MS);
    int error = -EACCES;
    for (int side = DS_SIDE_HOST; side <= DS_SIDE_GUEST && error == -EACCES; side++)
        error = ds_client_list_keys(peer_client(side), &call, dataset, &keys);
    check("list_keys", dataset, error, &call);
    return keys.count;
}

void peer_assert_store(const char *dataset, const char *key, const char *value, const char *file,
                       int line)
{
    struct ds_buf got DS_CLEANUP(ds_buf_free) = {0};
    if (get(dataset, key, &got) != 0) {
        print_error("the store has no %s/%s; expected '%.80s'\n", dataset, key, value);
        _fail(file, line);
    }
    if (got.len == strlen(value) && (got.len == 0 || memcmp(got.data, value, got.len) == 0))
        return;
    print_error("the store has %zu bytes '%.80s' in %s/%s; expected %zu bytes '%.80s'\n", got.len,
                got.data ? got.data : "", dataset, key, strlen(value), value);
    _fail(file, line);
}

void peer_block(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.2000s/s.db", harness_dir());
    assert_null(blocker);
    assert_int_equal(sqlite3_open_v2(path, &blocker, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(blocker, PEER_TIMEOUT_MS);
    assert_int_equal(sqlite3_exec(blocker, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

void peer_unblock(void)
{
    sqlite3_close_v2(blocker); /* rolls back */
    blocker = NULL;
}
