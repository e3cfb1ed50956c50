#include "agreement.h"

#include "harness.h"

#include "cleanup.h"
#include "file_name.h"
#include "peer.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_BYTES = 1024 * 1024, TIMEOUT_MS = 60000 };

static char difference[1024]; /* what was last found */

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct ds_names *names)
{
    if (names->count > 1)
        qsort(names->names, names->count, sizeof *names->names, compare);
}

/* What the directory lists, sorted. False if it cannot be listed. */
static bool list(const char *path, struct ds_names *out)
{
    const struct dirent *entry;
    ds_names_clear(out);
    DIR *stream = opendir(path);
    errno = 0;
    while (stream && (entry = readdir(stream))) // NOLINT: the stream is ours alone
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(ds_names_add(out, entry->d_name), 0);
    bool well = stream && errno == 0;
    if (!well)
        snprintf(difference, sizeof difference, "%.300s: %s", path, strerror(errno));
    if (stream)
        closedir(stream);
    sort(out);
    return well;
}

/* The names that a mount should list. */
static void encode(const struct ds_names *keys, enum ds_file_name_place place, struct ds_names *out)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    for (size_t i = 0; i < keys->count; i++) {
        ds_file_name_encode(place, keys->names[i], name);
        assert_int_equal(ds_names_add(out, name), 0);
    }
    sort(out);
}

static bool same_names(const char *path, const struct ds_names *keys, enum ds_file_name_place place)
{
    struct ds_names shown DS_CLEANUP(ds_names_clear) = {0};
    struct ds_names wanted DS_CLEANUP(ds_names_clear) = {0};
    if (!list(path, &shown))
        return false;
    encode(keys, place, &wanted);
    for (size_t i = 0; i < shown.count || i < wanted.count; i++) {
        const char *is = i < shown.count ? shown.names[i] : "nothing more";
        const char *should = i < wanted.count ? wanted.names[i] : "nothing more";
        if (i < shown.count && i < wanted.count && strcmp(is, should) == 0)
            continue;
        snprintf(difference, sizeof difference, "%.300s lists %.300s, the store %.300s", path, is,
                 should);
        return false;
    }
    return true;
}

static bool same_value(const char *directory, const char *dataset, const char *key)
{
    char path[2 * PATH_MAX], name[DS_FILE_NAME_MAX_BYTES + 1];
    char *shown DS_AUTO_FREE = malloc(DS_VALUE_MAX_BYTES + 2);
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    assert_non_null(shown);
    ds_file_name_encode(DS_FILE_NAME_IN_DATASET, key, name);
    snprintf(path, sizeof path, "%.2000s/%s", directory, name);
    int err = ds_client_get_one(peer_client(DS_SIDE_HOST), &call, dataset, key, &value);
    ssize_t len = harness_read(path, shown, DS_VALUE_MAX_BYTES + 2);
    if (err == 0 && len == (ssize_t)value.len &&
        (!len || memcmp(shown, value.data, value.len) == 0))
        return true;
    if (len == -EINVAL && (!*key || !strcmp(key, ".") || !strcmp(key, "..")))
        return true; /* over REST nobody can ask for these */
    snprintf(difference, sizeof difference, "%.500s: %zd bytes, in the store %zu (%s)", path, len,
             value.len, strerror(-err));
    return false;
}

static bool same_keys(const char *point, const char *dataset, unsigned long *count)
{
    struct ds_names keys DS_CLEANUP(ds_names_clear) = {0};
    char name[DS_FILE_NAME_MAX_BYTES + 1], directory[PATH_MAX];
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, dataset, name);
    snprintf(directory, sizeof directory, "%.2000s/%s", point, name);
    assert_int_equal(ds_client_list_keys(peer_client(DS_SIDE_HOST), &call, dataset, &keys), 0);
    bool same = same_names(directory, &keys, DS_FILE_NAME_IN_DATASET);
    for (size_t i = 0; i < keys.count && same; i++)
        same = same_value(directory, dataset, keys.names[i]);
    *count += keys.count;
    return same;
}

static bool agrees(const char *point, unsigned long *count)
{
    struct ds_names datasets DS_CLEANUP(ds_names_clear) = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    assert_int_equal(ds_client_list(peer_client(DS_SIDE_HOST), &call, &datasets), 0);
    bool same = same_names(point, &datasets, DS_FILE_NAME_IN_ROOT);
    *count = 0;
    for (size_t i = 0; i < datasets.count && same; i++)
        same = same_keys(point, datasets.names[i], count);
    return same;
}

unsigned long agreement_wait(const char *point)
{
    unsigned long count = 0;
    int64_t until = harness_now_ms() + HARNESS_SOON_MS;
    while (!agrees(point, &count)) {
        if (harness_now_ms() > until)
            fail_msg("the mount and the store differ: %s", difference);
        harness_pause();
    }
    return count;
}

/* Directories in a DataSet are somebody's locks, and in no store. */
static void remove_locks(const char *point)
{
    struct ds_names datasets DS_CLEANUP(ds_names_clear) = {0};
    char path[2 * PATH_MAX];
    assert_soon(list(point, &datasets));
    for (size_t i = 0; i < datasets.count; i++) {
        struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
        snprintf(path, sizeof path, "%.2000s/%s", point, datasets.names[i]);
        assert_soon(list(path, &names));
        for (size_t j = 0; j < names.count; j++) {
            snprintf(path, sizeof path, "%.2000s/%s/%s", point, datasets.names[i], names.names[j]);
            struct stat status;
            if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
                assert_ok(rmdir(path));
        }
    }
}

bool agreement_settle(const char *point)
{
    char path[2 * PATH_MAX];
    char *text DS_AUTO_FREE = malloc(SCRATCH_BYTES);
    assert_non_null(text);
    remove_locks(point);
    snprintf(path, sizeof path, "%.2000s/.datasetfs/scratch", point);
    if (harness_read(path, text, SCRATCH_BYTES) <= 0)
        return true;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        snprintf(path, sizeof path, "%.2000s%.*s", point, (int)strcspn(line, "\t"), line);
        if (unlink(path) != 0 && rmdir(path) != 0)
            printf("%s stays: %s\n", line, strerror(errno));
    }
    snprintf(path, sizeof path, "%.2000s/.datasetfs/scratch", point);
    return harness_read(path, text, SCRATCH_BYTES) == 0;
}

void agreement_assert_sound(void)
{
    sqlite3 *store = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2("s.db", &store, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(store, HARNESS_SOON_MS);
    assert_int_equal(sqlite3_prepare_v2(store, "PRAGMA integrity_check", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close_v2(store);
}
