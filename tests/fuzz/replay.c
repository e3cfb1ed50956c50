/* Runs a fuzzer on its corpus, tests/fuzz/corpus-NAME for the program fuzz_NAME. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz.h"

#include "cleanup.h"

#include <dirent.h>
#include <errno.h> /* program_invocation_short_name */
#include <limits.h>
#include <stdio.h>
#include <string.h>

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    /* Exactly as long, so that a sanitizer sees what is read beyond it. */
    uint8_t *data DS_AUTO_FREE = malloc(size ? (size_t)size : 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
}

static void test_corpus(void **state)
{
    char directory[PATH_MAX];
    const char *dash = strrchr(program_invocation_short_name, '_');
    size_t count = 0;
    (void)state;
    assert_non_null(dash);
    snprintf(directory, sizeof directory, "tests/fuzz/corpus-%s", dash + 1);
    DIR *dir = opendir(directory);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char *path DS_AUTO_FREE = NULL;
        if (entry->d_name[0] == '.')
            continue;
        assert_true(asprintf(&path, "%s/%s", directory, entry->d_name) > 0);
        run_file(path);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
