/* Starting a program. */
#include "launch.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>

/* The environment with another locale. The array is owned by the caller, its strings are not. */
static const char **make_environment(void)
{
    static const char locale[] = "LC_ALL=C.UTF-8";
    size_t count = 0;
    while (environ && environ[count])
        count++;
    const char **copy = calloc(count + 2, sizeof *copy);
    if (!copy)
        return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], locale, strlen("LC_ALL=")) != 0)
            copy[kept++] = environ[i];
    copy[kept] = locale;
    return copy;
}

int ds_launch(const char *const argv[], const int fds[DS_LAUNCH_COUNT], pid_t *pid)
{
    static const int numbers[DS_LAUNCH_COUNT] = {STDOUT_FILENO, STDERR_FILENO, DS_LAUNCH_LAST_FD,
                                                 3};
    const char **environment DS_AUTO_FREE = make_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    if (!environment)
        return ENOMEM;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawn_file_actions_init(&actions);
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < DS_LAUNCH_COUNT && !error; i++)
        error = posix_spawn_file_actions_adddup2(&actions, fds[i], numbers[i]);
    if (!error)
        error = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv,
                             (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}
