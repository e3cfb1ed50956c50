/* What bash and zsh offer behind `datasetfs`, from a store that is there. */
#include "harness.h"

#include "peer.h"
#include "shell.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[PATH_MAX];

static const struct {
    const char *line;   /* up to the cursor */
    const char *offers; /* that it can be completed with, among others */
    const char * not ;  /* and with none of these; "": with nothing else either */
} lines[] = {
    {"datasetfs ", "ls get export wait tools local:", "app"},
    {"datasetfs ge", "get", ""},
    {"datasetfs get local:s.db ", "app other", ""},
    {"datasetfs get local:s.db ap", "app", ""},
    {"datasetfs get -o timeout=3 local:s.db app ", "key a%2Fb", "app"},
    {"datasetfs rm local:s.db app key ", "key", "app"},
    {"datasetfs get local:none.db ", "", ""},
    {"datasetfs get local:machines/ ", "", ""},
    {"datasetfs ls -o ro,mach", "ro,machines=", ""},
    {"datasetfs -o ro,uma", "ro,umask=", "umask= timeout="},
    {"datasetfs wait --e", "--equals --exists", "--gone"},
};

static void make_store(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "key", "v");
    peer_set("app", "a/b", "v");
    assert_sh_ok(
        "dash", "",
        "mkdir bin machines && ln -s $DATASETFS bin/datasetfs && cp s.db machines/web-01.db");
}

static bool has_word(const char *words, const char *word, size_t len)
{
    for (const char *at = words; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n'))
        if (strcspn(at, "\n") == len && !strncmp(at, word, len))
            return true;
    return false;
}

/* Each of the words, which have spaces between them, is on a line of its own in `out`, or none. */
static void check_words(const char *line, const char *out, const char *words, bool wanted)
{
    for (const char *word = words; *word; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");
        if (has_word(out, word, len) != wanted)
            fail_msg("%s: '%.*s' is %soffered among '%s'", line, (int)len, word,
                     wanted ? "not " : "", out);
        word += len;
    }
}

static size_t count_words(const char *words, char between)
{
    size_t count = 0;
    for (const char *at = words; *at; at++)
        count += *at != between && (at == words || at[-1] == between);
    return count;
}

static void check(size_t i, const char *out)
{
    check_words(lines[i].line, out, lines[i].offers, true);
    check_words(lines[i].line, out, lines[i].not, false);
    if (!*lines[i].not )
        assert_int_equal(count_words(out, '\n'), count_words(lines[i].offers, ' '));
}

static void test_bash(void **state)
{
    (void)state;
    make_store();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct shell_result *ran =
            shell_run("bash",
                      "PATH=$PWD/bin:$PATH; . %s/datasetfs.bash; compopt() { :; }; "
                      "COMP_LINE='%s'; COMP_POINT=${#COMP_LINE}; _datasetfs; "
                      "[ ${#COMPREPLY[@]} -eq 0 ] || printf '%%s\\n' \"${COMPREPLY[@]}\"",
                      folder, lines[i].line);
        assert_string_equal(ran->err, "");
        check(i, ran->out);
    }
    assert_sh_ok("bash", "complete -o default -F _datasetfs datasetfs\n",
                 ". %s/datasetfs.bash; complete -p datasetfs", folder);
    /* A directory of stores is a SOURCE with its slash, and the way to one of them. */
    assert_sh_ok("bash", "machines/\n",
                 "PATH=$PWD/bin:$PATH; . %s/datasetfs.bash; compopt() { :; }; "
                 "COMP_LINE='datasetfs ls local:mach'; COMP_POINT=${#COMP_LINE}; _datasetfs; "
                 "printf '%%s\n' ${COMPREPLY[@]}",
                 folder);
    assert_sh_ok("bash", "machines/web-01.db\n",
                 "PATH=$PWD/bin:$PATH; . %s/datasetfs.bash; compopt() { :; }; "
                 "COMP_LINE='datasetfs get local:machines/'; COMP_POINT=${#COMP_LINE}; _datasetfs; "
                 "printf '%%s\n' ${COMPREPLY[@]}",
                 folder);
    /* bash replaces what stands behind the colon. */
    assert_sh_ok("bash", "s.db\n",
                 "PATH=$PWD/bin:$PATH; . %s/datasetfs.bash; compopt() { :; }; "
                 "COMP_LINE='datasetfs ls local:s.d'; COMP_POINT=${#COMP_LINE}; _datasetfs; "
                 "printf '%%s\\n' ${COMPREPLY[@]}",
                 folder);
}

/* zsh's own part, to filter by what is typed, is done here by grep. */
static void test_zsh(void **state)
{
    (void)state;
    if (shell_run("dash", "command -v zsh")->status)
        skip();
    make_store();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *current = strrchr(lines[i].line, ' ') + 1;
        const char *comma = strrchr(current, ',');
        int prefix = comma ? (int)(comma + 1 - current) : 0;
        const struct shell_result *ran = shell_run(
            "dash",
            "PATH=$PWD/bin:$PATH exec zsh -f -c '"
            "compadd() { while [[ $1 == -* && $1 != -- ]]; do [[ $1 == -S ]] && shift; shift; "
            "done; "
            "shift; print -rl -- $@; }; compset() { [[ $2 == \"*,\" ]]; }; _files() { :; }; "
            "words=(${(s: :)1}); [[ $1 == *\" \" ]] && words+=(\"\"); CURRENT=$#words; "
            "source %s/_datasetfs' zsh '%s' | grep -e '^%s' | sed 's/^/%.*s/'",
            folder, lines[i].line, current + prefix, prefix, current);
        assert_string_equal(ran->err, "");
        check(i, ran->out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {HARNESS_TEST(test_bash), HARNESS_TEST(test_zsh)};
    if (!realpath("scripts/completion", folder)) { /* run from the root of the tree */
        fprintf(stderr, "scripts/completion: %s\n", strerror(errno));
        return 1;
    }
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
