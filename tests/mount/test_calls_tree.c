/* unlink, directories, inode numbers, statfs, locks and mappings, by system call, with the exact
 * errno. */
#include "harness.h"

#include "peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void test_unlink(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    assert_int_equal(unlink("m/app/k"), 0);
    assert_not_in_store("app", "k");
    assert_errno(unlink("m/app/k"), ENOENT);
    assert_errno(access("m/app/k", F_OK), ENOENT);
    assert_errno(unlink("m/app"), EISDIR);
    assert_errno(rmdir("m/app/missing"), ENOENT);
    peer_set("app", "k", "v");
    assert_errno(rmdir("m/app/k"), ENOTDIR);
    /* Removed by the other side first. */
    assert_int_equal(access("m/app/k", F_OK), 0);
    peer_remove("app", "k");
    assert_errno(unlink("m/app/k"), ENOENT);
}

static void test_unlinked_open_file(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(NULL);
    peer_set("app", "k", "old");
    int fd = harness_open("m/app/k", O_RDWR);
    assert_int_equal(unlink("m/app/k"), 0);
    harness_assert_handle(fd, "old");
    assert_int_equal(pwrite(fd, "newer", 5, 0), 5);
    harness_assert_handle(fd, "newer");
    assert_int_equal(ftruncate(fd, 2), 0);
    harness_assert_handle(fd, "ne");
    assert_int_equal(fsync(fd), 0);
    assert_not_in_store("app", "k");
    /* Another file of that name is another file. */
    assert_int_equal(harness_write("m/app/k", O_CREAT | O_EXCL, "second"), 0);
    assert_int_equal(pwrite(fd, "X", 1, 0), 1);
    harness_assert_handle(fd, "Xe");
    assert_int_equal(close(fd), 0);
    assert_store("app", "k", "second");

    /* Nor does what waited for its first write come back. */
    fd = harness_open("m/app/created", O_WRONLY | O_CREAT);
    assert_int_equal(unlink("m/app/created"), 0);
    harness_put(fd, "lost");
    assert_int_equal(close(fd), 0);
    fd = harness_open("m/app/k", O_WRONLY | O_TRUNC);
    assert_int_equal(unlink("m/app/k"), 0);
    assert_int_equal(close(fd), 0);
    harness_stop(daemon);
    assert_int_equal(peer_keys("app"), 0);
}

static void test_directories(void **state)
{
    (void)state;
    harness_skip_in_guest();
    harness_start("m", NULL);
    assert_int_equal(mkdir("m/app", 0777), 0);
    assert_errno(mkdir("m/app", 0777), EEXIST);
    assert_errno(mkdir("m/app/sub", 0777), EPERM);
    assert_errno(mkdir("m/missing/sub", 0777), ENOENT);
    assert_errno(open("m/file", O_WRONLY | O_CREAT, 0600), EPERM);
    assert_errno(open("m/app/sub/k", O_WRONLY | O_CREAT, 0600), ENOENT);
    assert_errno(link("m/app", "m/hard"), EPERM);
    peer_set("app", "k", "v");
    assert_errno(link("m/app/k", "m/app/hard"), EPERM);
    assert_errno(symlink("k", "m/app/soft"), EPERM);
    assert_errno(symlink("app", "m/soft"), EPERM);
    assert_errno(mkfifo("m/app/fifo", 0600), EPERM);
    assert_errno(mknod("m/app/node", S_IFREG | 0600, 0), EPERM);
    assert_errno(mknod("m/fifo", S_IFIFO | 0600, 0), EPERM);
    assert_errno(rmdir("m/app"), ENOTEMPTY);
    assert_errno(rmdir("m"), EBUSY);
    assert_int_equal(unlink("m/app/k"), 0);
    assert_int_equal(rmdir("m/app"), 0);
    assert_errno(rmdir("m/app"), ENOENT);
    assert_errno(access("m/app", F_OK), ENOENT);
    assert_int_equal(mkdir("m/app", 0700), 0);
    assert_int_equal(peer_keys("app"), 0);
}

static void test_inode_numbers(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    struct stat first;
    struct stat again;
    int fd = harness_open("m/app/k", O_RDONLY);
    assert_int_equal(fstat(fd, &first), 0);
    assert_int_equal(stat("m/app/k", &again), 0);
    assert_int_equal(first.st_ino, again.st_ino);
    assert_true(first.st_nlink == 1);
    assert_int_equal(unlink("m/app/k"), 0);
    assert_int_equal(harness_write("m/app/k", O_CREAT, "w"), 0);
    assert_int_equal(stat("m/app/k", &again), 0);
    assert_true(first.st_ino != again.st_ino);
    assert_int_equal(close(fd), 0);
}

static void test_statfs(void **state)
{
    (void)state;
    harness_start_app(NULL);
    struct statvfs status;
    assert_int_equal(statvfs("m", &status), 0);
    unsigned long long total = (unsigned long long)status.f_blocks * status.f_frsize;
    assert_true(total <= 100000000 && total > 100000000 - 1000000);
    assert_true(status.f_bfree <= status.f_blocks && status.f_bavail <= status.f_bfree);
    assert_true(status.f_bfree > 0);
    assert_int_equal(status.f_namemax, 255);
}

static int lock_refused(void *path)
{
    int fd = open(path, O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 1;
    if (fcntl(fd, F_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
        return 2;
    return 0;
}

static void test_locks(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "v");
    int fd = harness_open("m/app/k", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
    char path[] = "m/app/k";
    assert_int_equal(harness_in_child(0, lock_refused, path), 0);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(harness_in_child(0, lock_refused, path), 1);
}

static void test_mmap(void **state)
{
    (void)state;
    harness_start_app(NULL);
    peer_set("app", "k", "hello");
    int fd = harness_open("m/app/k", O_RDWR);
    char *map = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    assert_memory_equal(map, "hello", 5);
    map[0] = 'J';
    assert_int_equal(msync(map, 5, MS_SYNC), 0);
    assert_store("app", "k", "Jello");
    map[4] = 'y';
    assert_int_equal(munmap(map, 5), 0);
    assert_int_equal(fsync(fd), 0);
    assert_store("app", "k", "Jelly");
    assert_int_equal(close(fd), 0);
    assert_content("m/app/k", "Jelly");

    /* What is written there that is not text is judged at fsync. */
    fd = harness_open("m/app/k", O_RDWR);
    map = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    map[0] = '\xff';
    assert_errno(msync(map, 5, MS_SYNC), EILSEQ);
    munmap(map, 5);
    close(fd);
    assert_store("app", "k", "Jelly");
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_unlink),      HARNESS_TEST(test_unlinked_open_file),
    HARNESS_TEST(test_directories), HARNESS_TEST(test_inode_numbers),
    HARNESS_TEST(test_statfs),      HARNESS_TEST(test_locks),
    HARNESS_TEST(test_mmap),
};

HARNESS_MAIN(tests)
