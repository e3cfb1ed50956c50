/* The README's table of tools is the one that scripts/matrix makes of the tests' own words. Run
 * from the root of the source tree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MATRIX "scripts/matrix"

static char *rest_of(FILE *file, const char *name)
{
    char *text = NULL;
    size_t size = 0;
    if (!file)
        fail_msg("%s: %s (run the tests from the root of the source tree)", name, strerror(errno));
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    return text;
}

static void test_readme(void **state)
{
    (void)state;
    FILE *file = popen(MATRIX, "r"); // NOLINT(cert-env33-c): our own script
    char *table = rest_of(file, MATRIX);
    assert_int_equal(pclose(file), 0);
    file = fopen("README.md", "re");
    char *readme = rest_of(file, "README.md");
    fclose(file);

    const char *found = strstr(readme, table);
    if (!found || found[strlen(table)] == '|')
        fail_msg("the table of tools in README.md is not what scripts/matrix prints:\n%s", table);
    free(readme);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readme)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
