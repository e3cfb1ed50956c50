/* The arguments that mount(8) gives its helper. */
#include "fs/mount_helper.h"

#define PARSED_PROGRAM "/sbin/mount.datasetfs"
#define PARSED_BY fs_mount_helper_parse
#include "parsed.h"

#define USAGE                                                                                      \
    "usage: mount.datasetfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTION,...] [-t datasetfs]"

static void test_name(void **state)
{
    (void)state;
    static const char *const names[] = {"mount.datasetfs", "/sbin/mount.datasetfs",
                                        "./mount.datasetfs"};
    static const char *const others[] = {
        "datasetfs",        "/usr/bin/datasetfs", "mount.datasetfs/x", "mount.fuse.datasetfs",
        "xmount.datasetfs", "mount.datasetfs/",   "mount.datasetfsx",  "",
    };
    for (size_t i = 0; i < LEN(names); i++)
        assert_true(fs_mount_helper_called(names[i]));
    for (size_t i = 0; i < LEN(others); i++)
        assert_false(fs_mount_helper_called(others[i]));
    assert_false(fs_mount_helper_called(NULL));
}

static void test_plain(void **state)
{
    (void)state;
    accept("local:/s.db", "/m", NULL);
    assert_string_equal(options.source, "local:/s.db");
    assert_string_equal(options.mountpoint, "/m");
    assert_string_equal(options.kernel_options, ALWAYS);
    assert_false(options.foreground || options.check_only || options.verbose);
    assert_null(options.name_space);
    /* Exactly as mount(8) writes it. */
    accept("local:/s.db", "/m", "-v", "-o", "ro,ttl=3,_netdev,user=root", NULL);
    assert_true(options.read_only && options.verbose);
    assert_int_equal(options.ttl_ms, 3000);
    assert_string_equal(options.kernel_options, "ro," ALWAYS);
}

static void test_flags(void **state)
{
    (void)state;
    accept("local:/s.db", "/m", "-f", NULL);
    assert_true(options.check_only);
    assert_false(options.foreground);
    accept("-sfnv", "local:/s.db", "/m", NULL);
    assert_true(options.check_only && options.verbose);
    accept("local:/s.db", "/m", "-n", "-N", "/proc/7/fd/4", "-t", "fuse.datasetfs", NULL);
    assert_string_equal(options.name_space, "/proc/7/fd/4");
    assert_false(options.check_only || options.verbose);
    accept("local:/s.db", "/m", "-fN7", "-tdatasetfs", "-oro", NULL);
    assert_string_equal(options.name_space, "7");
    assert_true(options.check_only && options.read_only);
    accept("-o", "ttl=3", "--", "local:/s.db", "-f", NULL);
    assert_string_equal(options.mountpoint, "-f");
    assert_false(options.check_only);
}

static void test_help_and_version(void **state)
{
    (void)state;
    static const char *const help[] = {"-h", "--help", "-vh"};
    for (size_t i = 0; i < LEN(help); i++) {
        accept(help[i], NULL);
        assert_true(options.help);
    }
    accept("-V", NULL);
    assert_true(options.version);
    accept("--version", NULL);
    assert_true(options.version);
}

static void test_sloppy(void **state)
{
    (void)state;
    refuse("unknown option 'colour' (see datasetfs -h)", "local:/s.db", "/m", "-o", "ro,colour=red",
           NULL);
    accept("local:/s.db", "/m", "-o", "colour=red,ro,nonsense", "-s", NULL);
    assert_true(options.read_only);
    assert_false(options.check_only || options.verbose);
    assert_string_equal(options.kernel_options, "ro," ALWAYS);
    refuse("option 'ttl=never': expected seconds from 0 to 86400", "local:/s.db", "/m", "-s", "-o",
           "ttl=never", NULL);
    refuse("unknown SOURCE 's.db': expected tools, https://HOST/VM or local:FILE, such as "
           "local:/x.db",
           "s.db", "/m", "-s", NULL);
}

static void test_refused(void **state)
{
    (void)state;
    refuse("unknown flag: " USAGE, "local:/s.db", "/m", "-d", NULL);
    refuse("unknown flag: " USAGE, "local:/s.db", "/m", "-fx", NULL);
    refuse("unknown option '--fake' (see datasetfs -h)", "local:/s.db", "/m", "--fake", NULL);
    refuse("option '-o' needs a value: " USAGE, "local:/s.db", "/m", "-o", NULL);
    refuse("option '-N' needs a value: " USAGE, "local:/s.db", "/m", "-N", NULL);
    refuse("option '-t' needs a value: " USAGE, "local:/s.db", "/m", "-ft", NULL);
    refuse("option '-t': expected the type datasetfs or fuse.datasetfs", "local:/s.db", "/m", "-t",
           "datasetfs.other", NULL);
    refuse("missing MOUNTPOINT: usage: datasetfs SOURCE MOUNTPOINT [-o OPTION,...]", "local:/s.db",
           NULL);
    refuse("unexpected argument 'n': usage: datasetfs SOURCE MOUNTPOINT [-o OPTION,...]",
           "local:/s.db", "/m", "n", "o", "p", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_name, clear),
        cmocka_unit_test_teardown(test_plain, clear),
        cmocka_unit_test_teardown(test_flags, clear),
        cmocka_unit_test_teardown(test_help_and_version, clear),
        cmocka_unit_test_teardown(test_sloppy, clear),
        cmocka_unit_test_teardown(test_refused, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
