/* Runs the contract suite for each protocol; a new one is one line in `targets`. */
#include "contract.h"
#include "target.h"

#include <stdio.h>

static const struct contract_target targets[] = {
    {"local", contract_open_local, NULL},
    {"tools", contract_open_tools, contract_end_tools},
    {"tools otherwise", contract_open_tools_otherwise, contract_end_tools},
};

int main(void)
{
    const struct contract_part *const parts[] = {&contract_dataset_part, &contract_entry_part,
                                                 &contract_limit_part, &contract_together_part};
    int failed = 0;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        contract_choose(&targets[i]);
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
            char name[64];
            snprintf(name, sizeof name, "%s: %s", targets[i].name, parts[j]->name);
            failed += _cmocka_run_group_tests(name, parts[j]->tests, parts[j]->count, NULL, NULL);
        }
    }
    return failed != 0;
}
