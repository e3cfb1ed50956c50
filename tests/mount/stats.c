#include "stats.h"

#include "buf.h"
#include "cleanup.h"
#include "harness.h"
#include "shell.h"
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const operations[] = {"list",      "query", "create", "update", "destroy",
                                         "list_keys", "get",   "set",    "append", "remove"};

static void read_stats(const char *point, char text[16384])
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.2000s/.datasetfs/stats", point);
    ssize_t len = harness_read(path, text, 16384);
    if (len < 0)
        fail_msg("%s: %s", path, strerror((int)-len));
}

static uint64_t counter_in(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += len) {
        if ((at == text || at[-1] == '\n') && at[len] == ' ')
            return strtoull(at + len, NULL, 10);
    }
    fail_msg("stats have no %s:\n%s", name, text);
    return 0;
}

uint64_t stats_counter(const char *point, const char *name)
{
    char text[16384];
    read_stats(point, text);
    return counter_in(text, name);
}

uint64_t stats_requests(const char *point, const char *operation)
{
    char text[16384];
    read_stats(point, text);
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (operation && strcmp(operation, operations[i]) != 0)
            continue;
        char name[96];
        snprintf(name, sizeof name, "datasetfs_store_requests_total{operation=\"%s\"}",
                 operations[i]);
        sum += counter_in(text, name);
    }
    return sum;
}

/* The kernel's requests that may ask the store for what it has said more than 20 ms ago. */
static uint64_t kernel_looks(void)
{
    static const char *const opcodes[] = {"lookup", "getattr", "access", "open"};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
        char name[96];
        snprintf(name, sizeof name, "datasetfs_fuse_requests_total{opcode=\"%s\"}", opcodes[i]);
        sum += stats_counter("m", name);
    }
    return sum;
}

/* All requests of the mount "m": as the simulated host's log has them, where there is one, which
 * must be what the mount itself counts. */
uint64_t stats_changes(const char *point)
{
    return stats_requests(point, "set") + stats_requests(point, "append") +
           stats_requests(point, "remove");
}

static uint64_t all_requests(void)
{
    uint64_t counted = stats_requests("m", NULL);
    if (sim_runs()) {
        size_t logged = sim_log_count("command=") + sim_log_count("rest=");
        /* These are no operation on the store. */
        logged -= sim_log_count("rest=rest-login") + sim_log_count("rest=rest-vms");
        assert_int_equal(logged, counted);
    }
    return counted;
}

/* `format` with each "KEY" replaced, for the caller to free. */
static char *with_key(const char *format, const char *key)
{
    struct ds_buf out = {0};
    for (const char *at; (at = strstr(format, "KEY")); format = at + 3) {
        if (ds_buf_append(&out, format, (size_t)(at - format)) || ds_buf_puts(&out, key))
            fail();
    }
    if (ds_buf_puts(&out, format))
        fail();
    return out.data;
}

void stats_assert_budget(const char *shell, unsigned budget, void (*before)(const char *key),
                         const char *prepare, const char *command)
{
    static unsigned serial;
    uint64_t costs[STATS_TRIES] = {0};
    bool met = false;
    bool exceeded = false;
    for (size_t i = 0; i < STATS_TRIES && !met; i++) {
        char key[32];
        snprintf(key, sizeof key, "key%u", ++serial);
        if (before)
            before(key);
        char *first DS_AUTO_FREE = with_key(prepare ? prepare : ":", key);
        char *second DS_AUTO_FREE = with_key(command, key);
        const struct shell_result *ran = shell_run(shell, "%s", first);
        if (ran->status != 0)
            fail_msg("%s: status %d, %s", first, ran->status, ran->err);
        uint64_t looks = kernel_looks();
        uint64_t start = all_requests();
        ran = shell_run(shell, "%s", second);
        costs[i] = all_requests() - start;
        if (ran->status != 0)
            fail_msg("%s: status %d, %s", second, ran->status, ran->err);
        met = costs[i] == budget;
        exceeded = exceeded || costs[i] > budget + kernel_looks() - looks;
    }
    if (met && !exceeded)
        return;
    print_error("%s: %s: not %u requests but", shell, command, budget);
    for (size_t i = 0; i < STATS_TRIES; i++)
        print_error(" %llu", (unsigned long long)costs[i]);
    print_error("\n");
    fail();
}
