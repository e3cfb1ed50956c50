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

bool temporary_listed(const char *words)
{
    char text[4096];
    assert_true(harness_read("m/.datasetfs/scratch", text, sizeof text) >= 0);
    return strstr(text, words) != NULL;
}
