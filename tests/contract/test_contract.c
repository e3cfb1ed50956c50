/* Runs the contract suite for each protocol; a new one is one line in `targets`. */
#include "contract.h"
#include "target.h"

#include <stdio.h>

static const struct contract_target targets[] = {
    {.name = "local", .open = contract_open_local},
    {.name = "tools",
     .open = contract_open_tools,
     .end = contract_end_tools,
     .tested = DS_SIDE_GUEST},
    {.name = "tools otherwise",
     .open = contract_open_tools_otherwise,
     .end = contract_end_tools,
     .tested = DS_SIDE_GUEST},
    {.name = "tools:vmtoolsd",
     .open = contract_open_vmtoolsd,
     .end = contract_end_vmtoolsd,
     .tested = DS_SIDE_GUEST,
     .missing = contract_missing_vmtoolsd},
    {.name = "rest", .open = contract_open_rest, .end = contract_end_rest, .tested = DS_SIDE_HOST},
    {.name = "rest otherwise",
     .open = contract_open_rest_otherwise,
     .end = contract_end_rest,
     .tested = DS_SIDE_HOST},
};

int main(void)
{
    const struct contract_part *const parts[] = {&contract_dataset_part, &contract_entry_part,
                                                 &contract_limit_part, &contract_together_part};
    int failed = 0;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (targets[i].missing && targets[i].missing()) {
            printf("%s is left out: this machine does not have it\n", targets[i].name);
            continue;
        }
        contract_choose(&targets[i]);
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
            char name[64];
            snprintf(name, sizeof name, "%s: %s", targets[i].name, parts[j]->name);
            failed += _cmocka_run_group_tests(name, parts[j]->tests, parts[j]->count, NULL, NULL);
        }
    }
    return failed != 0;
}
