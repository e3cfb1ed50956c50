/* The protocol "local" for the suite. */
#include "contract.h"
#include "target.h"

#include <stdio.h>

int contract_open_local(const char *directory, enum ds_side side, struct ds_call *call,
                        struct ds_client **out)
{
    struct ds_source_options options = {.side = side, .side_given = true};
    char *source = NULL;
    if (asprintf(&source, "local:%s/store", directory) < 0)
        return -ENOMEM;
    int err = ds_source_open(source, &options, call, out);
    free(source);
    return err;
}
