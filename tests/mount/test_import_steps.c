/* What an import does step by step: in which order, how our own access is widened and narrowed
 * again, what is refused beforehand, and that nothing follows a step that failed. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "sim.h"
#include "sim_rest.h"
#include "source.h"

#include <stdio.h>
#include <stdlib.h>

/* A document "e" for which "app" needs a step of each kind, in this order. */
static void make_all_steps(void)
{
    peer_create("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "value");
    assert_sh_ok("dash", "", "$DATASETFS export local:s.db >e");
    peer_update("app", &(struct ds_attributes){.description = (char *)"other",
                                               .host = DS_ACCESS_READ_WRITE});
    peer_set("app", "k", "other");
    peer_set("app", "y", "more");
    peer_set("app", "z", "more");
    source_use("rest", "timeout=60");
}

static const char steps[] =
    "grep -oE 'rest-(update|set|remove) ' " SIM_LOG " | tr -d '\\n'; : >" SIM_LOG;

static void test_order(void **state)
{
    (void)state;
    make_all_steps();
    assert_sh_ok("dash", "", "$DATASETFS import --replace -o $O $S e");
    assert_sh_ok("dash", "rest-update rest-set rest-remove rest-remove rest-update ", steps);
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
}

/* After a step that fails come none, and it is not said to be done. */
static void test_stops(void **state)
{
    static const struct {
        const char *fault;
        const char *steps;
        const char *done;
    } rows[] = {
        {"rest-update", "rest-update ", "0 of 1 DataSets and 0 of 1 entries"},
        {"rest-set", "rest-update rest-set ", "0 of 1 DataSets and 0 of 1 entries"},
        {"rest-remove", "rest-set rest-remove ", "0 of 1 DataSets and 1 of 1 entries"},
        {"rest-update", "rest-remove rest-remove rest-update ",
         "0 of 1 DataSets and 0 of 0 entries"},
    };
    (void)state;
    make_all_steps();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sim_fault("error=UNAUTHORIZED:command=%s", rows[i].fault);
        const struct shell_result *ran =
            shell_run("dash", ": >" SIM_LOG "; $DATASETFS import --replace -o $O $S e");
        assert_int_equal(ran->status, 3);
        assert_non_null(strstr(ran->err, rows[i].done));
        sim_clear();
        assert_sh_ok("dash", rows[i].steps, steps);
    }
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
}

/* What the host may only read is opened for the change and closed again, whether it is there or
 * made anew. */
static void test_read_only(void **state)
{
    peer_create("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "value");
    source_use(*state, "timeout=60");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S >e");
    peer_set("app", "k", "other");
    assert_sh_ok("dash", "", "$DATASETFS import --replace -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
    peer_set("app", "more", "v");
    assert_sh_ok("dash", "", "$DATASETFS import --replace -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
    peer_destroy("app");
    assert_sh_ok("dash", "", "$DATASETFS import -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
    peer_access("app", DS_ACCESS_NONE, DS_ACCESS_READ_WRITE);
    assert_sh_fails("dash", "app may not be read: give this side access first; nothing was changed",
                    "$DATASETFS import --replace -o $O $S e");
    assert_store("app", "k", "value");
}

/* Access that is to become wider is another attribute like others. */
static void test_wider(void **state)
{
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_set("app", "k", "value");
    source_use(*state, "timeout=60");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S >e");
    peer_access("app", DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE);
    assert_sh_fails("dash", "app is there with other attributes", "$DATASETFS import -o $O $S e");
    assert_sh_ok("dash", "1\n", "$DATASETFS info -o $O $S app | grep -c '\"host\": \"READ_ONLY\"'");
    assert_sh_ok("dash", "", "$DATASETFS import --replace -o $O $S e");
    assert_sh_ok("dash", "", "$DATASETFS export -o $O $S | cmp - e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(test_order),
        HARNESS_TEST(test_stops),
        {"test_read_only (local)", test_read_only, harness_setup, harness_teardown, "local"},
        {"test_read_only (rest)", test_read_only, harness_setup, harness_teardown, "rest"},
        {"test_wider (local)", test_wider, harness_setup, harness_teardown, "local"},
        {"test_wider (rest)", test_wider, harness_setup, harness_teardown, "rest"},
    };
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    return failed > 0;
}
