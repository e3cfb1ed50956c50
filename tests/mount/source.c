#include "source.h"

#include "harness.h"
#include "sim.h"
#include "sim_rest.h"

#include <stdlib.h>
#include <string.h>

void source_use(const char *kind, const char *options)
{
    const char *source = HARNESS_SOURCE;
    if (strcmp(kind, "tools") == 0) {
        if (!sim_runs())
            sim_start(NULL);
        source = sim_source();
    } else if (strcmp(kind, "rest") == 0) {
        if (!sim_runs())
            sim_start_rest(NULL);
        source = sim_rest_source();
        options = sim_rest_options(options);
    } else {
        assert_string_equal(kind, "local");
    }
    assert_ok(setenv("S", source, 1));
    assert_ok(setenv("O", options, 1));
}
