/* What the parts of the suite share. */
#include "contract.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static const struct contract_target *chosen;

void contract_choose(const struct contract_target *target)
{
    chosen = target;
}

char *contract_make_directory(void)
{
    const char *parent = getenv("TMPDIR");
    char *directory = NULL;
    assert_true(asprintf(&directory, "%s/datasetfs-test-XXXXXX", parent ? parent : "/tmp") > 0);
    assert_non_null(mkdtemp(directory));
    return directory;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void contract_remove_directory(char *directory)
{
    assert_int_equal(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
    free(directory);
}

struct ds_call *contract_call(struct contract *c)
{
    ds_call_init(&c->call, 60000);
    return &c->call;
}

int contract_setup(void **state)
{
    struct contract *c = calloc(1, sizeof *c);
    c->target = chosen;
    c->directory = contract_make_directory();
    int err = chosen->open(c->directory, DS_SIDE_HOST, contract_call(c), &c->host);
    if (err)
        fail_msg("host: %s: %s", strerror(-err), c->call.text);
    err = chosen->open(c->directory, DS_SIDE_GUEST, contract_call(c), &c->guest);
    if (err)
        fail_msg("guest: %s: %s", strerror(-err), c->call.text);
    c->tested = chosen->tested == DS_SIDE_HOST ? c->host : c->guest;
    contract_create(c, "d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    *state = c;
    return 0;
}

int contract_teardown(void **state)
{
    struct contract *c = *state;
    ds_client_free(c->guest, contract_call(c));
    ds_client_free(c->host, contract_call(c));
    if (c->target->end)
        c->target->end();
    contract_remove_directory(c->directory);
    free(c);
    return 0;
}

void contract_create(struct contract *c, const char *dataset, enum ds_access host,
                     enum ds_access guest)
{
    struct ds_attributes attributes = {.host = host, .guest = guest};
    assert_int_equal(ds_client_create(c->host, contract_call(c), dataset, &attributes), 0);
}

void contract_set(struct contract *c, const char *dataset, const char *key, const char *text)
{
    assert_int_equal(
        ds_client_set(c->host, contract_call(c), dataset, key, text, strlen(text), NULL), 0);
}

void contract_expect(struct contract *c, struct ds_client *client, const char *dataset,
                     const char *key, const char *text)
{
    struct ds_buf value = {0};
    int err = ds_client_get_one(client, contract_call(c), dataset, key, &value);
    assert_int_equal(err, text ? 0 : -ENOENT);
    if (text) {
        assert_int_equal(value.len, strlen(text));
        assert_string_equal(value.data, text);
    }
    ds_buf_free(&value);
}

void contract_expect_used(struct contract *c, const char *dataset, uint64_t bytes)
{
    struct ds_attributes attributes = {0};
    assert_int_equal(ds_client_query(c->host, contract_call(c), dataset, &attributes), 0);
    if (attributes.used_known)
        assert_int_equal(attributes.used_bytes, bytes);
    ds_attributes_clear(&attributes);
}

char *contract_letters(char letter, size_t len)
{
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, letter, len);
    text[len] = '\0';
    return text;
}
