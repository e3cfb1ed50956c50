/* The matrix of real tools: each script of tests/mount/tools is a test of its own, on a fresh mount
 * and a fresh store. The scripts assert what the tool does; here it is asserted that no key was
 * ever sent to the store but those that the script names, until after the unmounting. Run from the
 * root of the source tree.
 *
 * Scripts with a line "# Heavy: yes" spend their time in the tool: under sanitizers they run only
 * if DATASETFS_TEST_HEAVY is set. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "shell.h"
#include "sim.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "tests/mount/tools"
#define SCRIPTS_MAX 96
#define SCRIPT_DEADLINE_MS (300000 * HARNESS_SLOWNESS)
#define HEAVY_DEADLINE_MS (HARNESS_TEST_MS - 10000)

/* Files of the scripts (lib.bash) in the test's directory. */
#define OUTPUT "script.out"
#define KEYS "keys" /* patterns of the keys that may be sent, one a line */
#define LATER                                                                                      \
    "later"       /* what is sent after the script's end: "set KEY" or "remove KEY", one a line */
#define END "end" /* the journal's last number at the script's end */

static char folder[PATH_MAX];
static char *names[SCRIPTS_MAX];
static struct CMUnitTest tests[SCRIPTS_MAX];

/* Every change of an entry, in order, whichever way it came. The daemon and the simulator know
 * nothing of it: a library lets triggers run in them. */
static const char journal_sql[] =
    "CREATE TABLE journal (n INTEGER PRIMARY KEY, operation TEXT, key TEXT);"
    "CREATE TRIGGER journal_insert AFTER INSERT ON entries"
    " BEGIN INSERT INTO journal (operation, key) VALUES ('set', NEW.key); END;"
    "CREATE TRIGGER journal_update AFTER UPDATE ON entries"
    " BEGIN INSERT INTO journal (operation, key) VALUES ('set', NEW.key); END;"
    "CREATE TRIGGER journal_delete AFTER DELETE ON entries"
    " BEGIN INSERT INTO journal (operation, key) VALUES ('remove', OLD.key); END;";

static sqlite3 *open_store(void)
{
    sqlite3 *store = NULL;
    assert_int_equal(sqlite3_open_v2("s.db", &store, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(store, HARNESS_SOON_MS);
    return store;
}

static void start_journal(void)
{
    sqlite3 *store = open_store();
    char *why = NULL;
    if (sqlite3_exec(store, journal_sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("no journal: %s", why);
    sqlite3_close(store);
}

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (!file || getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    if (file)
        fclose(file);
    assert_non_null(text);
    return text;
}

/* True if the key matches a line of `patterns`. */
static bool may_be_sent(const char *patterns, const char *key)
{
    for (const char *line = patterns; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char pattern[256];
        snprintf(pattern, sizeof pattern, "%.*s", (int)strcspn(line, "\n"), line);
        if (fnmatch(pattern, key, 0) == 0)
            return true;
    }
    return false;
}

/* Number of keys in the journal that were not to be sent; they are printed. */
static unsigned check_journal(const char *patterns)
{
    sqlite3 *store = open_store();
    sqlite3_stmt *rows = NULL;
    unsigned bad = 0;
    assert_int_equal(sqlite3_prepare_v2(store, "SELECT DISTINCT key FROM journal", -1, &rows, NULL),
                     SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(rows, 0);
        if (may_be_sent(patterns, key))
            continue;
        print_error("the store was given a key that was not meant to exist: '%s'\n", key);
        bad++;
    }
    sqlite3_finalize(rows);
    sqlite3_close(store);
    return bad;
}

/* The same for the requests that the simulator saw, also those that it refused. */
static unsigned check_requests(const char *patterns)
{
    static const char *const commands[] = {"=datasets-set-entry ", "=datasets-delete-entry ",
                                           "=rest-set ", "=rest-remove "};
    FILE *file = fopen(SIM_LOG, "re");
    char *line DS_AUTO_FREE = NULL;
    size_t size = 0;
    unsigned bad = 0;
    while (file && getline(&line, &size, file) > 0) {
        bool change = false;
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            change = change || strstr(line, commands[i]);
        const char *key = strstr(line, " key=\"");
        if (!key)
            key = strstr(line, " [\"");
        if (!change || !key)
            continue;
        key = strchr(key, '"') + 1;
        char name[512];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(key, "\""), key);
        if (may_be_sent(patterns, name))
            continue;
        print_error("a request named a key that was not meant to exist: %s", line);
        bad++;
    }
    if (file)
        fclose(file);
    return bad;
}

/* What was sent after the script's end and by the unmounting, as lines like those of LATER. */
static char *sent_since(long long number)
{
    sqlite3 *store = open_store();
    sqlite3_stmt *rows = NULL;
    char *all = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&all, &size);
    assert_non_null(text);
    assert_int_equal(
        sqlite3_prepare_v2(store, "SELECT operation, key FROM journal WHERE n > ?1 ORDER BY n", -1,
                           &rows, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(rows, 1, number);
    while (sqlite3_step(rows) == SQLITE_ROW)
        fprintf(text, "%s %s\n", (const char *)sqlite3_column_text(rows, 0),
                (const char *)sqlite3_column_text(rows, 1));
    sqlite3_finalize(rows);
    sqlite3_close(store);
    fclose(text);
    return all;
}

static bool is_heavy(const char *path)
{
    char *text DS_AUTO_FREE = file_text(path);
    return strstr(text, "\n# Heavy: yes\n") != NULL;
}

/* Runs the script on its mount until after the unmounting. False, with the reasons printed, if it
 * failed or if something was sent that it does not name. */
static bool script_holds(const char *name, const char *path, int64_t deadline_ms)
{
    sim_preload("KEEPTRIGGERS", "libkeeptriggers.so");
    struct harness_daemon *daemon = harness_start("m", NULL);
    sim_preload_end();
    pid_t pid = shell_spawn("bash", "exec bash '%s' > " OUTPUT " 2>&1", path);
    int status = harness_wait_child(pid, deadline_ms, true);
    if (status != 0) {
        print_error("%s: %s %d\n", name, status < 0 ? "did not end in time," : "exit status",
                    status);
        harness_print_file(OUTPUT);
    }
    harness_stop(daemon);

    char *patterns DS_AUTO_FREE = file_text(KEYS);
    char *expected DS_AUTO_FREE = file_text(LATER);
    char *end DS_AUTO_FREE = file_text(END);
    char *late DS_AUTO_FREE = sent_since(strtoll(end, NULL, 10));
    bool well = check_journal(patterns) + check_requests(patterns) == 0;
    if (status == 0 && strcmp(late, expected) != 0) {
        print_error("%s: after its end, the store was sent '%s', not '%s'\n", name, late, expected);
        well = false;
    }
    return status == 0 && well;
}

static void run_script(void **state)
{
    const char *name = *state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.2000s/%.200s", folder, name);
    bool heavy = is_heavy(path);
    if (heavy && HARNESS_SLOWNESS > 1 && !getenv("DATASETFS_TEST_HEAVY"))
        skip();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    start_journal();
    assert_true(script_holds(name, path, heavy ? HEAVY_DEADLINE_MS : SCRIPT_DEADLINE_MS));
}

static int is_script(const struct dirent *entry)
{
    return fnmatch("*.sh", entry->d_name, 0) == 0;
}

/* One test per script, or those that are named on the command line. */
static size_t find_scripts(int argc, char **argv)
{
    struct dirent **entries = NULL;
    size_t count = 0;
    int found = realpath(FOLDER, folder) ? scandir(folder, &entries, is_script, alphasort) : -1;
    if (found < 0) {
        fprintf(stderr, "no %s here: run this from the root of the source tree\n", FOLDER);
        exit(1);
    }
    for (int i = 0; i < found; i++) {
        bool wanted = argc < 2;
        for (int j = 1; j < argc; j++)
            wanted = wanted || !strcmp(argv[j], entries[i]->d_name);
        if (wanted && count < SCRIPTS_MAX) {
            names[count] = strdup(entries[i]->d_name);
            tests[count] = (struct CMUnitTest){names[count], run_script, harness_setup,
                                               harness_teardown, names[count]};
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = find_scripts(argc, argv);
    harness_begin();
    int failed = _cmocka_run_group_tests("tools", tests, count, NULL, NULL);
    harness_end();
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    return failed > 0;
}
