/* What a directory of stores needs to be opened, later, by a process that is confined: itself, and
 * where its stores really are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/local/directory.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/datasetfs-prepare-XXXXXX";

/* As on file systems that do not say in a listing what is a link. */
static bool tells_types;

struct dirent *readdir(DIR *__dirp)
{
    struct dirent *(*real)(DIR *);
    *(void **)&real = dlsym(RTLD_NEXT, "readdir64");
    struct dirent *entry = real(__dirp);
    if (entry && !tells_types)
        entry->d_type = DT_UNKNOWN;
    return entry;
}

static void make_link(const char *target, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX], link[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/%s", directory, target);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(path, sizeof path, "%.2000s/file", folder);
    FILE *file = fopen(path, "wxe");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    snprintf(link, sizeof link, "%s/%s", directory, name);
    assert_int_equal(symlink(path, link), 0);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    make_link("store", "a.db");
    make_link("other", "README");
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.db",       "README", "store/file",
                                        "other/file", "store",  "other"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        if (remove(path) != 0)
            return -1;
    }
    return rmdir(directory);
}

/* True if files below that folder of the directory may be changed. */
static bool may_change(const struct ds_confine *confine, const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, folder);
    for (size_t i = 0; i < confine->count; i++)
        if (confine->places[i].change && !strcmp(confine->places[i].path, path))
            return true;
    return false;
}

static void test_links(void **state)
{
    char path[PATH_MAX];
    (void)state;
    snprintf(path, sizeof path, "%s/", directory);
    for (int i = 0; i < 2; i++) {
        struct ds_confine confine = {0};
        tells_types = i == 0;
        assert_int_equal(ds_directory_prepare(path, false, &confine), 0);
        assert_string_equal(confine.store, path);
        assert_string_equal(confine.store_end, ".db");
        assert_true(may_change(&confine, ""));
        assert_true(may_change(&confine, "store"));
        /* It is no store, whatever it leads to. */
        assert_false(may_change(&confine, "other"));
        ds_confine_clear(&confine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_links)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
