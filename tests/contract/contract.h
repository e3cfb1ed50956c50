/* The contract of client.h as a suite of tests, run for each protocol. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One protocol. `open` gives a client on the store in `directory`, which is made when the first
 * client of that directory opens it. It is also called in child processes. */
struct contract_target {
    const char *name;
    int (*open)(const char *directory, enum ds_side side, struct ds_call *call,
                struct ds_client **out);
    void (*end)(void);   /* after each test, when its clients are freed; NULL: nothing to do */
    enum ds_side tested; /* the side whose client speaks the protocol; the other one may be local */
    bool (*missing)(void); /* true: this machine does not have what it needs; NULL: needs nothing */
};

/* What each test is given: two clients of one fresh store, and a DataSet "d" open to both. */
struct contract {
    const struct contract_target *target;
    char *directory;
    struct ds_client *host;
    struct ds_client *guest;
    struct ds_client *tested; /* one of the two */
    struct ds_call call;
};

/* The suite's parts; each entry has contract_setup() and contract_teardown(). */
struct contract_part {
    const char *name;
    const struct CMUnitTest *tests;
    size_t count;
};
extern const struct contract_part contract_dataset_part;
extern const struct contract_part contract_entry_part;
extern const struct contract_part contract_limit_part;
extern const struct contract_part contract_together_part;

#define CONTRACT_TEST(function)                                                                    \
    cmocka_unit_test_setup_teardown(function, contract_setup, contract_teardown)

#define CONTRACT_PART(part, tests)                                                                 \
    const struct contract_part part = {#part, tests, sizeof(tests) / sizeof *(tests)}

/* The protocol that the tests run for. */
void contract_choose(const struct contract_target *target);

int contract_setup(void **state);
int contract_teardown(void **state);

/* A fresh directory and its removal with all that is in it. */
char *contract_make_directory(void);
void contract_remove_directory(char *directory);

/* The test's call, begun anew with plenty of time. */
struct ds_call *contract_call(struct contract *c);

/* Steps that must succeed. */
void contract_create(struct contract *c, const char *dataset, enum ds_access host,
                     enum ds_access guest);
void contract_set(struct contract *c, const char *dataset, const char *key, const char *text);

/* Asserts what `client` finds under the key; NULL: nothing. */
void contract_expect(struct contract *c, struct ds_client *client, const char *dataset,
                     const char *key, const char *text);

/* Asserts the bytes that the DataSet says it uses. */
void contract_expect_used(struct contract *c, const char *dataset, uint64_t bytes);

/* `len` letters and a NUL, newly allocated. */
char *contract_letters(char letter, size_t len);

#endif
