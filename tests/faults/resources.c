#include "resources.h"

#include "tests/mount/harness.h"

#include <dirent.h>
#include <stdio.h>

/* As many as a mount has threads by itself, each with what it has open of a store file; the cache
 * of values. What leaks memory little by little is found by the sanitizers, where its size says
 * nothing. */
enum { DESCRIPTORS_SLACK = 64, THREADS_SLACK = 32, MEMORY_SLACK_KIB = 32768 };

static size_t count_descriptors(pid_t pid)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

void resources_read(pid_t pid, struct resources *out)
{
    out->descriptors = count_descriptors(pid);
    out->threads = harness_status(pid, "Threads");
    out->memory_kib = harness_status(pid, "VmRSS");
}

static bool are_back(const struct resources *now, const struct resources *before)
{
    bool memory = HARNESS_SLOWNESS > 1 || now->memory_kib <= before->memory_kib + MEMORY_SLACK_KIB;
    return memory && now->descriptors <= before->descriptors + DESCRIPTORS_SLACK &&
           now->threads <= before->threads + THREADS_SLACK;
}

bool resources_are_back(pid_t pid, const struct resources *before)
{
    struct resources now;
    int64_t until = harness_now_ms() + HARNESS_SOON_MS;
    for (;;) {
        resources_read(pid, &now);
        if (are_back(&now, before))
            return true;
        if (harness_now_ms() > until)
            break;
        harness_pause();
    }
    print_error("descriptors %zu, then %zu; threads %ld, then %ld; KiB %ld, then %ld\n",
                before->descriptors, now.descriptors, before->threads, now.threads,
                before->memory_kib, now.memory_kib);
    return false;
}
