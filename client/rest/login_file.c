/* Files that hold a user's name and password. */
#include "login_file.h"

#include "cleanup.h"
#include "netrc.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* What is read, in a locked page; `found` is the result so far. */
struct reading {
    char text[DS_LOGIN_FILE_MAX_BYTES + 1];
    size_t len;
    struct ds_login found;
};

static int fail(struct ds_call *call, const char *file, int err)
{
    return ds_call_fail(call, err, "credentials %.120s: %s", file, strerror(-err));
}

static int check_private(int fd, const char *file, enum ds_login_file_kind kind,
                         struct ds_call *call)
{
    mode_t others = kind == DS_LOGIN_FILE_SYSTEMD ? S_IRWXO : S_IRWXG | S_IRWXO;
    struct stat status;
    if (fstat(fd, &status) != 0)
        return fail(call, file, -errno);
    if (!S_ISREG(status.st_mode))
        return ds_call_fail(call, -EINVAL, "credentials %.120s: not a regular file", file);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return ds_call_fail(call, -EACCES, "credentials %.120s: the file belongs to somebody else",
                            file);
    if (status.st_mode & others)
        return ds_call_fail(call, -EACCES,
                            "credentials %.120s: others can read it: run chmod 600 on it", file);
    return 0;
}

static int read_text(const char *file, enum ds_login_file_kind kind, struct reading *reading,
                     struct ds_call *call)
{
    int fd DS_AUTO_CLOSE = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail(call, file, -errno);
    int err = check_private(fd, file, kind, call);
    while (!err && reading->len < DS_LOGIN_FILE_MAX_BYTES) {
        ssize_t got =
            read(fd, reading->text + reading->len, DS_LOGIN_FILE_MAX_BYTES - reading->len);
        if (got < 0)
            return fail(call, file, -errno);
        if (got == 0)
            return 0;
        reading->len += (size_t)got;
    }
    return err ? err : fail(call, file, -EFBIG);
}

/* Copies a value. False if it is too long or has a NUL. */
static bool keep(char *to, size_t size, const char *value, size_t len)
{
    if (len >= size || memchr(value, '\0', len))
        return false;
    memcpy(to, value, len);
    to[len] = '\0';
    return true;
}

/* One line of our own format. */
static bool read_line(const char *line, size_t len, struct ds_login *found)
{
    static const char username[] = "username=";
    static const char password[] = "password=";
    size_t skip = sizeof username - 1;
    if (len && line[len - 1] == '\r')
        len--;
    if (strspn(line, " \t\r") >= len || *line == '#')
        return true;
    if (len >= skip && !memcmp(line, username, skip))
        return keep(found->username, sizeof found->username, line + skip, len - skip);
    if (len >= skip && !memcmp(line, password, skip))
        return keep(found->password, sizeof found->password, line + skip, len - skip);
    return false;
}

static int read_lines(const char *file, struct reading *reading, struct ds_call *call)
{
    const char *end = reading->text + reading->len;
    unsigned number = 1;
    for (const char *line = reading->text; line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline ? newline : end) - line);
        if (!read_line(line, len, &reading->found))
            return ds_call_fail(call, -EINVAL,
                                "credentials %.120s, line %u: expected username=NAME or "
                                "password=TEXT",
                                file, number);
        line += len + 1;
    }
    if (!*reading->found.username || !*reading->found.password)
        return ds_call_fail(call, -EINVAL, "credentials %.120s: there is no line %s=", file,
                            *reading->found.username ? "password" : "username");
    return 0;
}

static int read_netrc(const char *file, const char *host, struct reading *reading,
                      struct ds_call *call)
{
    unsigned line = 0;
    int err = ds_netrc_find(reading->text, reading->len, host, &reading->found, &line);
    if (err == -EINVAL)
        return ds_call_fail(call, err,
                            "credentials %.120s, line %u: a quote without its end, or a word that "
                            "is too long",
                            file, line);
    if (err)
        return ds_call_fail(call, err, "credentials %.120s: no login and password for %.80s", file,
                            host);
    return 0;
}

int ds_login_file_read(const char *file, enum ds_login_file_kind kind, const char *host,
                       struct ds_login *login, struct ds_call *call)
{
    struct reading *reading = ds_secret_new(sizeof *reading);
    if (!reading)
        return -ENOMEM;
    int err = read_text(file, kind, reading, call);
    if (!err && kind == DS_LOGIN_FILE_NETRC)
        err = read_netrc(file, host, reading, call);
    else if (!err)
        err = read_lines(file, reading, call);
    if (!err)
        *login = reading->found;
    ds_secret_free(reading, sizeof *reading);
    return err;
}
