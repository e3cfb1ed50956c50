#include "clock.h"

#include "tests/mount/sim.h"
#include "tests/sim/clockjump.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEN_YEARS_S = 10 * 365 * 86400 };

static struct clockjump *jump;

void clock_preload(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/clockjump", harness_dir());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(ftruncate(fd, sizeof *jump));
    jump = mmap(NULL, sizeof *jump, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(jump != MAP_FAILED);
    close(fd);
    setenv(CLOCKJUMP_FILE, path, 1);
    sim_preload("CLOCKJUMP", "libclockjump.so");
}

void clock_preload_end(void)
{
    sim_preload_end();
    unsetenv(CLOCKJUMP_FILE);
}

static void jump_ahead(const struct harness_daemon *daemon)
{
    (void)daemon;
    atomic_store(&jump->seconds, TEN_YEARS_S);
}

static void jump_back(const struct harness_daemon *daemon)
{
    (void)daemon;
    atomic_store(&jump->seconds, -TEN_YEARS_S);
}

static void jump_home(const struct harness_daemon *daemon)
{
    (void)daemon;
    atomic_store(&jump->seconds, 0);
}

static uint64_t count_looks(void)
{
    return atomic_load(&jump->looks);
}

const struct trouble clock_ahead = {.begin = jump_ahead, .end = jump_home, .fired = count_looks};
const struct trouble clock_back = {.begin = jump_back, .end = jump_home, .fired = count_looks};
