/* How many stores of a directory are open at once, and that nobody notices which. */
#include "contract.h"
#include "inventories.h"

#include "cleanup.h"
#include "client/local/open_stores.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STORES = 3 * DS_OPEN_STORES_MAX, THREADS = 8, TIMEOUT_MS = 60000 };

static char *directory;
static struct ds_inventory *inventory;
static struct ds_client *clients[STORES];
static struct ds_call call;

static struct ds_call *new_call(void)
{
    ds_call_init(&call, TIMEOUT_MS);
    return &call;
}

static void path_of(int number, const char *end, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/m%d.db%s", directory, number, end);
}

static void make_file(int number, const char *data, size_t len)
{
    char path[PATH_MAX];
    path_of(number, "", path);
    FILE *file = fopen(path, "wxe");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void open_client(int number, struct ds_client **out)
{
    char id[16];
    snprintf(id, sizeof id, "m%d", number);
    assert_int_equal(ds_inventory_open_machine(inventory, new_call(), id, out), 0);
}

static size_t count_entries(const char *path)
{
    DIR *stream = opendir(path);
    size_t count = 0;
    assert_non_null(stream);
    while (readdir(stream)) // NOLINT: the stream is ours alone
        count++;
    closedir(stream);
    return count;
}

/* What a store is that has a DataSet "d" with one key. */
static size_t make_template(char *out, size_t size)
{
    char path[PATH_MAX];
    struct ds_client *client = NULL;
    struct ds_attributes attributes = {0};
    make_file(STORES, "", 0);
    open_client(STORES, &client);
    assert_int_equal(ds_client_create(client, new_call(), "d", &attributes), 0);
    assert_int_equal(ds_client_set(client, new_call(), "d", "k", "v", 1, NULL), 0);
    ds_client_free(client, new_call());
    path_of(STORES, "", path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(out, 1, size, file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(len, 1, size - 1);
    return len;
}

/* The value becomes the store's number, without waiting for the disk. */
static void number_store(int number)
{
    char path[PATH_MAX], text[128];
    sqlite3 *store = NULL;
    path_of(number, "", path);
    snprintf(text, sizeof text,
             "PRAGMA synchronous = OFF; UPDATE entries SET value = CAST('%d' AS BLOB)", number);
    assert_int_equal(sqlite3_open(path, &store), SQLITE_OK);
    assert_int_equal(sqlite3_exec(store, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(store), SQLITE_OK);
}

static int setup(void **state)
{
    static char template[256 * 1024];
    char *source DS_AUTO_FREE = NULL;
    struct ds_source_options options = {.side = DS_SIDE_HOST};
    (void)state;
    directory = contract_make_directory();
    assert_true(asprintf(&source, "local:%s/", directory) > 0);
    assert_int_equal(ds_inventory_open(source, &options, new_call(), &inventory), 0);
    size_t len = make_template(template, sizeof template);
    for (int i = 0; i < STORES; i++) {
        make_file(i, template, len);
        number_store(i);
        open_client(i, &clients[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < STORES; i++) {
        ds_client_free(clients[i], new_call());
        clients[i] = NULL;
    }
    ds_inventory_free(inventory, new_call());
    contract_remove_directory(directory);
    return 0;
}

/* The error of a get, and whether the value is what setup() has put there. */
static int get(int number, struct ds_call *its_call, bool *same)
{
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    char expected[16];
    snprintf(expected, sizeof expected, "%d", number);
    ds_call_init(its_call, TIMEOUT_MS);
    int err = ds_client_get_one(clients[number], its_call, "d", "k", &value);
    *same = !err && value.len == strlen(expected) && !memcmp(value.data, expected, value.len);
    return err;
}

static void expect(int number)
{
    bool same;
    assert_int_equal(get(number, &call, &same), 0);
    assert_true(same);
}

/* The number of the store whose file a link in /proc/self/fd leads to, or -1. */
static int number_of(const char *descriptor)
{
    char link[64];
    char target[PATH_MAX];
    int number = -1;
    int end = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%.20s", descriptor);
    ssize_t len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    const char *name = strrchr(target, '/');
    if (!name || sscanf(name, "/m%d.db%n", &number, &end) != 1 || name[end] || number >= STORES)
        return -1;
    return number;
}

/* How many stores this process has open. */
static unsigned count_open(void)
{
    bool seen[STORES] = {false};
    unsigned count = 0;
    DIR *stream = opendir("/proc/self/fd");
    const struct dirent *entry;
    assert_non_null(stream);
    while ((entry = readdir(stream))) { // NOLINT: as above
        int number = number_of(entry->d_name);
        count += number >= 0 && !seen[number];
        if (number >= 0)
            seen[number] = true;
    }
    closedir(stream);
    return count;
}

#ifdef __SANITIZE_THREAD__
enum { OTHER_THREADS = 2 }; /* the main one and the sanitizer's */
#else
enum { OTHER_THREADS = 1 };
#endif

/* Soon so many more than those: one that was waited for may take a moment to its end. */
static void expect_threads(size_t count)
{
    enum { DOTS = 2 }; /* "." and ".." */
    int64_t until_ms = ds_call_now_ms() + TIMEOUT_MS;
    while (count_entries("/proc/self/task") != count + OTHER_THREADS + DOTS) {
        assert_true(ds_call_now_ms() < until_ms);
        sched_yield();
    }
}

/* Whatever was touched, so many and no more are open, with their threads. */
static void test_bounded(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < STORES; i++)
            expect(i);
        assert_int_equal(count_open(), DS_OPEN_STORES_MAX);
        expect_threads(DS_OPEN_STORES_MAX);
    }
    size_t descriptors = count_entries("/proc/self/fd");
    for (int i = 0; i < STORES; i++)
        expect(i);
    assert_int_equal(count_entries("/proc/self/fd"), descriptors);
}

/* The one that is used again and again stays. */
static void test_latest_stay(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat status;
    expect(0);
    /* Made by who opens a store first, and removed by who closes it last. Looked at without a
     * descriptor that could be closed: that would drop the locks on it. */
    path_of(0, "-shm", path);
    int shared DS_AUTO_CLOSE = open(path, O_PATH | O_CLOEXEC);
    assert_true(shared >= 0);
    for (int i = 1; i < STORES; i++) {
        expect(i);
        expect(0);
    }
    assert_int_equal(fstat(shared, &status), 0);
    assert_int_equal(status.st_nlink, 1);
    for (int i = 1; i < STORES; i++)
        expect(i);
    assert_int_equal(fstat(shared, &status), 0);
    assert_int_equal(status.st_nlink, 0);
}

static void remove_file(int number)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[PATH_MAX];
        path_of(number, ends[i], path);
        assert_true(unlink(path) == 0 || (i && errno == ENOENT));
    }
}

static void touch_all_but(int first)
{
    for (int i = first; i < STORES; i++)
        expect(i);
}

/* Else a file that is gone and one with its number cannot be told apart. */
static bool tells_birth(void)
{
    struct statx status;
    assert_int_equal(statx(AT_FDCWD, directory, 0, STATX_BTIME, &status), 0);
    return status.stx_mask & STATX_BTIME;
}

/* A store that was closed is the same file when it is opened again, or gone. */
static void test_gone_while_closed(void **state)
{
    (void)state;
    bool same;
    char path[PATH_MAX], away[PATH_MAX];
    expect(0);
    expect(1);
    touch_all_but(2);
    remove_file(0);
    path_of(1, "", path);
    path_of(1, ".away", away);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(get(0, &call, &same), -ENODEV);
    assert_non_null(strstr(call.text, "the virtual machine is gone"));
    assert_int_equal(get(1, &call, &same), -ENODEV);
    path_of(0, "", path);
    assert_int_equal(access(path, F_OK), -1);

    /* Another one of that name, even with the number that the first one had. */
    struct ds_client *other = NULL;
    for (int i = 0; i < 10 && tells_birth(); i++) {
        make_file(0, "", 0);
        assert_int_equal(get(0, &call, &same), -ENODEV);
        remove_file(0);
    }
    make_file(0, "", 0);
    open_client(0, &other);
    if (tells_birth())
        assert_int_equal(get(0, &call, &same), -ENODEV);
    ds_client_free(other, new_call());

    path_of(1, "", path);
    assert_int_equal(rename(away, path), 0);
    expect(1);
}

/* A copy of the file is a backup also when the store was closed at once, and somebody else has it
 * open. */
static void test_closed_with_change(void **state)
{
    (void)state;
    char path[PATH_MAX], copy[PATH_MAX], command[3 * PATH_MAX];
    sqlite3 *reader = NULL;
    path_of(0, "", path);
    path_of(0, ".copy", copy);
    assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "SELECT * FROM entries", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(ds_client_set(clients[0], new_call(), "d", "new", "v", 1, NULL), 0);
    touch_all_but(1);
    snprintf(command, sizeof command, "cp %s %s", path, copy);
    assert_int_equal(system(command), 0); // NOLINT: of a test
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);

    char *source DS_AUTO_FREE = NULL;
    struct ds_client *client = NULL;
    struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
    assert_true(asprintf(&source, "local:%s", copy) > 0);
    assert_int_equal(ds_source_open(source, &(struct ds_source_options){.side = DS_SIDE_HOST},
                                    new_call(), &client),
                     0);
    assert_int_equal(ds_client_get_one(client, new_call(), "d", "new", &value), 0);
    ds_client_free(client, new_call());
}

static void rename_file(int from, int to)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[PATH_MAX], new_path[PATH_MAX];
        path_of(from, ends[i], path);
        path_of(to, ends[i], new_path);
        assert_int_equal(rename(path, new_path), 0);
    }
}

/* The bytes on which SQLite holds a lock while it reads a file, as in its os.h. */
enum { SHARED_FIRST = 0x40000002, SHARED_SIZE = 510 };

/* True if this process has the store's file locked, which only another one can tell. */
static bool is_locked(int number)
{
    int status;
    char path[PATH_MAX];
    path_of(number, "", path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0)
            _exit(2);
        _exit(lock.l_type != F_UNLCK ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

static void set_large(struct ds_client *client)
{
    enum { LARGE = 500000 };
    char *letters = contract_letters('x', LARGE);
    assert_int_equal(ds_client_set(client, new_call(), "d", "large", letters, LARGE, NULL), 0);
    free(letters);
}

/* What is done to a store that was renamed while it was open does nothing to the one that has its
 * name now: neither to the locks on it, nor to what lies beside it. */
static void test_renamed_while_open(void **state)
{
    enum { RENAMED = 200 };
    (void)state;
    bool same;
    struct ds_client *renamed = NULL;
    struct ds_client *other = NULL;
    struct ds_attributes attributes = {0};
    struct stat status;
    char path[PATH_MAX];
    expect(0);
    rename_file(0, RENAMED);
    make_file(0, "", 0);
    open_client(0, &other);
    assert_int_equal(ds_client_create(other, new_call(), "d", &attributes), 0);
    assert_true(is_locked(0));
    path_of(0, "-shm", path);
    int shared DS_AUTO_CLOSE = open(path, O_PATH | O_CLOEXEC);
    assert_true(shared >= 0);

    open_client(RENAMED, &renamed);
    set_large(renamed);
    assert_true(is_locked(0));
    assert_true(is_locked(RENAMED));
    assert_int_equal(get(0, &call, &same), -ENODEV);
    ds_client_free(renamed, new_call());
    assert_true(is_locked(0));
    assert_int_equal(fstat(shared, &status), 0);
    assert_int_equal(status.st_nlink, 1);
    path_of(RENAMED, "-shm", path);
    assert_int_equal(access(path, F_OK), -1);

    set_large(other);
    ds_client_free(other, new_call());
}

struct writer {
    pthread_t thread;
    struct ds_call call;
    int err;
};

static void *set_first(void *argument)
{
    struct writer *writer = argument;
    ds_call_init(&writer->call, TIMEOUT_MS);
    writer->err = ds_client_set(clients[0], &writer->call, "d", "k", "0", 1, NULL);
    return NULL;
}

/* While its change waits for somebody else's, however many others are opened meanwhile. */
static void test_in_use(void **state)
{
    (void)state;
    char path[PATH_MAX];
    sqlite3 *blocker = NULL;
    struct writer writer;
    expect(0);
    path_of(0, "", path);
    assert_int_equal(sqlite3_open(path, &blocker), SQLITE_OK);
    assert_int_equal(sqlite3_exec(blocker, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    uint64_t before = ds_client_requests(clients[0], DS_OP_SET);
    assert_int_equal(pthread_create(&writer.thread, NULL, set_first, &writer), 0);
    int64_t until_ms = ds_call_now_ms() + TIMEOUT_MS;
    while (ds_client_requests(clients[0], DS_OP_SET) == before && ds_call_now_ms() < until_ms)
        sched_yield();
    assert_int_equal(ds_client_requests(clients[0], DS_OP_SET), before + 1);
    for (int round = 0; round < 2; round++)
        touch_all_but(1);
    assert_int_equal(count_open(), DS_OPEN_STORES_MAX);
    /* Where it has got another name, that one waits for the end of the change. */
    struct ds_client *renamed = NULL;
    rename_file(0, STORES);
    char id[16];
    snprintf(id, sizeof id, "m%d", STORES);
    ds_call_init(&call, 10);
    assert_int_equal(ds_inventory_open_machine(inventory, &call, id, &renamed), -EAGAIN);
    assert_non_null(strstr(call.text, "in use under its old name"));
    assert_null(renamed);
    rename_file(STORES, 0);
    assert_int_equal(sqlite3_exec(blocker, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(pthread_join(writer.thread, NULL), 0);
    assert_int_equal(writer.err, 0);
    assert_int_equal(sqlite3_close(blocker), SQLITE_OK);
    expect(0);
}

/* More than may stay open while all are in use: they are closed when they no longer are. Another
 * one takes the place of one, not a place beside it. */
static void test_held(void **state)
{
    enum { HELD = DS_OPEN_STORES_MAX + 8 };
    (void)state;
    char paths[HELD][PATH_MAX];
    struct ds_open_store stores[HELD];
    struct ds_open_stores *all = ds_open_stores_new();
    struct ds_pool *pool;
    unsigned others = count_open(); /* the last ones of setup() */
    assert_non_null(all);
    for (int i = 0; i < HELD; i++) {
        path_of(i, "", paths[i]);
        stores[i] = (struct ds_open_store){
            .all = all, .identity = {.file = paths[i], .listed = true}, .use = DS_STORE_CHANGE};
        assert_int_equal(ds_open_store_begin(&stores[i], new_call()), 0);
        assert_int_equal(ds_open_store_hold(&stores[i], new_call(), &pool), 0);
    }
    assert_int_equal(count_open(), others + HELD);
    for (int i = 0; i < HELD; i++)
        ds_open_store_let_go(&stores[i], new_call());
    assert_int_equal(count_open(), others + DS_OPEN_STORES_MAX);
    assert_null(stores[0].pool);
    assert_int_equal(ds_open_store_hold(&stores[0], new_call(), &pool), 0);
    assert_int_equal(count_open(), others + DS_OPEN_STORES_MAX);
    ds_open_store_let_go(&stores[0], new_call());
    for (int i = 0; i < HELD; i++)
        ds_open_store_end(&stores[i], new_call());
    ds_open_stores_free(all);
    assert_int_equal(count_open(), others);
}

struct walker {
    pthread_t thread;
    int from;
    int bad; /* the first store that was not as it should be, or -1 */
};

/* All stores, each walker from another one on: it reads, and adds a letter. */
static void *walk(void *argument)
{
    struct walker *walker = argument;
    for (int i = 0; i < STORES && walker->bad < 0; i++) {
        struct ds_call its_call;
        int number = (walker->from + i) % STORES;
        bool same;
        int err = get(number, &its_call, &same);
        if (!err && same) {
            ds_call_init(&its_call, TIMEOUT_MS);
            err = ds_client_append(clients[number], &its_call, "d", "log", "x", 1, NULL);
        }
        if (err || !same)
            walker->bad = number;
    }
    return NULL;
}

/* Several threads at once, on the same stores and on others. */
static void test_together(void **state)
{
    (void)state;
    struct walker walkers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        walkers[i] = (struct walker){.from = i % 4 * STORES / 4, .bad = -1};
        assert_int_equal(pthread_create(&walkers[i].thread, NULL, walk, &walkers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(walkers[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(walkers[i].bad, -1);
    assert_in_range(count_open(), 1, DS_OPEN_STORES_MAX);
    for (int i = 0; i < STORES; i++) {
        struct ds_buf value DS_CLEANUP(ds_buf_free) = {0};
        assert_int_equal(ds_client_get_one(clients[i], new_call(), "d", "log", &value), 0);
        assert_int_equal(value.len, THREADS);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bounded),
        TEST(test_latest_stay),
        TEST(test_gone_while_closed),
        TEST(test_closed_with_change),
        TEST(test_in_use),
        TEST(test_held),
        TEST(test_together),
        TEST(test_renamed_while_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
