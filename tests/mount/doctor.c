/* `datasetfs doctor` in tests. */
#include "doctor.h"

#include "harness.h"
#include "peer.h"
#include "sim.h"
#include "sim_rest.h"
#include "source.h"

#include <stdio.h>
#include <stdlib.h>

size_t doctor_lines(const char *out, const char *verdict, const char *what, const char *words)
{
    char begin[64];
    size_t count = 0;
    snprintf(begin, sizeof begin, "%-8s %s: ", verdict, what);
    while (*out) {
        size_t len = strcspn(out, "\n");
        const char *found = memmem(out, len, words, strlen(words));
        count += strncmp(out, begin, strlen(begin)) == 0 && found;
        out += len + (out[len] == '\n');
    }
    return count;
}

void doctor_check(int line, const struct shell_result *ran, int status, const char *verdict,
                  const char *what, const char *words)
{
    bool secret = strstr(ran->out, SIM_PASSWORD) || strstr(ran->err, SIM_PASSWORD);
    if (ran->status == status && doctor_lines(ran->out, verdict, what, words) > 0 && !secret)
        return;
    fail_msg("line %d: status %d, not %d, and no '%s' of %s with '%s':\n%s%s", line, ran->status,
             status, verdict, what, words, ran->out, ran->err);
}

void doctor_assert_healthy(const struct shell_result *ran)
{
    if (ran->status != 0 || strstr(ran->out, "FAILED") || ran->err_len)
        fail_msg("status %d:\n%s%s", ran->status, ran->out, ran->err);
    assert_int_equal(doctor_lines(ran->out, "ok", "list", ""), 1);
    assert_int_equal(doctor_lines(ran->out, "ok", "get", ""), 1);
    assert_null(strstr(ran->out, SIM_PASSWORD));
}

void doctor_make_app(void)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "secret value");
}

void doctor_start_rest(void)
{
    doctor_make_app();
    source_use("rest", "timeout=20");
}
