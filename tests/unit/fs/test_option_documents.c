/* The help, the README and the manual name the same options, and the command line takes them. Run
 * from the root of the source tree. */
#include "fs/command_line.h"
#include "fs/help.h"

#include "command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USAGE "usage: datasetfs SOURCE MOUNTPOINT [-o OPTION,...]"

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: %s (run the tests from the root of the source tree)", path, strerror(errno));
    char *text = NULL;
    size_t size = 0;
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    return text;
}

#define NAMES_MAX 64

struct names {
    char name[NAMES_MAX][40];
    size_t count;
};

/* Collects the words that follow `before` at the beginning of a line, between the line `from` and
 * the next line that begins with `to`. */
static void collect(const char *text, const char *from, const char *to, const char *before,
                    struct names *out)
{
    const char *line = strstr(text, from);
    if (!line) {
        fail_msg("there is no \"%s\"", from);
        return;
    }
    for (line = strchr(line, '\n'); line && strncmp(line + 1, to, strlen(to)) != 0;
         line = strchr(line + 1, '\n')) {
        if (strncmp(line + 1, before, strlen(before)) != 0)
            continue;
        const char *word = line + 1 + strlen(before);
        size_t len = strcspn(word, "= `\n");
        assert_true(out->count < NAMES_MAX && len < sizeof out->name[0]);
        memcpy(out->name[out->count], word, len);
        out->name[out->count++][len] = '\0';
    }
}

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->name[i], name))
            return true;
    return false;
}

static void assert_same(const char *what, const struct names *help, const struct names *document)
{
    for (size_t i = 0; i < help->count; i++)
        if (!has_name(document, help->name[i]))
            fail_msg("%s does not name the option '%s'", what, help->name[i]);
    for (size_t i = 0; i < document->count; i++)
        if (!has_name(help, document->name[i]))
            fail_msg("%s names '%s', which is not in -h", what, document->name[i]);
}

static void test_documents(void **state)
{
    (void)state;
    struct names help = {0}, readme = {0}, manual = {0}, help_flags = {0}, manual_flags = {0};
    collect(fs_help(), "Options (-o)", "never", "  ", &help);
    collect(fs_help(), "Flags:", "Options", "  -", &help_flags);
    assert_true(help.count >= 20 && help_flags.count == 4);

    char *text = read_file("README.md");
    collect(text, "## Options", "## ", "| `", &readme);
    assert_same("README.md", &help, &readme);
    free(text);

    text = read_file("fs/datasetfs.8");
    collect(text, ".Sh OPTIONS", ".Sh", ".It Cm ", &manual);
    collect(text, ".Sh DESCRIPTION", ".Sh", ".It Fl ", &manual_flags);
    assert_same("fs/datasetfs.8", &help, &manual);
    /* -o stands in the usage line of -h. */
    strcpy(help_flags.name[help_flags.count++], "o");
    assert_same("fs/datasetfs.8", &help_flags, &manual_flags);
    free(text);
}

static void test_commands(void **state)
{
    (void)state;
    struct names help = {0}, manual = {0};
    collect(fs_help(), "Commands, which", "\n", "  ", &help);
    assert_true(help.count >= 12);
    char *text = read_file("client/command/datasetfs.1");
    collect(text, ".Sh DESCRIPTION", ".Sh", ".It Cm ", &manual);
    assert_same("client/command/datasetfs.1", &help, &manual);
    free(text);
    for (size_t i = 0; i < help.count; i++)
        assert_true(ds_command_is(help.name[i]));
}

/* Each option that -h shows is one that the command line takes. */
static void test_help(void **state)
{
    (void)state;
    struct fs_options options;
    char why[DS_OPTION_WHY_BYTES];
    const char *text = fs_help();
    assert_ptr_equal(text, fs_help());
    assert_non_null(strstr(text, USAGE));
    assert_int_equal(text[strlen(text) - 1], '\n');
    struct names help = {0};
    collect(text, "Options (-o)", "never", "  ", &help);
    for (size_t i = 0; i < help.count; i++) {
        char *argv[] = {"datasetfs", "https://h/vm-1", "m", "-o", help.name[i], NULL};
        if (fs_command_line_parse(&options, 5, argv, why))
            assert_non_null(strstr(why, "needs a value"));
        fs_options_clear(&options);
    }
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") <= 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
