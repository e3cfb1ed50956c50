/* Signals: which end the mount, and which do nothing. */
#include "signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>

static const int ends[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU};

static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGUSR2, SIGALRM,  SIGVTALRM,
                              SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT};

static void do_nothing(int number)
{
    (void)number;
}

static void set_of_ends(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        sigaddset(set, ends[i]);
}

int fs_signals_watch(int *out)
{
    static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};
    sigset_t all, watched;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++)
        sigdelset(&all, stops[i]);
    signal(SIGCHLD, SIG_DFL); /* a caller that ignores its children would let ours vanish */
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0)
        return -errno;
    set_of_ends(&watched);
    sigaddset(&watched, SIGCHLD);
    *out = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    return *out < 0 ? -errno : 0;
}

int fs_signals_take(int *out)
{
    struct sigaction wake = {.sa_handler = do_nothing}; /* without SA_RESTART */
    sigset_t set;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        signal(ignored[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        signal(number, SIG_IGN);
    sigaction(FS_SIGNALS_WAKE, &wake, NULL);
    /* A caller that ignores its children would let ours vanish before they are waited for. */
    signal(SIGCHLD, SIG_DFL);

    set_of_ends(&set);
    /* What a caller has blocked is blocked here no more: the loop needs the one that wakes. */
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
        return -errno;
    *out = signalfd(-1, &set, SFD_CLOEXEC);
    return *out < 0 ? -errno : 0;
}
