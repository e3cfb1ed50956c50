/* A store file that somebody else has had a hand in: its bytes, its rows, its tables. */
#include "fuzz.h"
#include "quiet_log.h"
#include "steps.h"

#include "client.h"
#include "client/local/local.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000, VALUE_MAX_BYTES = 2 * 1024 * 1024, SQL_STEPS_MAX = 2000 };

/* In memory, where that can be: a store synchronises what it writes. */
static char directory[32] = "/dev/shm/datasetfs-fuzz-XXXXXX";
static char file[sizeof directory + 16];
static char *good; /* the bytes of a good store */
static size_t good_len;
static pid_t sweeper;
static int sweeper_waits; /* the sweeper sees its end */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

/* A process that removes the directory when this one has ended, however that comes. */
static void start_sweeper(void)
{
    int ends[2];
    char byte;
    require(pipe2(ends, O_CLOEXEC) == 0);
    sweeper = fork();
    require(sweeper >= 0);
    sweeper_waits = ends[1];
    if (sweeper) {
        close(ends[0]);
        return;
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    nftw(directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

static void await_sweeper(void)
{
    close(sweeper_waits);
    waitpid(sweeper, NULL, 0);
}

static struct ds_client *open_store(struct ds_call *call, bool read_only)
{
    struct ds_client *client = NULL;
    ds_call_init(call, TIMEOUT_MS);
    int err = ds_local_open(file, DS_SIDE_HOST, read_only, call, &client);
    require(err <= 0 && err != -ENOMEM && !err == (client != NULL));
    require(!err || *call->text);
    return client;
}

static void read_good(void)
{
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    require(fd >= 0 && fstat(fd, &status) == 0);
    good_len = (size_t)status.st_size;
    good = malloc(good_len);
    require(good && read(fd, good, good_len) == (ssize_t)good_len);
    close(fd);
}

static void set_up(void)
{
    struct ds_attributes attributes = {.description = (char[]){"a description"}};
    struct ds_call call;
    if (!mkdtemp(directory)) {
        snprintf(directory, sizeof directory, "/tmp/datasetfs-fuzz-XXXXXX");
        require(mkdtemp(directory) != NULL);
    }
    start_sweeper();
    require(atexit(await_sweeper) == 0);
    snprintf(file, sizeof file, "%s/store", directory);
    struct ds_client *client = open_store(&call, false);
    require(client && !ds_client_create(client, &call, "d", &attributes));
    require(!ds_client_set(client, &call, "d", "k", "value", 5, NULL));
    require(!ds_client_set(client, &call, "d", "empty", NULL, 0, NULL));
    ds_client_free(client, &call);
    read_good();
}

static void write_good(void)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[sizeof file + 16];
        snprintf(path, sizeof path, "%s%s", file, ends[i]);
        unlink(path);
    }
    unlink(file);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, good, good_len) == (ssize_t)good_len);
    close(fd);
}

static void patch(const struct step *step)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    require(fd >= 0);
    require(pwrite(fd, step->text, step->len, (off_t)(step->number % (2 * good_len))) ==
            (ssize_t)step->len);
    close(fd);
}

/* No other file may come into play. */
static int authorise(void *context, int action, const char *a, const char *b, const char *c,
                     const char *d)
{
    (void)context, (void)b, (void)c, (void)d;
    bool outside = action == SQLITE_ATTACH || action == SQLITE_CREATE_VTABLE ||
                   (action == SQLITE_FUNCTION && b && !strcmp(b, "load_extension"));
    bool kept = action == SQLITE_PRAGMA &&
                (!strcmp(a, "temp_store_directory") || !strcmp(a, "data_store_directory"));
    return outside || kept ? SQLITE_DENY : SQLITE_OK;
}

static int give_up(void *steps)
{
    return ++*(int *)steps > SQL_STEPS_MAX;
}

/* Whatever comes of it: it is somebody else's. */
static void run_sql(const struct step *step)
{
    char *text = copy_text((const uint8_t *)step->text, step->len);
    int taken = 0;
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
        sqlite3_set_authorizer(db, authorise, NULL);
        sqlite3_progress_handler(db, 100, give_up, &taken);
        sqlite3_exec(db, text, NULL, NULL, NULL);
    }
    sqlite3_close(db);
    free(text);
}

static void require_text(const char *text)
{
    require(ds_utf8_valid(text, strlen(text)) && strlen(text) <= DS_KEY_MAX_BYTES);
}

static void read_keys(struct ds_client *client, const char *dataset)
{
    struct ds_names keys = {0};
    struct ds_attributes attributes = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    if (!ds_client_query(client, &call, dataset, &attributes))
        require(!attributes.description ||
                strlen(attributes.description) <= DS_DESCRIPTION_MAX_BYTES);
    ds_attributes_clear(&attributes);
    if (!ds_client_list_keys(client, &call, dataset, &keys))
        for (size_t i = 0; i < keys.count; i++) {
            struct ds_buf value = {0};
            require_text(keys.names[i]);
            int err = ds_client_get_one(client, &call, dataset, keys.names[i], &value);
            require(err ||
                    (value.len <= DS_VALUE_MAX_BYTES && ds_utf8_valid(value.data, value.len)));
            ds_buf_free(&value);
        }
    ds_names_clear(&keys);
}

static void read_all(struct ds_client *client)
{
    struct ds_names names = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    if (!ds_client_list(client, &call, &names))
        for (size_t i = 0; i < names.count; i++) {
            require_text(names.names[i]);
            read_keys(client, names.names[i]);
        }
    ds_names_clear(&names);
}

/* What is acknowledged is there, unless the file itself is damaged. */
static void change_key(struct ds_client *client, const char *key, bool damaged)
{
    struct ds_buf value = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    ds_client_append(client, &call, "d", key, NULL, 0, NULL);
    int append_err = ds_client_append(client, &call, "d", key, "+", 1, NULL);
    if (!append_err && !ds_client_get_one(client, &call, "d", key, &value))
        require(damaged || (value.len && value.data[value.len - 1] == '+'));
    ds_buf_free(&value);
    ds_client_set(client, &call, "d", key, "old", 3, NULL);
    if (!ds_client_set(client, &call, "d", key, "new", 3, NULL)) {
        int err = ds_client_get_one(client, &call, "d", key, &value);
        require(damaged || err == -EACCES ||
                (!err && value.len == 3 && !memcmp(value.data, "new", 3)));
        ds_buf_free(&value);
    }
    if (!ds_client_remove(client, &call, "d", key, NULL)) {
        int err = ds_client_get_one(client, &call, "d", key, &value);
        require(damaged || err == -ENOENT || err == -EACCES);
        ds_buf_free(&value);
    }
}

static void change_all(struct ds_client *client, bool damaged)
{
    struct ds_attributes attributes = {.description = (char[]){"new"},
                                       .host = DS_ACCESS_READ_WRITE,
                                       .guest = DS_ACCESS_NONE,
                                       .omit_from_snapshot_and_clone = DS_FLAG_ON};
    struct ds_attributes found = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    change_key(client, "k", damaged);
    if (!ds_client_update(client, &call, "d", &attributes) &&
        !ds_client_query(client, &call, "d", &found))
        require(damaged || (found.description && !strcmp(found.description, "new") &&
                            found.host == DS_ACCESS_READ_WRITE));
    ds_attributes_clear(&found);
    change_key(client, "new", damaged);
    ds_client_create(client, &call, "d", &attributes);
    ds_client_destroy(client, &call, "d", false);
    if (!ds_client_create(client, &call, "e", &attributes))
        require(ds_client_destroy(client, &call, "e", false) <= 0);
    ds_client_destroy(client, &call, "d", true);
}

/* p and an offset: the text stands there, whatever it damages; t: the file has so many bytes only;
 * q: SQL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steps steps = steps_of(data, size);
    struct step step;
    struct ds_call call;
    bool damaged = false;
    if (!good)
        set_up();
    write_good();
    while (next_step(&steps, &step)) {
        if (step.what == 'p')
            patch(&step);
        if (step.what == 't')
            require(truncate(file, (off_t)(step.number % (2 * good_len))) == 0);
        if (step.what == 'q')
            run_sql(&step);
        damaged = damaged || step.what == 'p' || step.what == 't' ||
                  memmem(step.text, step.len, "writable_schema", 15);
    }
    for (int read_only = 1; read_only >= 0; read_only--) {
        struct ds_client *client = open_store(&call, read_only);
        if (!client)
            continue;
        read_all(client);
        if (!read_only)
            change_all(client, damaged);
        ds_client_free(client, &call);
    }
    return 0;
}
