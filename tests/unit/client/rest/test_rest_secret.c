/* Memory for secrets, and a process that gives none away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/rest/secret.h"

#include "cleanup.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* their own memory hides what ours is */
#else
#define SANITIZED false
#endif

/* A line of the mapping that holds `address` in /proc/self/smaps; empty if there is none. */
static void read_mapping(const void *address, const char *key, char *out, size_t size)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char *line DS_AUTO_FREE = NULL;
    size_t room = 0;
    bool inside = false;
    assert_non_null(file);
    *out = '\0';
    while (getline(&line, &room, file) > 0) {
        uintptr_t from = 0;
        uintptr_t to = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (inside && !strncmp(line, key, strlen(key)))
            snprintf(out, size, "%s", line + strlen(key));
    }
    fclose(file);
}

static void test_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 4096, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char flags[256];
        char *secret = ds_secret_new(sizes[i]);
        assert_non_null(secret);
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(secret[at], 0);
        memset(secret, 's', sizes[i]);
        for (size_t at = 0; at < sizes[i]; at += 4096) {
            read_mapping(secret + at, "VmFlags:", flags, sizeof flags);
            assert_non_null(strstr(flags, " dd")); /* not dumped */
            assert_non_null(strstr(flags, " dc")); /* not seen by a child */
        }
        ds_secret_free(secret, sizes[i]);
    }
    ds_secret_free(NULL, 1);
}

static void test_locked(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (SANITIZED || (geteuid() != 0 && limit.rlim_cur < 65536))
        skip();
    char flags[256];
    char *secret = ds_secret_new(5000);
    assert_non_null(secret);
    read_mapping(secret, "VmFlags:", flags, sizeof flags);
    assert_non_null(strstr(flags, " lo"));
    ds_secret_free(secret, 5000);
}

static void test_wipe(void **state)
{
    (void)state;
    char text[] = "secret and the rest";
    ds_secret_wipe(text, 6);
    assert_memory_equal(text, "\0\0\0\0\0\0 and the rest", sizeof text);
    ds_secret_wipe(text, 0);
    assert_int_equal(text[6], ' ');
}

/* Runs in a child, since it is for good; returns what did not hold, NULL if all did. */
static int in_child(const char *(*check)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        signal(SIGSEGV, SIG_DFL); /* cmocka would go on with the next test */
        signal(SIGABRT, SIG_DFL);
        const char *wrong = check();
        if (wrong)
            dprintf(STDERR_FILENO, "%s\n", wrong);
        _exit(wrong ? 1 : 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static const char *check_protection(void)
{
    struct rlimit core = {1, 1};
    char filter[16] = "";
    int first = ds_secret_protect_process();
    int again = ds_secret_protect_process();
    if (first || again)
        return "not protected";
    if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur || core.rlim_max)
        return "a core file is possible";
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return "others may trace the process";
    FILE *file = fopen("/proc/self/coredump_filter", "r");
    if (file) {
        if (!fgets(filter, sizeof filter, file))
            filter[0] = '\0';
        fclose(file);
        if (strtoul(filter, NULL, 16) != 0)
            return "a forced core has memory";
    } else if (geteuid() == 0) {
        return "no coredump_filter";
    }
    return NULL;
}

static const char *check_jansson_memory(void)
{
    json_malloc_t allocate = NULL;
    json_free_t release = NULL;
    if (ds_secret_protect_process())
        return "not protected";
    json_get_alloc_funcs(&allocate, &release);
    if (!allocate || release == free)
        return "jansson leaves what it frees";
    release(NULL);
    json_t *root = json_loads("{\"a\":[\"b\",\"c\"]}", 0, NULL);
    bool good = json_array_size(json_object_get(root, "a")) == 2;
    json_decref(root);
    return good ? NULL : "jansson does not work";
}

/* libcurl works with the memory functions it is given: texts that grow, shrink and come back. */
static const char *check_curl_memory(void)
{
    if (ds_secret_protect_process())
        return "not protected";
    CURL *easy = curl_easy_init();
    struct curl_slist *list = NULL;
    for (int i = 0; easy && i < 200; i++)
        list = curl_slist_append(list, "header: value");
    char *escaped = easy && list ? curl_easy_escape(easy, " / ", 0) : NULL;
    bool good = escaped && !strcmp(escaped, "%20%2F%20");
    curl_free(escaped);
    curl_slist_free_all(list);
    curl_easy_cleanup(easy);
    return good ? NULL : "curl does not work";
}

static void test_process(void **state)
{
    (void)state;
    assert_int_equal(in_child(check_protection), 0);
    assert_int_equal(in_child(check_jansson_memory), 0);
    assert_int_equal(in_child(check_curl_memory), 0);
}

static const char *check_unprivileged(void)
{
    if (setgid(12345) || setuid(12345))
        return "cannot become a user";
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
        return "cannot begin dumpable";
    return check_protection();
}

static void test_process_of_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(check_unprivileged), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_process_of_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
