/* What a daemon has of the system: descriptors, threads, memory. */
#ifndef FAULTS_RESOURCES_H
#define FAULTS_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct resources {
    size_t descriptors;
    long threads;
    long memory_kib; /* resident */
};

void resources_read(pid_t pid, struct resources *out);

/* Waits until it has about as much of each as before: of descriptors and threads, what a mount
 * keeps at hand for requests that come together; of memory, what the allocator keeps. Less than a
 * fault that leaks one of them leaks in a row. False, with words, if that does not come. */
bool resources_are_back(pid_t pid, const struct resources *before);

#endif
