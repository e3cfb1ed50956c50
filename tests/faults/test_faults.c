/* Each fault with each operation over one kind of SOURCE: what the caller is told, what the store
 * holds after that, and that the daemon has given back what it took. The table of it is in
 * SECURITY.md; CONTRIBUTING.md says how to add a fault.
 *
 * Without FAULTS=all in the environment, one operation for each fault, and of the bytes at which a
 * reply is cut, a few. With FAULTS_TABLE=FILE the table goes there too. */
#include "attempt.h"
#include "document.h"
#include "resources.h"

#include "cleanup.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEPS_MAX = 400, ROW_MAX = 4096, REPEATS = 3, MISSES_MAX = 2, TRIES = 20 };

/* Bytes of a reply at which it is cut where not all are tried. */
static const size_t some_bytes[] = {0, 1, 3, 17, 46};

static struct {
    struct document document;
    struct harness_daemon *daemon;
    struct resources before; /* of the daemon, before the first fault */
    bool all;
    bool large;          /* it was mounted for such replies */
    unsigned long names; /* of attempts so far */
    unsigned long wrong; /* attempts, and rows */
    unsigned long lost;  /* changes that were acknowledged, or values that were there, and are not
                          */
    unsigned long twice;
    unsigned long attempts;
    char *section;       /* of SECURITY.md; NULL: none yet */
    struct attempt *row; /* of the fault that is tried */
    size_t row_count;
} run;

static void complain(const struct attempt *attempt, const char *why)
{
    print_error("%s, %s, step %zu: told %s, the store holds %d, struck %llu times: %s\n",
                attempt->fault->name, attempt->operation->name, attempt->step,
                cell_told(attempt->told), attempt->after, (unsigned long long)attempt->fired, why);
    run.wrong++;
    run.lost += strncmp(why, "LOST", 4) == 0;
    run.twice += strncmp(why, "TWICE", 5) == 0;
}

static struct attempt *run_one(const struct fault *fault, const struct operation *operation,
                               size_t step, const char *command)
{
    struct attempt *attempt = &run.row[run.row_count];
    assert_true(run.row_count < ROW_MAX);
    *attempt = (struct attempt){.fault = fault,
                                .operation = operation,
                                .daemon = run.daemon,
                                .way = run.document.way,
                                .step = step,
                                .command = command};
    snprintf(attempt->name, sizeof attempt->name, "k%lu", ++run.names);
    harness_prolong();
    attempt_run(attempt);
    run.row_count++;
    run.attempts++;
    const char *why = attempt_wrong(attempt);
    if (!why && !attempt->fired && attempt->told != 0 && !attempt->disturbed)
        why = "an error without a fault";
    if (why)
        complain(attempt, why);
    return attempt;
}

/* One attempt that is not disturbed; `command`: NULL, or the request to strike. False if the
 * operation makes fewer requests, or a reply has fewer bytes. */
static bool try_command(const struct fault *fault, const struct operation *operation, size_t step,
                        const char *command, struct cell *cell)
{
    const struct attempt *attempt = run_one(fault, operation, step, command);
    for (size_t tries = 1; attempt->disturbed && tries < TRIES; tries++)
        attempt = run_one(fault, operation, step, command);
    if (attempt->disturbed)
        complain(attempt, "the deadline comes without the fault, again and again");
    if ((!attempt->fired && !operation->asks_nothing) || attempt->past)
        return false;
    cell_add(cell, attempt->told, attempt->after);
    cell->attempts++;
    cell->fired += attempt->fired;
    return true;
}

static bool try(const struct fault *fault, const struct operation *operation, size_t step,
                struct cell *cell)
{
    return try_command(fault, operation, step, NULL, cell);
}

static bool has_steps(const struct fault *fault)
{
    return !fault->trouble && fault->manner != MANNER_OWN;
}

/* One of those that take the whole deadline and are all the same. */
static bool waits(const struct fault *fault)
{
    return fault->varies && !fault->trouble;
}

static void try_bytes(const struct fault *fault, const struct operation *operation,
                      struct cell *cell)
{
    size_t steps = run.all ? STEPS_MAX : sizeof some_bytes / sizeof *some_bytes;
    for (size_t i = 0; i < steps; i++)
        if (!try(fault, operation, run.all ? i : some_bytes[i], cell))
            return;
}

/* Each request in turn. How many there are depends on how quick the machine is, since what is known
 * is not asked for at once again: so a miss is tried again, and the requests that make the change
 * are struck by their names too. */
static void try_requests(const struct fault *fault, const struct operation *operation,
                         struct cell *cell)
{
    const char *const own[] = {operation->command[run.document.way],
                               operation->second[run.document.way]};
    size_t misses = 0;
    for (size_t step = 0; step < STEPS_MAX && misses < MISSES_MAX;) {
        bool struck = try(fault, operation, step, cell);
        misses = struck ? 0 : misses + 1;
        step += struck;
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i] && operation->look)
            try_command(fault, operation, 0, own[i], cell);
}

static void fill_cell(const struct fault *fault, const struct operation *operation,
                      struct cell *cell)
{
    bool bytes = fault->manner == MANNER_EACH_BYTE || fault->manner == MANNER_EACH_BYTE_ONCE;
    if (operation->asks_nothing || !has_steps(fault)) {
        size_t times = run.all && !waits(fault) ? REPEATS : 1;
        for (size_t i = 0; i < times; i++)
            try(fault, operation, i, cell);
        return;
    }
    if (bytes) {
        try_bytes(fault, operation, cell);
        return;
    }
    try_requests(fault, operation, cell);
}

/* What came late, when all of a row is over; then it is cleared away. */
static void end_row(void)
{
    for (size_t i = 0; i < run.row_count; i++) {
        struct attempt *attempt = &run.row[i];
        bool known = attempt_wrong(attempt) != NULL;
        attempt_look_again(attempt);
        const char *why = attempt_wrong(attempt);
        if (why && !known)
            complain(attempt, why);
        attempt->operation->forget(attempt->name);
    }
    run.row_count = 0;
}

/* True for all of them; else for one, another one for the next fault and the next way, and for a
 * third of the faults where two ways are alike and where all wait. */
static bool is_chosen(size_t fault, size_t operation)
{
    enum way way = run.document.way;
    size_t concerned = 0, position = 0;
    if (run.all)
        return true;
    if ((way == WAY_MACHINES || waits(&faults[fault])) && fault % 3 != 0)
        return false;
    for (size_t i = 0; i < operation_count; i++) {
        bool concerns = fault_concerns(&faults[fault], &operations[i], way);
        position += concerns && i < operation;
        concerned += concerns;
    }
    return concerned > 0 && position == (fault * 5 + (size_t)way * 3) % concerned;
}

/* What is seen must be among what stands in the document. */
static void compare(size_t fault, size_t operation)
{
    const struct cell *cell = document_cell(&run.document, fault, operation);
    char *written DS_AUTO_FREE =
        document_find(run.section, &faults[fault], run.document.way, &operations[operation]);
    char *seen DS_AUTO_FREE = cell_text(cell);
    if (!written || !cell_is_within(cell, written)) {
        print_error("%s, %s: seen: %s; in SECURITY.md: %s (CONTRIBUTING.md: make faults)\n",
                    faults[fault].name, operations[operation].name, seen,
                    written ? written : "nothing");
        run.wrong++;
    } else if (run.all && strcmp(seen, written) != 0) {
        printf("%s, %s: seen: %s; of %s\n", faults[fault].name, operations[operation].name, seen,
               written);
    }
}

/* What is told varies: the words are those that may be. */
static void spread(const struct fault *fault, const struct operation *operation, struct cell *cell)
{
    if (!fault->varies || operation->asks_nothing)
        return;
    if (fault->may_work)
        cell_add(cell, 0, AFTER_NEW);
    for (size_t i = 0; i < FAULT_TOLD_MAX && fault->told[i]; i++)
        cell_add(cell,
                 fault->told[i] == ETIMEDOUT || !operation->read_words ? fault->told[i]
                                                                       : TOLD_REFUSED,
                 AFTER_OLD);
    if (operation->look && fault->may_be_done)
        for (size_t i = 0; i < FAULT_TOLD_MAX && fault->told[i]; i++)
            cell_add(cell, fault->told[i], AFTER_NEW);
}

static void mount_for(const struct fault *fault)
{
    if (run.large == fault->large)
        return;
    run.large = fault->large;
    run.daemon = way_remount(run.daemon, run.large);
    resources_read(run.daemon->worker, &run.before);
}

static void fill_row(size_t fault)
{
    bool any = false;
    mount_for(&faults[fault]);
    for (size_t i = 0; i < operation_count; i++) {
        if (!fault_concerns(&faults[fault], &operations[i], run.document.way) ||
            !is_chosen(fault, i))
            continue;
        struct cell *cell = document_cell(&run.document, fault, i);
        fill_cell(&faults[fault], &operations[i], cell);
        any = any || !operations[i].asks_nothing;
        if (!cell->fired && !operations[i].asks_nothing) {
            print_error("%s, %s: the fault did not strike\n", faults[fault].name,
                        operations[i].name);
            run.wrong++;
        }
        spread(&faults[fault], &operations[i], cell);
        compare(fault, i);
    }
    end_row();
    if (any && !resources_are_back(run.daemon->worker, &run.before)) {
        print_error("%s: the daemon has not given back what it took\n", faults[fault].name);
        run.wrong++;
    }
}

static void begin(void)
{
    const char *wanted = getenv("FAULTS");
    enum way way = way_of_run();
    run.all = wanted && strcmp(wanted, "all") == 0;
    run.document.way = way;
    run.document.cells = calloc(fault_count * operation_count, sizeof *run.document.cells);
    run.row = calloc(ROW_MAX, sizeof *run.row);
    assert_true(run.document.cells && run.row);
    fault_write_replies(way);
    run.daemon = way_begin(way);
    resources_read(run.daemon->worker, &run.before);
}

static void keep(const char *table)
{
    const char *folder = getenv("FAULTS_TABLES");
    char path[PATH_MAX];
    if (!folder || !*folder)
        return;
    snprintf(path, sizeof path, "%s/%s.md", folder, way_name(run.document.way));
    assert_int_equal(harness_write(path, O_CREAT | O_TRUNC, table), 0);
}

static void print(void)
{
    char *table DS_AUTO_FREE = document_print(&run.document, run.lost, run.twice);
    if (run.all) {
        printf("%s", table);
        keep(table);
    }
    printf("%lu attempts, %lu lost, %lu twice\n", run.attempts, run.lost, run.twice);
    if (!document_has_rows(run.section, run.document.way)) {
        print_error("SECURITY.md has rows of other faults: \"make faults-document\"\n");
        run.wrong++;
    }
}

static void test_matrix(void **state)
{
    const char *only = getenv("FAULTS_ONLY");
    regex_t pattern;
    (void)state;
    assert_int_equal(regcomp(&pattern, only ? only : "", REG_EXTENDED | REG_NOSUB), 0);
    begin();
    for (size_t i = 0; i < fault_count; i++)
        if (regexec(&pattern, faults[i].name, 0, NULL, 0) == 0)
            fill_row(i);
    regfree(&pattern);
    print();
    free(run.document.cells);
    free(run.row);
    free(run.section);
    assert_int_equal(run.wrong, 0);
}

static const struct CMUnitTest tests[] = {HARNESS_TEST(test_matrix)};

/* The document is read before the harness leaves for a directory of its own. */
int main(void)
{
    run.section = document_read(way_of_run());
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
