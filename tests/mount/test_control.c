/* The hidden .datasetfs directory: stats, errors and attributes, as files and as extended
 * attributes. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void assert_attributes(const char *dataset, const char *description, enum ds_access host,
                              enum ds_access guest, enum ds_flag omit)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    assert_true(peer_query(dataset, &attributes));
    assert_string_equal(attributes.description ? attributes.description : "", description);
    assert_int_equal(attributes.host, host);
    assert_int_equal(attributes.guest, guest);
    assert_int_equal(attributes.omit_from_snapshot_and_clone, omit);
}

static void assert_no_dataset(const char *dataset)
{
    struct ds_attributes attributes = {0};
    assert_false(peer_query(dataset, &attributes));
}

static void test_hidden(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, ".\n..\napp\n", "ls -a m");
    assert_sh_ok(*state, "", "find m -name '.datasetfs*'");
    assert_sh_ok(*state, "", "test -d m/.datasetfs");
    assert_sh_ok(*state, "",
                 "for f in stats errors info; do ls m/.datasetfs | grep -qx $f || exit; "
                 "done");
    assert_sh_ok(*state, "app\n", "ls m/.datasetfs/info");
    assert_sh_fails(*state, "", "rmdir m/.datasetfs");
    assert_sh_fails(*state, "", "rm m/.datasetfs/stats");
    assert_sh_fails(*state, "", "echo x > m/.datasetfs/stats");
    assert_sh_fails(*state, "", "echo x > m/.datasetfs/new");
    assert_sh_fails(*state, "", "mkdir m/.datasetfs/new");
    assert_sh_ok(*state, "", "test -d m/.datasetfs && grep -q . m/.datasetfs/stats");
}

static void test_stats(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    uint64_t gets = stats_requests("m", "get");
    uint64_t lookups = stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"lookup\"}");
    assert_sh_ok(*state, "v", "cat m/app/k");
    assert_true(stats_requests("m", "get") > gets);
    assert_true(stats_counter("m", "datasetfs_fuse_requests_total{opcode=\"lookup\"}") > lookups);
    assert_int_equal(stats_counter("m", "datasetfs_store_errors_total{operation=\"set\"}"), 0);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_sh_fails(*state, "", "echo x > m/app/k");
    assert_int_equal(stats_counter("m", "datasetfs_store_errors_total{operation=\"set\"}"), 1);
    /* Every line is a comment or a counter. */
    assert_sh_ok(*state, "",
                 "grep -Ev '^(#.*|[a-z_]+([{][a-z]+=\"[a-z_]+\"[}])? [0-9.e+]+)$' "
                 "m/.datasetfs/stats || test $? = 1");
    assert_sh_ok(*state, "",
                 "grep -q '^# TYPE datasetfs_store_requests_total counter$' "
                 "m/.datasetfs/stats");
}

static void test_errors(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "cat m/.datasetfs/errors");
    assert_sh_ok(*state, "", "echo first > m/app/k");
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
    assert_sh_fails(*state, "", "echo sentinel-value > m/app/k");
    assert_sh_ok(*state, "1\n", "grep -c EACCES m/.datasetfs/errors");
    assert_sh_ok(*state, "1\n", "grep EACCES m/.datasetfs/errors | grep write | grep -c app/k");
    assert_sh_ok(*state, "0\n", "grep -c sentinel-value m/.datasetfs/errors || test $? = 1");
}

/* A failure to change a DataSet's attributes names the file that was written. */
static void test_errors_of_info(void **state)
{
    harness_start_app(NULL);
    assert_sh_fails(*state, "", "echo nonsense > m/.datasetfs/info/app");
    assert_sh_ok(*state, "1\n",
                 "grep -c '\twrite\t.*/.datasetfs/info/app\tEINVAL\t' m/.datasetfs/errors");
    assert_sh_ok(*state, "0\n", "grep -c '\t/app\t' m/.datasetfs/errors || test $? = 1");
}

/* The same failure again and again is one line with a count. */
static void test_errors_counts(void **state)
{
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_ONLY);
    for (int i = 0; i < 200; i++)
        assert_errno(mkdir("m/app/x", 0700), EPERM);
    assert_sh_fails(*state, "denied", "for i in $(seq 200); do echo x > m/app/k; done");
    assert_sh_ok(*state, "1\n", "grep -c /app/k m/.datasetfs/errors");
    assert_sh_ok(*state, "", "grep -q 'EACCES.*: … 199 more times$' m/.datasetfs/errors");
    assert_sh_ok(*state, "1\n", "grep -c 'EACCES)$' %s", daemon->log);
}

static void test_errors_keeps_the_last_64(void **state)
{
    (void)state;
    harness_start_app(NULL);
    for (unsigned i = 0; i < 70; i++) {
        char path[32];
        snprintf(path, sizeof path, "m/app/key%u", i);
        peer_access("app", DS_ACCESS_READ_WRITE, DS_ACCESS_UNKNOWN);
        int fd = -1;
        assert_soon((fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
        peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_UNKNOWN);
        assert_errno(write(fd, "x", 1), EACCES);
        close(fd);
    }
    assert_sh_ok("dash", "64\n", "wc -l < m/.datasetfs/errors");
    assert_sh_ok("dash", "1\n", "grep -c key69 m/.datasetfs/errors");
    assert_sh_ok("dash", "0\n", "grep -c key5: m/.datasetfs/errors || test $? = 1");
}

static void assert_member(const json_t *object, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(object, name));
    if (!value || strcmp(value, text) != 0)
        fail_msg("%s is %s, not %s", name, value ? value : "no string", text);
}

static void test_info_is_json(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_update("app", &(struct ds_attributes){.description = (char[]){"say \"hi\"\n"},
                                               .guest = DS_ACCESS_NONE,
                                               .omit_from_snapshot_and_clone = DS_FLAG_ON});
    peer_set("app", "key", "value");
    char text[4096];
    assert_true(harness_read("m/.datasetfs/info/app", text, sizeof text) > 0);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    assert_member(object, "name", "app");
    assert_member(object, "description", "say \"hi\"\n");
    assert_member(object, "host", "READ_WRITE");
    assert_member(object, "guest", "NONE");
    assert_true(json_is_true(json_object_get(object, "omit_from_snapshot_and_clone")));
    assert_int_equal(json_integer_value(json_object_get(object, "used")), 8);
    json_decref(object);
    assert_errno(open("m/.datasetfs/info/missing", O_RDONLY), ENOENT);
}

static void test_info_changes(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo '{\"description\":\"new words\"}' > m/.datasetfs/info/app");
    assert_attributes("app", "new words", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE, DS_FLAG_OFF);
    assert_sh_ok(*state, "",
                 "echo '{\"guest\":\"READ_ONLY\",\"omit_from_snapshot_and_clone\":true}'"
                 " > m/.datasetfs/info/app");
    assert_attributes("app", "new words", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY, DS_FLAG_ON);
    /* Several lines in one write. */
    assert_sh_ok(*state, "",
                 "cat > m/.datasetfs/info/app <<E\n{\"description\":\n\"b\",\n"
                 "\"guest\": \"none\"}\nE");
    assert_attributes("app", "b", DS_ACCESS_READ_WRITE, DS_ACCESS_NONE, DS_FLAG_ON);
    assert_sh_ok(*state, "1\n", "grep -c '\"b\"' m/.datasetfs/info/app");
    /* The mount knows its own change at once. */
    assert_sh_ok(*state, "", "echo '{\"host\":\"READ_ONLY\"}' > m/.datasetfs/info/app");
    assert_sh_fails(*state, "ermission denied", "echo x > m/app/k");
    assert_sh_ok(*state, "", "echo '{\"host\":\"READ_WRITE\"}' > m/.datasetfs/info/app");
    assert_sh_ok(*state, "", "echo x > m/app/k");
}

static const char *const refused[] = {
    "{\"colour\":\"red\"}",
    "{\"description\":\"lost\",\"colour\":\"red\"}",
    "{\"guest\":\"SOMETIMES\"}",
    "{\"description\":\"lost\",\"guest\":\"SOMETIMES\"}",
    "{\"description\":1}",
    "{\"omit_from_snapshot_and_clone\":\"yes\"}",
    "{\"description\":\"lost\"} trailing",
    "[\"description\"]",
    "plain words",
};

static void test_info_refuses(void **state)
{
    (void)state;
    harness_start_app(NULL);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (harness_write("m/.datasetfs/info/app", O_TRUNC, refused[i]) != -EINVAL)
            fail_msg("%s was not refused", refused[i]);
        if (harness_write("m/.datasetfs/info/new", O_CREAT, refused[i]) != -EINVAL)
            fail_msg("%s was not refused", refused[i]);
        assert_attributes("app", "", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE, DS_FLAG_OFF);
        assert_no_dataset("new");
    }
    /* One write is one object, so that shells hear of an incomplete one. */
    int fd = harness_open("m/.datasetfs/info/app", O_WRONLY | O_TRUNC);
    assert_errno(write(fd, "{\"description\":", 15), EINVAL);
    close(fd);
    assert_attributes("app", "", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE, DS_FLAG_OFF);
    fd = harness_open("m/.datasetfs/info/new", O_WRONLY | O_CREAT);
    assert_errno(write(fd, "{", 1), EINVAL);
    close(fd);
    assert_no_dataset("new");
    /* Nor does an open that writes nothing make or change anything. */
    close(harness_open("m/.datasetfs/info/new", O_WRONLY | O_CREAT));
    close(harness_open("m/.datasetfs/info/app", O_WRONLY | O_TRUNC));
    assert_no_dataset("new");
    assert_attributes("app", "", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE, DS_FLAG_OFF);
    assert_errno(access("m/.datasetfs/info/new", F_OK), ENOENT);
}

static void test_info_refusal_in_shells(void **state)
{
    harness_start_app(NULL);
    assert_sh_fails(*state, "Invalid argument",
                    "env printf '{\"colour\":\"red\"}\\n' > m/.datasetfs/info/app");
    assert_sh_fails(*state, "", "echo '{\"colour\":\"red\"}' > m/.datasetfs/info/app");
    assert_attributes("app", "", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE, DS_FLAG_OFF);
}

static void test_info_creates(void **state)
{
    harness_start("m", "guest_access=READ_ONLY,description=default");
    assert_sh_ok(*state, "", "ls m");
    assert_sh_ok(*state, "",
                 "echo '{\"guest\":\"NONE\",\"description\":\"made here\"}' "
                 "> m/.datasetfs/info/app");
    assert_attributes("app", "made here", DS_ACCESS_READ_WRITE, DS_ACCESS_NONE, DS_FLAG_OFF);
    assert_int_equal(stats_requests("m", "create"), 1);
    assert_int_equal(stats_requests("m", "update"), 0);
    assert_sh_ok(*state, "app\n", "ls m && test -d m/app && test -e m/.datasetfs/info/app");
    assert_sh_ok(*state, "", "echo x > m/app/k");
    assert_store("app", "k", "x\n");
    assert_errno(open("m/.datasetfs/info/app", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    /* An encoded name, as in the root. */
    assert_sh_ok(*state, "", "echo '{\"description\":\"d\"}' > m/.datasetfs/info/a%%2Fb");
    assert_attributes("a/b", "d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY, DS_FLAG_OFF);
}

static void test_info_in_guest(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY);
    harness_start("m", "side=guest");
    assert_sh_ok(*state, "1\n", "grep -c READ_ONLY m/.datasetfs/info/app");
    assert_sh_fails(*state, "peration not permitted",
                    "echo '{\"guest\":\"READ_WRITE\"}' > m/.datasetfs/info/app");
    assert_sh_fails(*state, "peration not permitted",
                    "echo '{\"guest\":\"READ_WRITE\"}' > m/.datasetfs/info/new");
    assert_attributes("app", "", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY, DS_FLAG_OFF);
    assert_no_dataset("new");
}

static void assert_xattr(const char *path, const char *name, const char *text)
{
    char value[256] = "";
    ssize_t len = getxattr(path, name, value, sizeof value - 1);
    if (len < 0)
        fail_msg("getxattr %s: %s", name, strerror(errno));
    if (len != (ssize_t)strlen(text) || memcmp(value, text, (size_t)len) != 0)
        fail_msg("%s is '%.*s', not '%s'", name, (int)len, value, text);
}

static bool in_list(const char *list, ssize_t len, const char *name)
{
    for (const char *at = list; at < list + len; at += strlen(at) + 1) {
        if (strcmp(at, name) == 0)
            return true;
    }
    return false;
}

#define XATTR(name) "user.dataset." name

static void test_xattr(void **state)
{
    (void)state;
    harness_start_app("xattr");
    peer_update("app", &(struct ds_attributes){.description = (char[]){"words"},
                                               .guest = DS_ACCESS_READ_ONLY});
    peer_set("app", "key", "value");
    assert_xattr("m/app", XATTR("description"), "words");
    assert_xattr("m/app", XATTR("host"), "READ_WRITE");
    assert_xattr("m/app", XATTR("guest"), "READ_ONLY");
    assert_xattr("m/app", XATTR("omit_from_snapshot_and_clone"), "false");
    assert_xattr("m/app", XATTR("used"), "8");
    char list[1024];
    ssize_t len = listxattr("m/app", list, sizeof list);
    assert_true(len > 0);
    assert_int_equal(listxattr("m/app", NULL, 0), len);
    assert_errno(listxattr("m/app", list, 1), ERANGE);
    static const char *const names[] = {"description", "host", "guest", "used",
                                        "omit_from_snapshot_and_clone"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, XATTR("%s"), names[i]);
        assert_true(in_list(list, len, name));
    }
    assert_errno(getxattr("m/app", XATTR("colour"), list, sizeof list), ENODATA);
    assert_errno(getxattr("m/app", "user.other", list, sizeof list), ENODATA);
    assert_errno(getxattr("m/app", XATTR("description"), list, 2), ERANGE);
    assert_errno(getxattr("m/app/key", XATTR("description"), list, sizeof list), ENODATA);
}

static void test_xattr_changes(void **state)
{
    (void)state;
    harness_start_app("xattr");
    assert_int_equal(setxattr("m/app", XATTR("description"), "new", 3, 0), 0);
    assert_int_equal(setxattr("m/app", XATTR("guest"), "read_only", 9, 0), 0);
    assert_int_equal(setxattr("m/app", XATTR("omit_from_snapshot_and_clone"), "true", 4, 0), 0);
    assert_attributes("app", "new", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY, DS_FLAG_ON);
    assert_xattr("m/app", XATTR("guest"), "READ_ONLY");
    assert_errno(setxattr("m/app", XATTR("guest"), "SOMETIMES", 9, 0), EINVAL);
    assert_errno(setxattr("m/app", XATTR("omit_from_snapshot_and_clone"), "maybe", 5, 0), EINVAL);
    assert_true(setxattr("m/app", XATTR("used"), "1", 1, 0) != 0);
    assert_true(setxattr("m/app", "user.other", "x", 1, 0) != 0);
    assert_attributes("app", "new", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY, DS_FLAG_ON);
    harness_start("g", "xattr,side=guest");
    assert_xattr("g/app", XATTR("description"), "new");
    assert_errno(setxattr("g/app", XATTR("description"), "x", 1, 0), EPERM);
    assert_attributes("app", "new", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_ONLY, DS_FLAG_ON);
}

static void test_no_xattr(void **state)
{
    (void)state;
    harness_start_app(NULL);
    char value[64];
    assert_errno(getxattr("m/app", XATTR("description"), value, sizeof value), ENOTSUP);
    assert_errno(setxattr("m/app", XATTR("description"), "x", 1, 0), ENOTSUP);
    assert_attributes("app", "", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE, DS_FLAG_OFF);
}

/* What reads as many bytes as stat(2) says gets all. */
static void test_sizes(void **state)
{
    (void)state;
    static const char *const files[] = {"stats", "errors", "scratch", "info/app"};
    harness_start_app(NULL);
    assert_ok(harness_write("m/app/.#x", O_CREAT | O_EXCL, "held back"));
    assert_errno(open("m/app/\xff", O_WRONLY | O_CREAT, 0600), EILSEQ);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        static char text[65536];
        char path[64];
        struct stat status;
        snprintf(path, sizeof path, "m/.datasetfs/%s", files[i]);
        assert_int_equal(harness_size(path), harness_read(path, text, sizeof text));
        int fd = harness_open(path, O_RDONLY);
        assert_ok(fstat(fd, &status));
        assert_int_equal(read(fd, text, sizeof text), status.st_size);
        assert_ok(close(fd));
    }
    assert_true(harness_size("m/.datasetfs/stats") > 0);
    assert_true(harness_size("m/.datasetfs/info/app") > 0);
    assert_sh_ok("bash", "",
                 "tar -cf t.tar m/.datasetfs/stats && tar -xOf t.tar | grep -q removexattr");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_sizes),
    HARNESS_SHELLS(test_hidden),
    HARNESS_SHELLS(test_stats),
    HARNESS_SHELLS(test_errors),
    HARNESS_SHELLS(test_errors_of_info),
    HARNESS_SHELLS(test_errors_counts),
    HARNESS_TEST(test_errors_keeps_the_last_64),
    HARNESS_TEST(test_info_is_json),
    HARNESS_SHELLS(test_info_changes),
    HARNESS_TEST(test_info_refuses),
    HARNESS_SHELLS(test_info_refusal_in_shells),
    HARNESS_SHELLS(test_info_creates),
    HARNESS_SHELLS(test_info_in_guest),
    HARNESS_TEST(test_xattr),
    HARNESS_TEST(test_xattr_changes),
    HARNESS_TEST(test_no_xattr),
};

HARNESS_MAIN(tests)
