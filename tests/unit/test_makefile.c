/* What the Makefile honours, seen by what it would run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* True if `make -n arguments` would run something with this word in it. */
static bool would_run(const char *arguments, const char *word)
{
    char command[512];
    char line[8192];
    bool found = false;
    snprintf(command, sizeof command, "env -u MAKEFLAGS -u MFLAGS make -n -B %s all", arguments);
    FILE *output = popen(command, "r"); // NOLINT(cert-env33-c): a command of our own
    assert_non_null(output);
    while (fgets(line, sizeof line, output))
        found = found || strstr(line, word);
    assert_int_equal(pclose(output), 0);
    return found;
}

static void test_pkg_config(void **state)
{
    (void)state;
    assert_true(would_run("", "fuse3"));
    assert_true(would_run("PKG_CONFIG='echo -DANOTHER'", "-DANOTHER --cflags fuse3"));
    assert_true(would_run("PKG_CONFIG='echo -DANOTHER'", "-DANOTHER --libs fuse3"));
    assert_false(would_run("PKG_CONFIG='echo -DANOTHER'", "-I/usr/include/fuse3"));
}

/* The output of a command of our own, which has to end with this status. Valid until the next. */
static const char *run(int status, const char *command)
{
    static char output[4096];
    FILE *stream = popen(command, "r"); // NOLINT(cert-env33-c): a command of our own
    assert_non_null(stream);
    size_t len = fread(output, 1, sizeof output - 1, stream);
    output[len] = '\0';
    int ended = pclose(stream);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
        fail_msg("%s: %s", command, output);
    return output;
}

/* One kind of SOURCE alone, then another one in the same place: linked with what it needs and
 * nothing more, and the others are refused in one line. */
static void test_clients(void **state)
{
    (void)state;
    static const struct {
        const char *build;
        const char *needed;
    } parts[] = {
        {"env -i PATH=\"$PATH\" make -s -j2 all CLIENTS=tools BUILD=$PLACE 2>&1",
         "libc.so.6\nlibfuse3\nlibjansson\n"},
        {"env -i PATH=\"$PATH\" make -s -j2 all CLIENTS=local BUILD=$PLACE 2>&1",
         "libc.so.6\nlibfuse3\nlibjansson\nlibseccomp\nlibsqlite3\n"},
    };
    char place[] = "/tmp/datasetfs-test-XXXXXX";
    assert_non_null(mkdtemp(place));
    assert_int_equal(setenv("PLACE", place, 1), 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        run(0, parts[i].build);
        assert_string_equal(
            run(0, "readelf -d $PLACE/datasetfs | sed -n 's/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p' | "
                   "sed '/^libc\\./!s/\\.so.*//' | grep -v -e pthread -e libdl -e ld-linux | sort"),
            parts[i].needed);
        assert_string_equal(run(2, i == 0 ? "$PLACE/datasetfs ls local:none.db 2>&1"
                                          : "$PLACE/datasetfs ls tools 2>&1"),
                            i == 0 ? "datasetfs: this datasetfs was built without local:FILE: "
                                     "expected tools\n"
                                   : "datasetfs: this datasetfs was built without tools: expected "
                                     "local:FILE\n");
    }
    assert_non_null(strstr(run(2, "env -i PATH=\"$PATH\" make -s all CLIENTS=x BUILD=$PLACE 2>&1"),
                           "expected one or more of local rest tools"));
    /* What is installed says which version it is: the newest that the changelog tells of. */
    run(0, "env -i PATH=\"$PATH\" make -s install CLIENTS=local BUILD=$PLACE DESTDIR=$PLACE/root");
    run(0, "version=$(sed -n 's/^## \\[*\\([0-9][0-9.]*\\).*/\\1/p' CHANGELOG.md | head -n 1) && "
           "cd $PLACE/root/usr/local && bin/datasetfs -V | grep \"^datasetfs $version \" && "
           "grep -x \".Os datasetfs $version\" share/man/man1/datasetfs.1 && "
           "grep -x \".Os datasetfs $version\" share/man/man8/datasetfs.8");
    run(0, "rm -r $PLACE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pkg_config),
        cmocka_unit_test(test_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
