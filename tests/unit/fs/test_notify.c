/* What a service manager hears, on real sockets. */
#include "fs/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int manager = -1;
static char folder[] = "/tmp/datasetfs-notify-XXXXXX";
static struct sockaddr_un address;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int clear(void **state)
{
    (void)state;
    if (manager >= 0)
        close(manager);
    manager = -1;
    if (address.sun_path[0] == '/')
        unlink(address.sun_path);
    return unsetenv("NOTIFY_SOCKET");
}

/* Listens there; `abstract` names begin with an "@" that stands for NUL. */
static void listen_at(const char *name)
{
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t len = strlen(name);
    assert_true(len < sizeof address.sun_path);
    memcpy(address.sun_path, name, len);
    if (*name == '@')
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager >= 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void assert_heard(const char *text)
{
    char heard[64] = "";
    assert_int_equal(recv(manager, heard, sizeof heard - 1, 0), strlen(text));
    assert_string_equal(heard, text);
}

static void assert_tells(void)
{
    assert_int_equal(fs_notify(FS_NOTIFY_READY), 0);
    assert_heard("READY=1");
    assert_int_equal(fs_notify(FS_NOTIFY_STOPPING), 0);
    assert_heard("STOPPING=1");
    assert_int_equal(recv(manager, (char[8]){0}, 8, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

static void test_path(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "%s/notify", folder);
    listen_at(name);
    assert_tells();
}

static void test_abstract(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "@%s", folder + 1);
    listen_at(name);
    assert_tells();
}

static void test_nobody(void **state)
{
    (void)state;
    assert_int_equal(fs_notify(FS_NOTIFY_READY), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
    assert_int_equal(fs_notify(FS_NOTIFY_READY), 0);
}

static void test_failures(void **state)
{
    (void)state;
    char name[200] = "/";
    memset(name + 1, 'x', sizeof name - 2);
    static const char *const others[] = {"notify", "vsock:2:1234"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", others[i], 1), 0);
        assert_int_equal(fs_notify(FS_NOTIFY_READY), -EAFNOSUPPORT);
    }
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_int_equal(fs_notify(FS_NOTIFY_READY), -ENAMETOOLONG);
    snprintf(name, sizeof name, "%s/nobody", folder);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_int_equal(fs_notify(FS_NOTIFY_READY), -ENOENT);
}

/* To the byte: a path as long as an address holds, and one that is longer. */
static void test_length(void **state)
{
    (void)state;
    char name[sizeof address.sun_path + 1] = "/";
    memset(name + 1, 'x', sizeof name - 2);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_int_equal(fs_notify(FS_NOTIFY_READY), -ENAMETOOLONG);
    name[sizeof name - 2] = '\0';
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_int_equal(fs_notify(FS_NOTIFY_READY), -ENOENT);
}

static int count_open(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Nothing stays open, and where nothing can be opened that is said. */
static void test_descriptors(void **state)
{
    (void)state;
    char name[64];
    struct rlimit limit, none;
    snprintf(name, sizeof name, "%s/notify", folder);
    listen_at(name);
    int before = count_open();
    assert_tells();
    assert_int_equal(count_open(), before);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int err = fs_notify(FS_NOTIFY_READY);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(err, -EMFILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_path, clear),
        cmocka_unit_test_teardown(test_abstract, clear),
        cmocka_unit_test_teardown(test_nobody, clear),
        cmocka_unit_test_teardown(test_failures, clear),
        cmocka_unit_test_teardown(test_length, clear),
        cmocka_unit_test_teardown(test_descriptors, clear),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
