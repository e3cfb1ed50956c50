/* The command line: every option, every refusal with its words. */
#include "fs/command_line.h"

#define PARSED_PROGRAM "datasetfs"
#define PARSED_BY fs_command_line_parse
#include "parsed.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USAGE "usage: datasetfs SOURCE MOUNTPOINT [-o OPTION,...]"

static void accept_options(const char *words)
{
    accept("local:s.db", "m", "-o", words, NULL);
}

static void refuse_options(const char *words, const char *message)
{
    refuse(message, "local:s.db", "m", "-o", words, NULL);
}

static void test_defaults(void **state)
{
    (void)state;
    accept("local:s.db", "m", NULL);
    assert_string_equal(options.source, "local:s.db");
    assert_string_equal(options.mountpoint, "m");
    assert_false(options.foreground || options.debug || options.help || options.version);
    assert_int_equal(options.store.source.side, DS_SIDE_HOST);
    assert_false(options.store.source.side_given);
    assert_false(options.read_only || options.allow_other || options.xattr || options.force);
    assert_int_equal(options.uid, getuid());
    assert_int_equal(options.gid, getgid());
    assert_int_equal(options.umask, 077);
    assert_int_equal(options.store.timeout_ms, 10000);
    assert_int_equal(options.ttl_ms, 0);
    assert_int_equal(options.cache_bytes, 16 * 1024 * 1024);
    assert_int_equal(options.readahead, 65536);
    assert_int_equal(options.max_threads, 32);
    assert_null(options.scratch);
    assert_int_equal(options.scratch_delay_ms, 10000);
    assert_int_equal(options.store.attributes.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(options.store.attributes.guest, DS_ACCESS_READ_WRITE);
    assert_int_equal(options.store.attributes.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    assert_string_equal(options.store.attributes.description, "");
    assert_string_equal(options.kernel_options, ALWAYS);
}

static void test_order_of_arguments(void **state)
{
    (void)state;
    accept("-f", "local:s.db", "-o", "ro", "m", "-oforce,ttl=3", NULL);
    assert_string_equal(options.source, "local:s.db");
    assert_string_equal(options.mountpoint, "m");
    assert_true(options.foreground && options.read_only && options.force);
    assert_int_equal(options.ttl_ms, 3000);

    accept("local:s.db", "m", "-fo", "force", NULL);
    assert_true(options.foreground && options.force);
    accept("-oforce", "--", "local:s.db", "-f", NULL);
    assert_string_equal(options.mountpoint, "-f");
    assert_false(options.foreground);
    accept("local:s.db", "-", NULL);
    assert_string_equal(options.mountpoint, "-");
    /* As mount.fuse3 calls it. */
    accept("local:s.db", "m", "-o", "rw,dev,suid", NULL);
    assert_string_equal(options.kernel_options, ALWAYS);
}

static void test_flags(void **state)
{
    (void)state;
    accept("-d", "local:s.db", "m", NULL);
    assert_true(options.debug && options.foreground);
    accept("-fd", "local:s.db", "m", NULL);
    assert_true(options.debug && options.foreground);
    static const char *const help[] = {"-h", "--help", "-fh"};
    for (size_t i = 0; i < LEN(help); i++) {
        accept(help[i], NULL);
        assert_true(options.help && !options.version);
        assert_null(options.source);
        assert_null(options.kernel_options);
    }
    accept("-V", NULL);
    assert_true(options.version && !options.help);
    accept("--version", "local:s.db", "a", "b", NULL);
    assert_true(options.version);
    assert_null(options.source);
}

static void test_switches(void **state)
{
    (void)state;
    accept_options("xattr");
    assert_true(options.xattr);
    accept_options("force");
    assert_true(options.force);
    accept_options("ro");
    assert_true(options.read_only);
    assert_string_equal(options.kernel_options, "ro," ALWAYS);
    accept_options("ro,rw");
    assert_false(options.read_only);
    assert_string_equal(options.kernel_options, ALWAYS);
    accept_options("rw,ro,ro");
    assert_string_equal(options.kernel_options, "ro," ALWAYS);
    accept_options("omit_from_snapshot_and_clone");
    assert_int_equal(options.store.attributes.omit_from_snapshot_and_clone, DS_FLAG_ON);
    accept_options("omit_from_snapshot_and_clone,omit_from_snapshot_and_clone=OFF");
    assert_int_equal(options.store.attributes.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    refuse_options("omit_from_snapshot_and_clone=no",
                   "option 'omit_from_snapshot_and_clone=no': expected on or off");
    accept_options("");
    accept_options(",,force,,");
    assert_true(options.force);
}

static void test_side(void **state)
{
    (void)state;
    accept_options("side=guest");
    assert_int_equal(options.store.source.side, DS_SIDE_GUEST);
    assert_true(options.store.source.side_given);
    accept_options("side=HOST");
    assert_int_equal(options.store.source.side, DS_SIDE_HOST);
    assert_true(options.store.source.side_given);
    refuse_options("side=both", "option 'side=both': expected host or guest");
}

static void test_times(void **state)
{
    (void)state;
    accept_options("timeout=1");
    assert_int_equal(options.store.timeout_ms, 1000);
    accept_options("timeout=20,timeout=3600");
    assert_int_equal(options.store.timeout_ms, 3600000);
    accept_options("commit=close");
    assert_true(options.commit_at_close);
    accept_options("commit=close,commit=write");
    assert_false(options.commit_at_close);
    refuse_options("commit=never", "option 'commit=never': expected write or close");

    accept_options("ttl=0");
    assert_int_equal(options.ttl_ms, 0);
    accept_options("ttl=86400");
    assert_int_equal(options.ttl_ms, 86400000);

    static const char *const wrong[] = {
        "abc", "0", "3601", "-1", "+1", "1.5", "1s", " 1", "1 ", "0x10", "18446744073709551617"};
    for (size_t i = 0; i < LEN(wrong); i++) {
        char word[64], message[256];
        snprintf(word, sizeof word, "timeout=%s", wrong[i]);
        snprintf(message, sizeof message, "option '%s': expected seconds from 1 to 3600", word);
        refuse_options(word, message);
    }
    refuse_options("timeout=", "option 'timeout': expected seconds from 1 to 3600");
    refuse_options("timeout", "option 'timeout' needs a value: seconds from 1 to 3600");
    refuse_options("ttl=86401", "option 'ttl=86401': expected seconds from 0 to 86400");
}

static void test_cache(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        uint64_t bytes;
    } rows[] = {
        {"cache=0", 0},           {"cache=1", 1},           {"cache=1000", 1000},
        {"cache=2K", 2048},       {"cache=2k", 2048},       {"cache=3M", 3 << 20},
        {"cache=1G", 1ULL << 30}, {"cache=4G", 4ULL << 30}, {"cache=4194304K", 4ULL << 30},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        accept_options(rows[i].word);
        assert_int_equal(options.cache_bytes, rows[i].bytes);
    }
    static const char *const wrong[] = {
        "5G",  "4294967297", "M",  "-1",   "1T",
        "1KB", "1 ",         "0 ", "1.5M", "99999999999999999999999999"};
    for (size_t i = 0; i < LEN(wrong); i++) {
        char word[64], message[256];
        snprintf(word, sizeof word, "cache=%s", wrong[i]);
        snprintf(message, sizeof message,
                 "option '%s': expected bytes up to 4G, such as 512K or 16M", word);
        refuse_options(word, message);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    accept_options("scratch_delay=1");
    assert_int_equal(options.scratch_delay_ms, 1000);
    accept_options("scratch_delay=86400");
    refuse_options("scratch_delay=0", "option 'scratch_delay=0': expected seconds from 1 to 86400");
    accept_options("scratch=*.tmp:.new-XXXXXX");
    assert_string_equal(options.scratch, "*.tmp:.new-XXXXXX");
    accept_options("scratch=a:b,scratch=none");
    assert_string_equal(options.scratch, "");
    refuse_options("scratch=a::b", "option 'scratch=a::b': expected globs divided by ':', or none");
    refuse_options("scratch", "option 'scratch' needs a value: globs divided by ':', or none");
    accept_options("readahead=0");
    assert_int_equal(options.readahead, 0);
    accept_options("readahead=65536");
    assert_int_equal(options.readahead, 65536);
    refuse_options("readahead=65537",
                   "option 'readahead=65537': expected a number from 0 to 65536");
    accept_options("max_threads=2");
    assert_int_equal(options.max_threads, 2);
    accept_options("max_threads=256");
    assert_int_equal(options.max_threads, 256);
    refuse_options("max_threads=1", "option 'max_threads=1': expected a number from 2 to 256");
    refuse_options("max_threads=257", "option 'max_threads=257': expected a number from 2 to 256");

    accept_options("channels=4");
    assert_int_equal(options.store.source.channels, 4);
    refuse_options("channels=0", "option 'channels=0': expected a number from 1 to 4");
    refuse_options("channels=5", "option 'channels=5': expected a number from 1 to 4");

    accept_options("uid=0,gid=0");
    assert_int_equal(options.uid, 0);
    accept_options("uid=1000,gid=4294967294,umask=027");
    assert_int_equal(options.uid, 1000);
    assert_int_equal(options.gid, 4294967294U);
    assert_int_equal(options.umask, 027);
    refuse_options("uid=root", "option 'uid=root': expected a user's number");
    refuse_options("uid=4294967295", "option 'uid=4294967295': expected a user's number");
    refuse_options("gid=-1", "option 'gid=-1': expected a group's number");
    refuse_options("umask=8", "option 'umask=8': expected octal permission bits from 0 to 777");
    refuse_options("umask=1000",
                   "option 'umask=1000': expected octal permission bits from 0 to 777");
}

static void test_new_datasets(void **state)
{
    (void)state;
    accept_options("host_access=none,guest_access=Read_Only,description=a \\, b \\\\ c = d");
    assert_int_equal(options.store.attributes.host, DS_ACCESS_NONE);
    assert_int_equal(options.store.attributes.guest, DS_ACCESS_READ_ONLY);
    assert_string_equal(options.store.attributes.description, "a , b \\ c = d");
    accept_options("description=one,description=");
    assert_string_equal(options.store.attributes.description, "");
    accept_options("description=a\\b\\");
    assert_string_equal(options.store.attributes.description, "a\\b\\");

    refuse_options("host_access=rw",
                   "option 'host_access=rw': expected NONE, READ_ONLY or READ_WRITE");
    refuse_options("guest_access=UNKNOWN",
                   "option 'guest_access=UNKNOWN': expected NONE, READ_ONLY or READ_WRITE");
    refuse_options("description=\xFF",
                   "option 'description': expected UTF-8 text of at most 1024 bytes");
    char word[sizeof "description=" + DS_DESCRIPTION_MAX_BYTES + 1];
    memset(word, 'd', sizeof word);
    memcpy(word, "description=", strlen("description="));
    word[sizeof word - 2] = '\0';
    accept_options(word);
    assert_int_equal(strlen(options.store.attributes.description), DS_DESCRIPTION_MAX_BYTES);
    word[sizeof word - 2] = 'd';
    word[sizeof word - 1] = '\0';
    refuse_options(word, "option 'description': expected UTF-8 text of at most 1024 bytes");
}

static void test_kernel_options(void **state)
{
    (void)state;
    accept_options("nodev,allow_other,exec,max_read=65536,noatime");
    assert_true(options.allow_other);
    assert_string_equal(options.kernel_options, "allow_other,max_read=65536,noatime," ALWAYS);
    accept_options("exec,dev,suid,noexec,nodev,nosuid");
    assert_string_equal(options.kernel_options, ALWAYS);
    accept_options("sync,ro,allow_root,default_permissions,auto_unmount,async,dirsync");
    assert_false(options.allow_other);
    assert_string_equal(
        options.kernel_options,
        "ro,sync,allow_root,default_permissions,auto_unmount,async,dirsync," ALWAYS);
    accept("local:s.db", "m", "-o", "async", "-o", "context=\"u:r:t:s0:c1\\,c2\"", NULL);
    assert_string_equal(options.kernel_options, "async,context=\"u:r:t:s0:c1\\,c2\"," ALWAYS);

    refuse_options("max_read=1", "option 'max_read=1': expected bytes from 4096 to 1048576");
    refuse_options("context", "option 'context' needs a value: a security context");
    refuse_options("allow_root,allow_other",
                   "options 'allow_other' and 'allow_root' exclude each other");
}

static void test_words_of_fstab(void **state)
{
    (void)state;
    static const char *const words[] = {
        "rw",
        "defaults",
        "auto",
        "noauto",
        "user",
        "user=joe",
        "nouser",
        "users",
        "nousers",
        "owner",
        "noowner",
        "group",
        "nogroup",
        "nofail",
        "_netdev",
        "comment=a b",
        "comment=",
        "uhelper=u",
        "helper=h",
        "x-systemd.automount",
        "x-foo=bar",
        "X-mount.mkdir=0755",
        "atime",
        "relatime",
        "norelatime",
        "strictatime",
        "nostrictatime",
        "diratime",
        "nodiratime",
        "lazytime",
        "nolazytime",
        "iversion",
        "noiversion",
        "mand",
        "nomand",
        "silent",
        "loud",
        "nosymfollow",
        "symfollow",
        "suid",
        "dev",
        "exec",
        "nosuid",
        "nodev",
        "noexec",
    };
    for (size_t i = 0; i < LEN(words); i++) {
        accept_options(words[i]);
        assert_string_equal(options.kernel_options, ALWAYS);
    }
    accept_options("_netdev,nofail,noauto,user,x-systemd.requires=a.service,timeout=5");
    assert_int_equal(options.store.timeout_ms, 5000);
    refuse_options("comment", "option 'comment' needs a value: text");
}

static void test_refused_options(void **state)
{
    (void)state;
    refuse_options("foo", "unknown option 'foo' (see datasetfs -h)");
    refuse_options("force,foo=bar", "unknown option 'foo' (see datasetfs -h)");
    refuse_options("=x", "unknown option (see datasetfs -h)");
    refuse_options("two words", "unknown option (see datasetfs -h)");
    refuse_options("a\nb", "unknown option (see datasetfs -h)");
    refuse_options("FORCE", "unknown option 'FORCE' (see datasetfs -h)");
    refuse_options("fsname=x", "unknown option 'fsname' (see datasetfs -h)");
    refuse_options("force=yes", "option 'force' takes no value");
    refuse_options("ro=", "option 'ro' takes no value");
    refuse_options("noauto=1", "option 'noauto' takes no value");
    refuse_options("side=a\tb\x01", "option 'side=a?b?': expected host or guest");
    refuse_options("side=a\xC2\x9B\xE2\x80\xAE", "option 'side=a?"
                                                 "?': expected host or guest");
    refuse_options("ro,remount",
                   "option 'remount': the options of a mount cannot be changed: unmount it, then "
                   "mount it with the new ones");
    refuse_options("side=\xFFguest", "option 'side': expected host or guest");
    refuse("unknown option '-x' (see datasetfs -h)", "-fx", "local:s.db", "m", NULL);
    refuse("unknown option '--force' (see datasetfs -h)", "--force", "local:s.db", "m", NULL);
    refuse("option '-o' needs a value: -o OPTION,...", "local:s.db", "m", "-o", NULL);
}

/* A long wrong value is cut at a code point, and what would be right is still said. */
static void test_long_value(void **state)
{
    (void)state;
    char word[1024] = "side=a";
    for (size_t len = strlen(word); len + 2 < sizeof word; len += 2)
        memcpy(word + len, "\xC3\xB6", 3);
    char message[256] = "option 'side=a";
    for (int i = 0; i < 39; i++)
        strcat(message, "\xC3\xB6");
    strcat(message, "': expected host or guest");
    refuse_options(word, message);
}

static void test_refused_arguments(void **state)
{
    (void)state;
    refuse("missing SOURCE and MOUNTPOINT: " USAGE, NULL);
    refuse("missing SOURCE and MOUNTPOINT: " USAGE, "-f", "-o", "ro", NULL);
    refuse("missing MOUNTPOINT: " USAGE, "local:s.db", NULL);
    refuse("MOUNTPOINT is empty: " USAGE, "local:s.db", "", NULL);
    refuse("unexpected argument 'more': " USAGE, "local:s.db", "m", "more", NULL);
    refuse("unknown SOURCE 'nonsense': expected tools, https://HOST/VM or local:FILE, such as "
           "local:/x.db",
           "nonsense", "m", NULL);
    refuse("local: needs the name of the store file: local:FILE", "local:", "m", NULL);
}

/* What could be a password is in no message. */
static void test_secrets(void **state)
{
    (void)state;
    static const char *const words[] = {
        "password=hunter2",    "passwd=hunter2",
        "pass=hunter2",        "username=hunter2",
        "pasword=hunter2",     "joe:hunter2@host",
        "hunter2@host",        "side=joe:hunter2@host",
        "force=hunter2",       "timeout=joe:hunter2@host",
        "credentials=hunter2", "hunter2:x",
    };
    for (size_t i = 0; i < LEN(words); i++) {
        char word[64];
        char *argv[] = {"datasetfs", "local:s.db", "m", "-o", strcpy(word, words[i]), NULL};
        assert_int_equal(fs_command_line_parse(&options, 5, argv, why), -EINVAL);
        assert_null(strstr(why, "hunter2"));
    }
    refuse_options("password=hunter2",
                   "option 'password': credentials do not belong on the command line, where others "
                   "can read them");
    refuse_options("password", "option 'password': credentials do not belong on the command line, "
                               "where others can read them");
    refuse("unexpected argument: " USAGE, "local:s.db", "m", "joe:hunter2@host", NULL);
    refuse("user and password do not belong in SOURCE, where others can read them: use "
           "-o credentials=FILE",
           "https://joe:hunter2@vc/vm-42", "m", NULL);
}

static void refuse_https(const char *words, const char *message)
{
    refuse(message, "https://vc/vm-1", "m", "-o", words, NULL);
}

static void test_https(void **state)
{
    (void)state;
    static const char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    char words[128];
    snprintf(words, sizeof words, "credentials=/c\\,d,cacert=ca.pem,pin=%s,parallel=7", pin);
    accept("https://vc/vm-1", "m", "-o", words, NULL);
    assert_string_equal(options.store.source.credentials, "/c,d");
    assert_string_equal(options.store.source.cacert, "ca.pem");
    assert_string_equal(options.store.source.pin, pin);
    assert_int_equal(options.store.source.transfers, 7);
    assert_false(options.store.source.insecure);
    accept("https://vc/vm-1", "m", "-o", "insecure,credentials=a,credentials=b", NULL);
    assert_true(options.store.source.insecure);
    assert_string_equal(options.store.source.credentials, "b");
    static const char *const wrong[] = {"parallel=0",
                                        "parallel=65",
                                        "parallel=x",
                                        "credentials=",
                                        "cacert=",
                                        "pin=",
                                        "pin=sha256//",
                                        "pin=sha1//AAAA=",
                                        "pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                        "pin=/etc/key.pem",
                                        "insecure=yes"};
    for (size_t i = 0; i < LEN(wrong); i++) {
        char word[80];
        char *argv[] = {"datasetfs", "https://vc/vm-1", "m", "-o", strcpy(word, wrong[i]), NULL};
        fs_options_clear(&options);
        assert_int_equal(fs_command_line_parse(&options, 5, argv, why), -EINVAL);
        assert_non_null(strstr(why, "option '"));
        assert_null(strchr(why, '\n'));
    }
    refuse_https("parallel=65", "option 'parallel=65': expected a number from 1 to 64");
    refuse_https("parallel", "option 'parallel' needs a value: a number from 1 to 64");
    refuse_https("credentials", "option 'credentials' needs a value: the name of a file");
    refuse_https("cacert=", "option 'cacert': expected the name of a file");
    refuse_https("pin=sha256//x",
                 "option 'pin=sha256//x': expected sha256//BASE64 of the server's public key");
    refuse_https("insecure=1", "option 'insecure' takes no value");
    refuse_https("insecure,cacert=f", "-o insecure and cacert= or pin= exclude each other");
    refuse_https("side=host", "-o side= is for local:FILE only; https:// is always the host side");
    refuse_options("credentials=f", "-o credentials is for https:// only");
    refuse_options("cacert=f", "-o cacert is for https:// only");
    refuse_options("insecure", "-o insecure is for https:// only");
    refuse_options("rate=0", "-o rate is for https:// only");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_defaults, clear),
        cmocka_unit_test_teardown(test_order_of_arguments, clear),
        cmocka_unit_test_teardown(test_flags, clear),
        cmocka_unit_test_teardown(test_switches, clear),
        cmocka_unit_test_teardown(test_side, clear),
        cmocka_unit_test_teardown(test_times, clear),
        cmocka_unit_test_teardown(test_cache, clear),
        cmocka_unit_test_teardown(test_numbers, clear),
        cmocka_unit_test_teardown(test_new_datasets, clear),
        cmocka_unit_test_teardown(test_kernel_options, clear),
        cmocka_unit_test_teardown(test_words_of_fstab, clear),
        cmocka_unit_test_teardown(test_refused_options, clear),
        cmocka_unit_test_teardown(test_long_value, clear),
        cmocka_unit_test_teardown(test_refused_arguments, clear),
        cmocka_unit_test_teardown(test_secrets, clear),
        cmocka_unit_test_teardown(test_https, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
