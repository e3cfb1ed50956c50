/* A store file that somebody else has had a hand in: its bytes, its rows, its tables. */
#include "fuzz.h"
#include "quiet_log.h"
#include "sqlite_memory.h"
#include "steps.h"
#include "swept.h"

#include "client.h"
#include "client/local/local.h"
#include "client/local/open_stores.h"
#include "client/local/settle.h"
#include "utf8.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000, VALUE_MAX_BYTES = 2 * 1024 * 1024, SQL_STEPS_MAX = 2000 };

/* What an input can let go wrong while the store is in use. */
static struct {
    size_t step; /* 0, or the one of that number from now on fails with `code` */
    int code;
    bool read_only_medium;
    bool any; /* whatever is read may fail */
} fault;

int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*real)(sqlite3_stmt *);
    if (fault.step && !--fault.step)
        return fault.code;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
    return real(statement);
}

int statvfs(const char *file, struct statvfs *buf)
{
    (void)file;
    *buf = (struct statvfs){.f_flag = fault.read_only_medium ? ST_RDONLY : 0};
    return 0;
}

static char directory[SWEPT_BYTES];
static char file[sizeof directory + 16];
static char *good; /* the bytes of a good store */
static size_t good_len;

/* How an input opens the store. */
struct way {
    bool read_only;
    bool listed; /* as one of a directory */
    bool guest;
    bool swapped; /* for another one, while it is open */
};

static struct ds_client *open_store(struct ds_call *call, const struct way *way,
                                    struct ds_open_stores *all)
{
    enum ds_side side = way->guest ? DS_SIDE_GUEST : DS_SIDE_HOST;
    struct ds_client *client = NULL;
    ds_call_init(call, TIMEOUT_MS);
    int err = way->listed ? ds_local_open_listed(file, side, way->read_only, all, call, &client)
                          : ds_local_open(file, side, way->read_only, call, &client);
    require(err <= 0 && !err == (client != NULL));
    require(err != -ENOMEM || fault.any);
    /* Of a directory's store that is gone the caller has words. */
    require(!err || err == -ENOMEM || (way->listed && err == -ENODEV) || *call->text);
    return client;
}

/* In place of the thread that empties the log of an idle store: it is emptied when the store is
 * closed, as that one does too, and an input always does the same. */
struct ds_settle {
    enum ds_settle_result (*try)(struct ds_pool *pool);
    struct ds_pool *pool;
};

int ds_settle_new(enum ds_settle_result (*try)(struct ds_pool *pool), struct ds_pool *pool,
                  struct ds_settle **out)
{
    *out = malloc(sizeof **out);
    require(*out != NULL);
    **out = (struct ds_settle){.try = try, .pool = pool};
    return 0;
}

void ds_settle_changed(struct ds_settle *settle)
{
    (void)settle;
}

void ds_settle_free(struct ds_settle *settle)
{
    if (settle)
        settle->try(settle->pool);
    free(settle);
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
    make_swept(directory);
    use_sqlite_memory();
    /* Nobody else has the file: one lock, and the log's index in memory. */
    require(sqlite3_vfs_register(sqlite3_vfs_find("unix-excl"), 1) == SQLITE_OK);
    snprintf(file, sizeof file, "%s/store", directory);
    struct ds_client *client = open_store(&call, &(struct way){.read_only = false}, NULL);
    require(client && !ds_client_create(client, &call, "d", &attributes));
    require(!ds_client_set(client, &call, "d", "k", "value", 5, NULL));
    require(!ds_client_set(client, &call, "d", "empty", NULL, 0, NULL));
    ds_client_free(client, &call);
    read_good();
}

static void remove_file(void)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[sizeof file + 16];
        snprintf(path, sizeof path, "%s%s", file, ends[i]);
        unlink(path);
    }
    remove(file);
}

static void write_good(void)
{
    require(mkdir(directory, 0700) == 0 || errno == EEXIST);
    remove_file();
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, good, good_len) == (ssize_t)good_len);
    close(fd);
}

/* Of the store's file, or of what SQLite keeps beside it. */
static void patch(const char *end, const struct step *step)
{
    char path[sizeof file + 16];
    snprintf(path, sizeof path, "%s%s", file, end);
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) /* it is no file, or in no directory: see replace_file() */
        return;
    require(pwrite(fd, step->text, step->len, (off_t)(step->number % (2 * good_len))) ==
            (ssize_t)step->len);
    close(fd);
}

/* To the store's name. Not there, where there is no directory. */
static void symlink_if_can(const char *path)
{
    require(symlink("store", path) == 0 || errno == ENOENT);
}

/* Something else in its place, or beside it; 0: nothing, 5: not even its directory. */
static void replace_file(const struct step *step)
{
    char log[sizeof file + 16];
    snprintf(log, sizeof log, "%s-wal", file);
    size_t which = step->number % 6;
    if (which != 4)
        remove_file();
    switch (which) {
    case 1:
        mkdir(file, 0700);
        break;
    case 2:
        mknod(file, S_IFIFO | 0600, 0);
        break;
    case 3:
        symlink_if_can(file);
        break;
    case 4:
        unlink(log);
        symlink_if_can(log);
        break;
    case 5:
        rmdir(directory);
        break;
    default:
        break;
    }
}

/* What SQLite may say of any step. Not that it is busy: that is waited for. */
static void plan_fault(const struct step *step)
{
    static const int codes[] = {SQLITE_IOERR,  SQLITE_NOMEM,      SQLITE_FULL,     SQLITE_CORRUPT,
                                SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_CANTOPEN, SQLITE_READONLY,
                                SQLITE_DONE,   SQLITE_INTERRUPT};
    size_t which = step->len ? (unsigned char)*step->text : 0;
    fault.step = step->number;
    fault.code = codes[which % (sizeof codes / sizeof *codes)];
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
        require(damaged || err == -EACCES || (err && fault.any) ||
                (!err && value.len == 3 && !memcmp(value.data, "new", 3)));
        ds_buf_free(&value);
    }
    if (!ds_client_remove(client, &call, "d", key, NULL)) {
        int err = ds_client_get_one(client, &call, "d", key, &value);
        require(damaged || err == -ENOENT || err == -EACCES || (err && fault.any));
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

/* What it does to the store, or to what comes of it. Whether the store is damaged by that. */
static bool take_step(const struct step *step, struct way *way)
{
    struct stat status;
    switch (step->what) {
    case 'p':
        patch("", step);
        return true;
    case 'w':
        patch("-wal", step);
        return true;
    case 'j':
        patch("-journal", step);
        return true;
    case 't':
        if (stat(file, &status) == 0 && S_ISREG(status.st_mode))
            require(truncate(file, (off_t)(step->number % (2 * good_len))) == 0);
        return true;
    case 'q':
        run_sql(step);
        return memmem(step->text, step->len, "writable_schema", 15);
    case 'i':
        replace_file(step);
        return true;
    case 'r':
        way->read_only = true;
        return false;
    case 'l':
        way->listed = true;
        return false;
    case 'u':
        way->guest = true;
        return false;
    case 'v':
        way->swapped = true;
        return true;
    case 'o':
        fault.read_only_medium = way->read_only = true;
        return false;
    case 'x':
        plan_fault(step);
        fault.any = true;
        return fault.code == SQLITE_DONE;
    case 'm':
        fault.any = true;
        return false;
    default:
        return false;
    }
}

/* p and an offset: the text stands there, whatever it damages; w, j: likewise in the log or the
 * journal beside it; t: the file has so many bytes only;
 * q: SQL; i: in its place is something else; r: the store is opened to be read only, l: as one of a
 * directory, u: from the guest's side, o: on a medium that is read-only; v: while it is open,
 * another one takes its place; x: SQLite fails in the step of that number, in the way that the
 * text's first byte says; m: it lacks the piece of memory of that number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steps steps = steps_of(data, size);
    struct step step;
    struct ds_call call;
    struct way way = {.read_only = false};
    bool damaged = false;
    size_t memory = 0;
    if (!good)
        set_up();
    memset(&fault, 0, sizeof fault);
    write_good();
    while (next_step(&steps, &step)) {
        size_t later = fault.step; /* not of somebody else's SQL */
        fault.step = 0;
        damaged = take_step(&step, &way) || damaged;
        fault.step = fault.step ? fault.step : later;
        memory = step.what == 'm' ? step.number : memory;
    }
    memory_fault = memory;
    struct ds_open_stores *all = way.listed ? ds_open_stores_new() : NULL;
    struct ds_client *client = open_store(&call, &way, all);
    if (client) {
        read_all(client);
        if (way.swapped) {
            write_good();
            read_all(client);
        }
        if (!way.read_only)
            change_all(client, damaged);
        ds_client_free(client, &call);
    }
    ds_open_stores_free(all);
    memory_fault = 0;
    return 0;
}
