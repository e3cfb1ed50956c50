/* Keys and DataSet names that are no file names, and file names that are no key's. */
#include "harness.h"

#include "cleanup.h"
#include "file_name.h"
#include "peer.h"
#include "shell.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 10000

static const char *const odd_keys[] = {
    "",        ".",          "..",           "...", "a/b",         "/",
    "//",      "%",          "%41",          "%2F", "%~",          "a%b",
    "a b",     " ",          "new\nline",    "\t",  "\x01\x1f",    "\x7f",
    "-rf",     "*",          "'quoted\" \\", "\\n", "caf\xc3\xa9", "\xf0\x9f\x98\x80",
    ".hidden", ".datasetfs", "k~",           "#k#", "../../etc",   "\xe2\x80\xae",
};
#define ODD_KEYS (sizeof odd_keys / sizeof *odd_keys)

static void repeat(char *out, size_t len, const char *piece)
{
    size_t step = strlen(piece);
    for (size_t i = 0; i + step <= len; i += step)
        memcpy(out + i, piece, step);
    out[len - len % step] = '\0';
}

static void path_of(char path[PATH_MAX], const char *point, const char *key)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    ds_file_name_encode(DS_FILE_NAME_IN_DATASET, key, name);
    snprintf(path, PATH_MAX, "%s/%s", point, name);
}

static bool listed(const char *directory, const char *name)
{
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(stream));)
        found = strcmp(entry->d_name, name) == 0;
    closedir(stream);
    return found;
}

/* Entries besides "." and ".."; fails if the listing breaks in the middle. */
static size_t count_listed(const char *directory)
{
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    size_t count = 0;
    errno = 0;
    while (readdir(stream)) {
        count++;
        errno = 0;
    }
    assert_int_equal(errno, 0);
    closedir(stream);
    return count - 2;
}

/* False for what a mount can only list. */
static bool reachable(const char *name)
{
    return !harness_over_rest() || (*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                                    strncmp(name, "../", 3) != 0);
}

/* Over REST no request is sent for such a name: it could mean another thing on the way. */
static void refuse_key(const char *key)
{
    char path[PATH_MAX];
    path_of(path, "m/app", key);
    assert_true(listed("m/app", strrchr(path, '/') + 1));
    assert_errno(access(path, F_OK), EINVAL);
    assert_errno(open(path, O_WRONLY | O_CREAT, 0600), EINVAL);
    assert_errno(unlink(path), EINVAL);
    assert_store("app", key, "value");
    peer_remove("app", key);
}

/* Listed, read, statted, written, appended to and removed, all by its shown name. */
static void use_key(const char *key)
{
    char path[PATH_MAX];
    path_of(path, "m/app", key);
    assert_true(listed("m/app", strrchr(path, '/') + 1));
    assert_content(path, "value");
    assert_int_equal(harness_size(path), 5);
    assert_int_equal(harness_write(path, O_TRUNC, "written"), 0);
    assert_store("app", key, "written");
    assert_int_equal(harness_write(path, O_APPEND, "+more"), 0);
    assert_store("app", key, "written+more");
    assert_content(path, "written+more");
    assert_int_equal(unlink(path), 0);
    assert_not_in_store("app", key);
    assert_errno(access(path, F_OK), ENOENT);
}

static void test_odd_keys(void **state)
{
    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < ODD_KEYS; i++)
        peer_set("app", odd_keys[i], "value");
    assert_int_equal(count_listed("m/app"), ODD_KEYS);
    for (size_t i = 0; i < ODD_KEYS; i++) {
        if (reachable(odd_keys[i]))
            use_key(odd_keys[i]);
        else
            refuse_key(odd_keys[i]);
    }
    assert_int_equal(peer_keys("app"), 0);
    assert_int_equal(count_listed("m/app"), 0);
}

static void test_odd_keys_made_by_name(void **state)
{
    (void)state;
    harness_start_app(NULL);
    size_t count = 0;
    for (size_t i = 0; i < ODD_KEYS; i++) {
        char path[PATH_MAX];
        path_of(path, "m/app", odd_keys[i]);
        if (!reachable(odd_keys[i])) {
            assert_int_equal(harness_write(path, O_CREAT, "value"), -EINVAL);
            continue;
        }
        assert_int_equal(harness_write(path, O_CREAT, "value"), 0);
        assert_store("app", odd_keys[i], "value");
        count++;
    }
    assert_int_equal(peer_keys("app"), count);
}

static void test_shells_see_odd_keys(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "",
                 "echo x > 'm/app/a b' && echo y > m/app/a%%2Fb && echo z > m/app/%%25");
    assert_store("app", "a b", "x\n");
    assert_store("app", "a/b", "y\n");
    assert_store("app", "%", "z\n");
    peer_set("app", "new\nline", "");
    assert_sh_ok(*state, "%25\na b\na%2Fb\nnew%0Aline\n", "ls m/app");
    assert_sh_ok(*state, "y\n", "cat m/app/a%%2Fb");
    assert_sh_ok(*state, "", "rm -r m/app/*");
    assert_int_equal(peer_keys("app"), 0);
}

static void test_long_keys(void **state)
{
    (void)state;
    harness_start_app(NULL);
    static const size_t lengths[] = {254, 255, 256, 257, 1024, DS_KEY_MAX_BYTES};
    static const char *const pieces[] = {"k", "/", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    char key[DS_KEY_MAX_BYTES + 1];
    size_t count = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            repeat(key, lengths[i], pieces[j]);
            peer_set("app", key, "value");
        }
    }
    /* Two that differ only where the name does not reach. */
    memset(key, 'z', 1000);
    key[1000] = '\0';
    peer_set("app", key, "one");
    key[999] = 'y';
    peer_set("app", key, "two");
    count = peer_keys("app");
    assert_int_equal(count_listed("m/app"), count);
    char path[PATH_MAX];
    path_of(path, "m/app", key);
    assert_content(path, "two");
    key[999] = 'z';
    path_of(path, "m/app", key);
    assert_content(path, "one");

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            repeat(key, lengths[i], pieces[j]);
            if (!peer_lacks("app", key)) /* rounded to whole pieces, some coincide */
                use_key(key);
        }
    }
    assert_int_equal(peer_keys("app"), 2);
}

/* Found by a name of which only the listing knows the key, in a mount that has never listed. */
static void test_long_key_in_fresh_mount(void **state)
{
    (void)state;
    harness_start_app(NULL);
    char key[DS_KEY_MAX_BYTES + 1];
    repeat(key, 300, "k");
    peer_set("app", key, "value");
    char path[PATH_MAX];
    path_of(path, "m/app", key);
    assert_content(path, "value");
    peer_remove("app", key);
    assert_errno(open(path, O_RDONLY), ENOENT);
    assert_errno(open(path, O_WRONLY | O_CREAT, 0600), EINVAL);
}

static void test_datasets(void **state)
{
    (void)state;
    harness_skip_in_guest();
    static const char *const names[] = {
        ".datasetfs", "a/b", "..", ".", "100%", "line\nfeed", "%2E", "-", "\xf0\x9f\x98\x80"};
    harness_start("m", NULL);
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    char path[PATH_MAX];
    char longest[301];
    repeat(longest, 300, "d");
    size_t count = sizeof names / sizeof *names;
    for (size_t i = 0; i <= count; i++)
        peer_create(i < count ? names[i] : longest, DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_int_equal(count_listed("m"), count + 1);
    for (size_t i = 0; i <= count; i++) {
        const char *dataset = i < count ? names[i] : longest;
        ds_file_name_encode(DS_FILE_NAME_IN_ROOT, dataset, name);
        assert_true(listed("m", name));
        if (!reachable(dataset)) {
            snprintf(path, sizeof path, "m/%s", name);
            assert_errno(rmdir(path), EINVAL);
            peer_destroy(dataset);
            continue;
        }
        snprintf(path, sizeof path, "m/%s/k", name);
        assert_int_equal(harness_write(path, O_CREAT, "value"), 0);
        assert_store(dataset, "k", "value");
        assert_int_equal(unlink(path), 0);
        snprintf(path, sizeof path, "m/%s", name);
        assert_int_equal(rmdir(path), 0);
        struct ds_attributes attributes = {0};
        assert_false(peer_query(dataset, &attributes));
    }
    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, ".datasetfs", name);
    assert_string_equal(name, "%2Edatasetfs");
    assert_int_equal(mkdir("m/%2Edatasetfs", 0700), 0);
    assert_int_equal(mkdir("m/a%2Fb", 0700), 0);
    assert_int_equal(peer_keys(".datasetfs"), 0);
    assert_int_equal(peer_keys("a/b"), 0);
    assert_errno(mkdir("m/.datasetfs", 0700), EEXIST);
}

static void test_names_of_no_key(void **state)
{
    (void)state;
    harness_skip_in_guest();
    static const char *const wrong[] = {
        "%41",
        "a%2f",
        "%zz",
        "a%",
        "%2",
        "%2E%2Ex",
        "\x01",
        "tab\there",
        "%00",
        "%C3%A9",
        "a%20b",
        "%~0123456789abcdef",
        "long%~0123456789abcdef",
    };
    harness_start_app(NULL);
    peer_set("app", "A", "v");
    peer_set("app", "from", "v");
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(path, sizeof path, "m/app/%s", wrong[i]);
        assert_errno(access(path, F_OK), ENOENT);
        assert_errno(open(path, O_RDONLY), ENOENT);
        assert_errno(open(path, O_WRONLY | O_CREAT, 0600), EINVAL);
        assert_errno(rename("m/app/from", path), EINVAL);
        assert_errno(unlink(path), ENOENT);
        snprintf(path, sizeof path, "m/%s", wrong[i]);
        assert_errno(access(path, F_OK), ENOENT);
        assert_errno(mkdir(path, 0700), EINVAL);
    }
    assert_int_equal(peer_keys("app"), 2);
}

static void test_names_not_utf8(void **state)
{
    (void)state;
    harness_skip_in_guest();
    static const char *const wrong[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf"};
    harness_start_app(NULL);
    peer_set("app", "from", "v");
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(path, sizeof path, "m/app/%s", wrong[i]);
        assert_errno(access(path, F_OK), ENOENT);
        assert_errno(open(path, O_WRONLY | O_CREAT, 0600), EILSEQ);
        assert_errno(rename("m/app/from", path), EILSEQ);
        snprintf(path, sizeof path, "m/%s", wrong[i]);
        assert_errno(access(path, F_OK), ENOENT);
        assert_errno(mkdir(path, 0700), EILSEQ);
    }
    assert_int_equal(peer_keys("app"), 1);
}

static void test_names_too_long(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start_app(NULL);
    peer_set("app", "from", "v");
    char path[PATH_MAX] = "m/app/";
    memset(path + 6, 'n', 256);
    assert_errno(open(path, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
    assert_errno(rename("m/app/from", path), ENAMETOOLONG);
    path[6 + 255] = '\0';
    assert_int_equal(harness_write(path, O_CREAT, "fits"), 0);
    assert_store("app", path + 6, "fits");
    char directory[PATH_MAX] = "m/";
    memset(directory + 2, 'n', 256);
    assert_errno(mkdir(directory, 0700), ENAMETOOLONG);
    directory[2 + 255] = '\0';
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(peer_keys(directory + 2), 0);
}

/* Whatever is to be done with such a name, and wherever it would stand. */
static void test_too_long_for_every_call(void **state)
{
    (void)state;
    static const char *const places[] = {"m/", "m/app/", "m/.datasetfs/", "m/.datasetfs/info/"};
    harness_start_app(NULL);
    peer_set("app", "from", "v");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t len = 256; len <= 1000; len += 744) {
            char path[PATH_MAX] = "";
            struct stat status;
            strcpy(path, places[i]);
            memset(path + strlen(places[i]), 'n', len);
            assert_errno(stat(path, &status), ENAMETOOLONG);
            assert_errno(access(path, F_OK), ENAMETOOLONG);
            assert_errno(open(path, O_RDONLY), ENAMETOOLONG);
            assert_errno(open(path, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
            assert_errno(truncate(path, 0), ENAMETOOLONG);
            assert_errno(chmod(path, 0600), ENAMETOOLONG);
            assert_errno(unlink(path), ENAMETOOLONG);
            assert_errno(rmdir(path), ENAMETOOLONG);
            assert_errno(mkdir(path, 0700), ENAMETOOLONG);
            assert_errno(mknod(path, S_IFIFO | 0600, 0), ENAMETOOLONG);
            assert_errno(symlink("x", path), ENAMETOOLONG);
            assert_errno(link("m/app/from", path), ENAMETOOLONG);
            assert_errno(rename("m/app/from", path), ENAMETOOLONG);
            assert_errno(rename(path, "m/app/to"), ENAMETOOLONG);
        }
    }
    assert_store("app", "from", "v");
}

static void test_many_keys(void **state)
{
    harness_skip_in_guest();
    harness_start_app("timeout=60");
    for (unsigned i = 0; i < MANY; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%u", i);
        peer_set("app", key, "value");
    }
    assert_sh_ok(*state, "10000\n", "ls m/app | wc -l");
    assert_sh_ok(*state, "10000\n", "ls m/app | sort -u | wc -l");
    assert_sh_ok(*state, "10000\n", "ls -l m/app | awk 'NR > 1 && $5 == 5' | wc -l");
    assert_int_equal(count_listed("m/app"), MANY);
    assert_sh_ok(*state, "value", "cat m/app/key9999");
    assert_sh_ok(*state, "", "rm -r m/app");
    struct ds_attributes attributes = {0};
    assert_false(peer_query("app", &attributes));
}

/* Looking for what is not there is no failure: the last ones are few, and for what went wrong. */
static void test_missing_names_are_not_reported(void **state)
{
    (void)state;
    harness_start_app(NULL);
    assert_errno(access("m/.git", F_OK), ENOENT);
    assert_errno(access("m/none/HEAD", F_OK), ENOENT);
    assert_errno(access("m/app/.git", F_OK), ENOENT);
    assert_errno(access("m/.datasetfs/info/none", F_OK), ENOENT);
    assert_sh_fails("dash", "No such file", "ls m/none");
    assert_sh_ok("dash", "", "cat m/.datasetfs/errors");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_odd_keys),
    HARNESS_TEST(test_odd_keys_made_by_name),
    HARNESS_SHELLS(test_shells_see_odd_keys),
    HARNESS_TEST(test_long_keys),
    HARNESS_TEST(test_long_key_in_fresh_mount),
    HARNESS_TEST(test_datasets),
    HARNESS_TEST(test_names_of_no_key),
    HARNESS_TEST(test_names_not_utf8),
    HARNESS_TEST(test_names_too_long),
    HARNESS_TEST(test_too_long_for_every_call),
    HARNESS_TEST(test_missing_names_are_not_reported),
    HARNESS_SHELLS(test_many_keys),
};

HARNESS_MAIN(tests)
