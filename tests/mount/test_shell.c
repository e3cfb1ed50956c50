/* What people type: redirections and everyday commands, in bash and dash, exit status, output and
 * the store's true content afterwards. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "stats.h"

#include <stdio.h>
#include <unistd.h>

static void test_overwrite(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo x > m/app/k");
    assert_store("app", "k", "x\n");
    assert_sh_ok(*state, "x\n", "cat m/app/k");
    assert_sh_ok(*state, "", "echo longer > m/app/k");
    assert_store("app", "k", "longer\n");
    assert_sh_ok(*state, "", "echo y > m/app/k");
    assert_store("app", "k", "y\n");
    assert_sh_ok(*state, "", "printf %%s exact > m/app/k");
    assert_store("app", "k", "exact");
    assert_sh_ok(*state, "exact", "cat m/app/k");
}

static void test_append(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo a >> m/app/k");
    assert_store("app", "k", "a\n");
    assert_sh_ok(*state, "", "echo b >> m/app/k; echo c >> m/app/k");
    assert_store("app", "k", "a\nb\nc\n");
    assert_sh_ok(*state, "", "for i in 1 2 3; do echo $i; done >> m/app/k");
    assert_store("app", "k", "a\nb\nc\n1\n2\n3\n");
    peer_set("app", "k", "from outside\n");
    assert_sh_ok(*state, "from outside\nd\n", "echo d >> m/app/k; cat m/app/k");
}

static void test_empty(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", ": > m/app/new");
    assert_soon(peer_has("app", "new", ""));
    peer_set("app", "k", "old");
    assert_sh_ok(*state, "", ": > m/app/k");
    assert_soon(peer_has("app", "k", ""));
    assert_sh_ok(*state, "0 m/app/k\n", "cat m/app/k; wc -c m/app/k");
    assert_sh_fails(*state, "", "[ -s m/app/k ]");
    assert_sh_ok(*state, "", "echo again > m/app/k && [ -s m/app/k ]");
    assert_store("app", "k", "again\n");
}

static void test_several_writes(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "{ printf a; printf b; printf 'c\\nd'; } > m/app/k");
    assert_store("app", "k", "abc\nd");
    assert_sh_ok(*state, "", "cat > m/app/k <<E\nfirst\nsecond\nE");
    assert_store("app", "k", "first\nsecond\n");
    assert_sh_ok(*state, "", "seq 1 1000 > m/app/k");
    assert_sh_ok(*state, "1000\n", "wc -l < m/app/k");
    assert_sh_ok(*state, "", "seq 1 1000 | cmp - m/app/k");
}

/* Truncation waits for the data, whatever was closed before; one set, so nobody can
 * have seen an empty value. */
static void test_no_empty_value_in_between(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "old\n");
    uint64_t before = stats_requests("m", "set");
    assert_sh_ok(*state, "", "{ true; true; echo x; } > m/app/k");
    assert_store("app", "k", "x\n");
    assert_int_equal(stats_requests("m", "set") - before, 1);
    before = stats_requests("m", "set");
    assert_sh_ok(*state, "", "{ true; true; echo x; } > m/app/new");
    assert_store("app", "new", "x\n");
    assert_int_equal(stats_requests("m", "set") - before, 1);
}

/* A command that takes its time before its first output leaves the old value to the others. */
static void test_slow_command(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "old");
    assert_sh_ok(*state, "", "mkfifo go");
    pid_t pid = shell_spawn(*state, "{ : > opened; cat go; } > m/app/k");
    assert_soon(access("opened", F_OK) == 0);
    assert_store("app", "k", "old");
    assert_sh_ok(*state, "", "printf new > go");
    assert_int_equal(shell_wait(pid), 0);
    assert_store("app", "k", "new");
}

static void test_read(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "first line\nsecond\n");
    assert_sh_ok(*state, "first line\n", "read v < m/app/k && echo \"$v\"");
    assert_sh_ok(*state, "first line\nsecond\n", "v=$(cat m/app/k) && echo \"$v\"");
    assert_sh_ok(*state, "18 m/app/k\n", "wc -c m/app/k");
    assert_sh_ok(*state, "first line\n", "head -n 1 m/app/k");
    assert_sh_ok(*state, "second\n", "tail -n 1 m/app/k");
    assert_sh_ok(*state, "m/app/k:second\n", "grep -r second m/app");
    assert_sh_ok(*state, "18\n", "stat -c %%s m/app/k");
    assert_sh_ok(*state, "", "while read -r l; do :; done < m/app/k");
    assert_sh_fails(*state, "No such file or directory", "cat m/app/missing");
    assert_sh_fails(*state, "No such file", "read v < m/app/missing");
}

static void test_conditions(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_sh_ok(*state, "", "test -e m/app/k && test -f m/app/k && test -s m/app/k");
    assert_sh_ok(*state, "", "test -r m/app/k && test -w m/app/k && ! test -x m/app/k");
    assert_sh_ok(*state, "", "test -d m/app && test -w m/app && test -x m/app && ! test -f m/app");
    assert_sh_ok(*state, "", "! test -e m/app/missing && ! test -e m/missing");
    assert_sh_fails(*state, "ermission denied", "m/app/k");
}

static void test_cp(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "echo from > plain && cp plain m/app/new");
    assert_store("app", "new", "from\n");
    peer_set("app", "k", "something longer\n");
    assert_sh_ok(*state, "", "cp plain m/app/k");
    assert_store("app", "k", "from\n");
    assert_sh_ok(*state, "from\n", "cp m/app/k out && cat out");
    assert_sh_ok(*state, "", "cp m/app/k m/app/k2");
    assert_store("app", "k2", "from\n");
    assert_sh_ok(*state, "", "cp -p plain m/app/kept");
    assert_store("app", "kept", "from\n");
    assert_sh_ok(*state, "",
                 "seq 1 20000 > plain && cp plain m/app/large && cmp plain m/app/large");
    assert_sh_ok(*state, "", "mkdir back && cp m/app/* back && cmp plain back/large");
}

static void test_mv(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "a", "A");
    assert_sh_ok(*state, "", "mv m/app/a m/app/b");
    assert_store("app", "b", "A");
    assert_not_in_store("app", "a");
    peer_set("app", "c", "C");
    assert_sh_ok(*state, "", "mv m/app/c m/app/b");
    assert_store("app", "b", "C");
    assert_not_in_store("app", "c");
    assert_sh_ok(*state, "", "mv m/app/b out");
    assert_not_in_store("app", "b");
    assert_sh_ok(*state, "C", "cat out");
    assert_sh_ok(*state, "", "mv out m/app/in");
    assert_store("app", "in", "C");
    assert_sh_ok(*state, "", "echo D > out && mv out m/app/in");
    assert_store("app", "in", "D\n");
    assert_sh_fails(*state, "Operation not permitted", "mv m/app m/other");
}

static void test_rm(void **state)
{
    harness_skip_in_guest();
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "for i in 1 2 3 4 5; do echo $i > m/app/k$i; done");
    assert_sh_ok(*state, "", "rm m/app/k1");
    assert_int_equal(peer_keys("app"), 4);
    assert_sh_fails(*state, "No such file or directory", "rm m/app/k1");
    assert_sh_fails(*state, "Directory not empty", "rmdir m/app");
    assert_sh_ok(*state, "", "rm -r m/app/*");
    assert_int_equal(peer_keys("app"), 0);
    assert_sh_ok(*state, "", "rmdir m/app");
    struct ds_attributes attributes = {0};
    assert_false(peer_query("app", &attributes));
    assert_sh_ok(*state, "", "mkdir m/app && echo x > m/app/k && rm -r m/app");
    assert_false(peer_query("app", &attributes));
}

static void test_mkdir(void **state)
{
    harness_skip_in_guest();
    harness_start("m", NULL);
    assert_sh_ok(*state, "", "mkdir m/app && test -d m/app");
    struct ds_attributes attributes = {0};
    assert_true(peer_query("app", &attributes));
    assert_int_equal(attributes.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(attributes.guest, DS_ACCESS_READ_WRITE);
    assert_int_equal(attributes.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    ds_attributes_clear(&attributes);
    assert_sh_fails(*state, "File exists", "mkdir m/app");
    assert_sh_ok(*state, "", "mkdir -p m/app");
    assert_sh_fails(*state, "Operation not permitted", "mkdir m/app/sub");
    assert_sh_fails(*state, "peration not permitted", "echo x > m/file");
    assert_sh_fails(*state, "No such file or directory", "rmdir m/missing");
}

static void test_mkdir_defaults(void **state)
{
    harness_skip_in_guest();
    harness_start("m", "guest_access=read_only,description=a\\,b,omit_from_snapshot_and_clone");
    assert_sh_ok(*state, "", "mkdir m/app");
    struct ds_attributes attributes = {0};
    assert_true(peer_query("app", &attributes));
    assert_int_equal(attributes.guest, DS_ACCESS_READ_ONLY);
    assert_int_equal(attributes.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(attributes.omit_from_snapshot_and_clone, DS_FLAG_ON);
    assert_string_equal(attributes.description, "a,b");
    ds_attributes_clear(&attributes);
}

static void test_rmdir_force(void **state)
{
    harness_skip_in_guest();
    harness_start_app("force");
    peer_set("app", "k", "v");
    assert_sh_ok(*state, "", "rmdir m/app");
    struct ds_attributes attributes = {0};
    assert_false(peer_query("app", &attributes));
    assert_sh_fails(*state, "No such file or directory", "ls m/app");
}

static void test_ls(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "app\n", "ls m");
    assert_sh_ok(*state, "", "ls m/app");
    peer_set("app", "a", "1");
    peer_set("app", "b", "22");
    assert_sh_ok(*state, "a\nb\n", "ls m/app");
    assert_sh_ok(*state, ".\n..\na\nb\n", "ls -a m/app");
    assert_sh_ok(*state, "-rw------- 1 root root 1 a\n-rw------- 1 root root 2 b\n",
                 "ls -l m/app | awk 'NR > 1 { print $1, $2, $3, $4, $5, $9 }'");
    assert_sh_ok(*state, "drwx------ . \ndrwx------ app \n",
                 "ls -la m | awk 'NR > 1 && $9 != \"..\" { print $1, $9, $10 }'");
    assert_sh_ok(*state, "m/app/a\nm/app/b\n", "find m -type f | sort");
    assert_sh_ok(*state, "m/app/b\n", "find m -type f -size +1c");
    assert_sh_ok(*state, "-rw------- root regular file 2\n", "stat -c '%%A %%U %%F %%s' m/app/b");
    assert_sh_ok(*state, "drwx------ root directory\n", "stat -c '%%A %%U %%F' m/app");
    assert_sh_fails(*state, "No such file or directory", "ls m/missing");
}

static void test_df(void **state)
{
    harness_start_app(NULL);
    char shown[PATH_MAX];
    const char *source = harness_source();
    bool relative = strcmp(source, HARNESS_SOURCE) == 0;
    const char *file = *harness_errors_prefix() ? "/" : "/s.db";
    snprintf(shown, sizeof shown, "%s%.2000s%s fuse.datasetfs\n", relative ? "local:" : source,
             relative ? harness_dir() : "", relative ? file : "");
    assert_sh_ok(*state, shown, "df --output=source,fstype m | awk 'NR > 1 { print $1, $2 }'");
    assert_sh_ok(*state, "",
                 "s=$(df -B1 --output=size m | tail -n 1) &&"
                 " test $s -gt 99900000 && test $s -le 100000000");
}

static void test_touch(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "", "touch m/app/new");
    assert_soon(peer_has("app", "new", ""));
    peer_set("app", "k", "kept");
    assert_sh_ok(*state, "kept", "touch m/app/k && cat m/app/k");
    assert_store("app", "k", "kept");
    assert_sh_ok(*state, "1000000000\n", "touch -d @1000000000 m/app/k && stat -c %%Y m/app/k");
}

static void test_truncate(void **state)
{
    harness_start_app(NULL);
    peer_set("app", "k", "hello");
    assert_sh_ok(*state, "hel", "truncate -s 3 m/app/k && cat m/app/k");
    assert_store("app", "k", "hel");
    assert_sh_ok(*state, "", "truncate -s 0 m/app/k");
    assert_soon(peer_has("app", "k", ""));
    assert_sh_fails(*state, "Invalid or incomplete multibyte", "truncate -s 9 m/app/k");
    assert_store("app", "k", "");
}

static void test_tools(void **state)
{
    harness_start_app(NULL);
    assert_sh_ok(*state, "x\n", "echo x | tee m/app/k");
    assert_store("app", "k", "x\n");
    assert_sh_ok(*state, "", "echo y | tee -a m/app/k > /dev/null");
    assert_store("app", "k", "x\ny\n");
    assert_sh_ok(*state, "", "echo z | dd of=m/app/k status=none");
    assert_store("app", "k", "z\n");
    assert_sh_ok(*state, "", "exec 3> m/app/k; echo 1 >&3; echo 2 >&3; exec 3>&-");
    assert_store("app", "k", "1\n2\n");
    assert_sh_ok(*state, "", "sort -r m/app/k -o m/app/k");
    assert_store("app", "k", "2\n1\n");
    assert_sh_ok(*state, "", "echo v > plain && install -m 600 plain m/app/i");
    assert_store("app", "i", "v\n");
    assert_sh_ok(*state, "",
                 "mkdir t && tar -C m -cf t.tar app && tar -C t -xf t.tar &&"
                 " cmp m/app/i t/app/i");
}

/* Standard error of a command in C locale, after the shell's own prefix. */
static void test_refusals(void **state)
{
    harness_start_app(NULL);
    assert_sh_fails(*state, "File too large", "head -c 1048577 /dev/zero | tr '\\0' a > m/app/big");
    assert_sh_fails(*state, "Invalid or incomplete multibyte or wide character",
                    "env printf 'a\\377' > m/app/bin");
    assert_not_in_store("app", "bin");
    assert_sh_fails(*state, "", "printf 'a\\377' > m/app/bin");
    assert_not_in_store("app", "bin");
    assert_sh_fails(*state, "", "printf 'a\\0b' > m/app/bin");
    assert_not_in_store("app", "bin");
    peer_set("app", "k", "old");
    assert_sh_fails(*state, "", "printf 'a\\377' > m/app/k");
    assert_store("app", "k", "old");
    assert_sh_ok(*state, "old", "cat m/app/k");
}

static void test_refusal_says_nothing_else(void **state)
{
    (void)state;
    harness_start_app(NULL);
    assert_sh_fails("bash", "Invalid or incomplete multibyte or wide character",
                    "printf 'a\\377' > m/app/bin");
    assert_sh_ok("bash", "1\n", "{ printf 'a\\377' > m/app/bin; } 2>&1 | wc -l");
}

static const struct CMUnitTest tests[] = {
    HARNESS_SHELLS(test_overwrite),
    HARNESS_SHELLS(test_append),
    HARNESS_SHELLS(test_empty),
    HARNESS_SHELLS(test_several_writes),
    HARNESS_SHELLS(test_no_empty_value_in_between),
    HARNESS_SHELLS(test_slow_command),
    HARNESS_SHELLS(test_read),
    HARNESS_SHELLS(test_conditions),
    HARNESS_SHELLS(test_cp),
    HARNESS_SHELLS(test_mv),
    HARNESS_SHELLS(test_rm),
    HARNESS_SHELLS(test_mkdir),
    HARNESS_SHELLS(test_mkdir_defaults),
    HARNESS_SHELLS(test_rmdir_force),
    HARNESS_SHELLS(test_ls),
    HARNESS_SHELLS(test_df),
    HARNESS_SHELLS(test_touch),
    HARNESS_SHELLS(test_truncate),
    HARNESS_SHELLS(test_tools),
    HARNESS_SHELLS(test_refusals),
    HARNESS_TEST(test_refusal_says_nothing_else),
};

HARNESS_MAIN(tests)
