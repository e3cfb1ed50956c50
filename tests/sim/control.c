/* Faults changed while the simulator runs: lines "fault SPEC", "clear" and "fired", each answered
 * by a line "ok", "ok NUMBER" or "error WORDS". */
#include "sim.h"

#include "cleanup.h"
#include "out.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES 512

static void obey(struct sim_faults *faults, const char *line, struct ds_buf *answer)
{
    if (!strncmp(line, "fault ", 6)) {
        int err = sim_faults_add(faults, line + 6);
        sim_out_format(answer, "%s%s\n", err ? "error " : "ok", err ? strerror(-err) : "");
    } else if (!strcmp(line, "clear")) {
        sim_faults_clear(faults);
        sim_out_text(answer, "ok\n");
    } else if (!strcmp(line, "fired")) {
        sim_out_format(answer, "ok %llu\n", (unsigned long long)sim_faults_fired(faults));
    } else {
        sim_out_text(answer, "error unknown word\n");
    }
}

void sim_control_serve(struct sim_connection *connection)
{
    char line[LINE_BYTES];
    size_t len = 0;
    for (;;) {
        size_t got = sim_io_read(&connection->io, line + len, sizeof line - 1 - len);
        if (got == 0)
            return;
        len += got;
        for (char *end; (end = memchr(line, '\n', len));) {
            struct ds_buf answer DS_CLEANUP(ds_buf_free) = {0};
            *end = '\0';
            obey(connection->host->faults, line, &answer);
            if (!sim_io_write(&connection->io, answer.data, answer.len))
                return;
            len -= (size_t)(end + 1 - line);
            memmove(line, end + 1, len);
        }
    }
}
