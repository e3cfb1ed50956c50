/* What changes while the simulator runs: lines "fault SPEC", "clear", "fired", "cuts", "expire",
 * "sessions", "most", "token", "after COMMAND N LINE" and what is about machines, each answered by
 * a line "ok", "ok WORD" or "error WORDS". */
#include "sim.h"

#include "cleanup.h"
#include "cut.h"
#include "out.h"

#include <errno.h>
#include <string.h>

#define LINE_BYTES 512
#define STORE_TIMEOUT_MS 60000

static void say(struct ds_buf *answer, int err)
{
    sim_out_format(answer, "%s%s\n", err ? "error " : "ok", err ? strerror(-err) : "");
}

/* Cuts the line at its first space; the rest is "" if there is none. */
static char *split(char *line)
{
    char *space = strchr(line, ' ');
    if (!space)
        return line + strlen(line);
    *space = '\0';
    return space + 1;
}

/* As a revert to a snapshot does: with its entries, whatever the machine's state. */
static int destroy(struct sim_host *host, const char *id, const char *dataset)
{
    struct sim_vm *vm = sim_vms_find(&host->vms, id);
    struct ds_client *store;
    struct ds_call call;
    ds_call_init(&call, STORE_TIMEOUT_MS);
    int err = vm ? sim_vms_take(&host->vms, vm, &store) : -ENOENT;
    if (err)
        return err;
    err = ds_client_destroy(store, &call, dataset, true);
    sim_vms_give(&host->vms, vm);
    return err;
}

static void tell_id(struct sim_host *host, const char *name, struct ds_buf *answer)
{
    const char *id = sim_vms_id_of(&host->vms, name);
    sim_out_format(answer, id ? "ok %s\n" : "error no such machine\n", id);
}

/* What is about machines and where they are. False if the word is about something else. */
static bool obey_about_machines(struct sim_host *host, const char *word, char *rest,
                                struct ds_buf *answer)
{
    struct sim_vms *vms = &host->vms;
    const char *id = rest;
    if (!strcmp(word, "state"))
        say(answer, sim_vms_set_state(vms, id, split(rest)));
    else if (!strcmp(word, "destroy"))
        say(answer, destroy(host, id, split(rest)));
    else if (!strcmp(word, "rename"))
        say(answer, sim_vms_rename(vms, id, split(rest)));
    else if (!strcmp(word, "move"))
        say(answer, sim_vms_move(vms, id, split(rest)));
    else if (!strcmp(word, "add"))
        say(answer, sim_vms_add(vms, rest));
    else if (!strcmp(word, "place"))
        say(answer, sim_vms_add_place(vms, rest));
    else if (!strcmp(word, "hide"))
        say(answer, sim_vms_hide(vms, rest));
    else if (!strcmp(word, "id"))
        tell_id(host, rest, answer);
    else
        return false;
    return true;
}

void sim_control_obey(struct sim_host *host, char *line, struct ds_buf *answer)
{
    const char *word = line;
    char *rest = split(line);
    if (!strcmp(word, "fault")) {
        int err = sim_faults_add(host->faults, rest);
        if (!err && !strncmp(rest, "cut-connection", 14))
            sim_cut_all();
        say(answer, err);
    } else if (!strcmp(word, "clear")) {
        sim_faults_clear(host->faults);
        say(answer, 0);
    } else if (!strcmp(word, "fired")) {
        sim_out_format(answer, "ok %llu\n", (unsigned long long)sim_faults_fired(host->faults));
    } else if (!strcmp(word, "cuts")) {
        sim_out_format(answer, "ok %llu\n", (unsigned long long)sim_cut_count());
    } else if (!strcmp(word, "expire")) {
        sim_rest_sessions_expire(host->sessions);
        say(answer, 0);
    } else if (!strcmp(word, "sessions")) {
        sim_out_format(answer, "ok %zu\n", sim_rest_sessions_count(host->sessions));
    } else if (!strcmp(word, "most")) {
        sim_out_format(answer, "ok %u\n", atomic_exchange(&host->most_under_way, 0));
    } else if (!strcmp(word, "token")) {
        char token[SIM_REST_TOKEN_BYTES];
        bool any = sim_rest_sessions_last(host->sessions, token);
        sim_out_format(answer, any ? "ok %s\n" : "error no session\n", token);
    } else if (!strcmp(word, "after")) {
        say(answer, sim_schedule_add(&host->schedule, rest));
    } else if (!obey_about_machines(host, word, rest, answer)) {
        sim_out_text(answer, "error unknown word\n");
    }
}

void sim_control_serve(struct sim_connection *connection)
{
    char line[LINE_BYTES];
    size_t len = 0;
    for (;;) {
        if (len == sizeof line - 1) {
            static const char too_long[] = "error the line is too long\n";
            sim_io_write(&connection->io, too_long, sizeof too_long - 1);
            return;
        }
        size_t got = sim_io_read(&connection->io, line + len, sizeof line - 1 - len);
        if (got == 0)
            return;
        len += got;
        for (char *end; (end = memchr(line, '\n', len));) {
            struct ds_buf answer DS_CLEANUP(ds_buf_free) = {0};
            *end = '\0';
            sim_control_obey(connection->host, line, &answer);
            if (!sim_io_write(&connection->io, answer.data, answer.len))
                return;
            len -= (size_t)(end + 1 - line);
            memmove(line, end + 1, len);
        }
    }
}
