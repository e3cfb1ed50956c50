#include "temporary.h"

#include "harness.h"

#include <fcntl.h>
#include <unistd.h>

int temporary_make(const char *path, const char *text)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        fail_msg("%s: %s", path, strerror(errno));
        return -1;
    }
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

void temporary_leave(const char *path, const char *text)
{
    assert_ok(close(temporary_make(path, text)));
}

off_t temporary_fill(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    for (off_t step = (off_t)64 << 20; step > 0; step /= 2)
        while (ftruncate(fd, size + step) == 0)
            size += step;
    assert_int_equal(errno, ENOSPC);
    return size;
}

bool temporary_listed(const char *words)
{
    char text[4096];
    assert_true(harness_read("m/.datasetfs/scratch", text, sizeof text) >= 0);
    return strstr(text, words) != NULL;
}
