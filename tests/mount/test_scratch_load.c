/* Many at once on few temporary names, while what is left is being published. */
#include "harness.h"

#include "cleanup.h"
#include "peer.h"
#include "tests/seed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[] = {"a", "a~", "b", "b~", ".t.Ab12cd", ".a.swp"};
enum { NAMES = sizeof names / sizeof *names, STEPS = 6000 };

/* Whatever order these come in, these errors alone may come of it. */
static bool may_be(int error)
{
    return error == 0 || error == ENOENT || error == EEXIST || error == ESTALE || error == EBUSY;
}

static int write_some(const char *path, int flags, unsigned number)
{
    char text[32];
    int fd = open(path, flags, 0600);
    if (fd < 0)
        return errno;
    int len = snprintf(text, sizeof text, "value %u\n", number);
    int error = write(fd, text, (size_t)len) == len ? 0 : errno;
    return close(fd) != 0 && error == 0 ? errno : error;
}

static int stress(void *argument)
{
    unsigned seed = *(const unsigned *)argument;
    for (unsigned i = 0; i < STEPS; i++) {
        char path[64];
        char to[64];
        char got[64];
        snprintf(path, sizeof path, "m/app/%s", names[(size_t)rand_r(&seed) % NAMES]);
        snprintf(to, sizeof to, "m/app/%s", names[(size_t)rand_r(&seed) % NAMES]);
        int error = 0;
        switch (rand_r(&seed) % 6) {
        case 0:
            error = write_some(path, O_RDWR | O_CREAT | O_EXCL, i);
            break;
        case 1:
            error = write_some(path, O_WRONLY | O_CREAT | O_TRUNC, i);
            break;
        case 2:
        case 3:
            error = rename(path, to) != 0 ? errno : 0;
            break;
        case 4:
            error = unlink(path) != 0 ? errno : 0;
            break;
        default: {
            ssize_t len = harness_read(path, got, sizeof got);
            error = len < 0 ? (int)-len : 0;
        }
        }
        if (!may_be(error)) {
            fprintf(stderr, "%s %s: %s\n", path, to, strerror(error));
            return error;
        }
    }
    return 0;
}

/* Several at once on the same few names, while what is left is published: no deadlock, nobody sees
 * a torn value, and nothing but these names is in the store at the end. */
static void test_at_once(void **state)
{
    enum { WORKERS = 4 };
    (void)state;
    struct harness_daemon *daemon = harness_start_app("scratch_delay=1");
    unsigned seeds[WORKERS];
    pid_t pids[WORKERS];
    unsigned seed = (unsigned)seed_of_run();
    for (unsigned i = 0; i < WORKERS; i++) {
        seeds[i] = seed + i;
        pids[i] = harness_fork(stress, &seeds[i]);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(harness_wait_child(pids[i], HARNESS_TEST_MS, false), 0);
    harness_stop(daemon);
    size_t known = 0;
    for (size_t i = 0; i < NAMES; i++) {
        char *value DS_AUTO_FREE = peer_get("app", names[i]);
        known += value != NULL;
        if (value != NULL && value[0] != '\0')
            assert_true(strncmp(value, "value ", 6) == 0 && strchr(value, '\n')[1] == '\0');
    }
    assert_int_equal(peer_keys("app"), known);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_at_once),
};

HARNESS_MAIN(tests)
