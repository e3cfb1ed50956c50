/* The system calls that a process and its threads make meanwhile. */
#ifndef TESTS_SYSCALLS_H
#define TESTS_SYSCALLS_H

#include <stdint.h>
#include <sys/types.h>

/* Runs `command` in `shell`, which must succeed, and counts what all threads of `pid` call from
 * before it begins until it has ended; without futex(2), which says who was quicker. Fails the test
 * if the process cannot be traced. */
uint64_t syscalls_of(pid_t pid, const char *shell, const char *command);

#endif
