/* The simulated vCenter of a directory. */
#include "rest_server.h"

#include "contract.h"
#include "simulator.h"

#include "cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What the server and the client need, in the directory. */
struct files {
    char port[PATH_MAX];
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    char password[PATH_MAX];
    char credentials[PATH_MAX];
    char log[PATH_MAX];
    char control[PATH_MAX]; /* with "unix:" before it */
};

static void name_files(const char *directory, struct files *files)
{
    snprintf(files->port, PATH_MAX, "%s/port", directory);
    snprintf(files->certificate, PATH_MAX, "%s/server.pem", directory);
    snprintf(files->key, PATH_MAX, "%s/server.key", directory);
    snprintf(files->password, PATH_MAX, "%s/password", directory);
    snprintf(files->credentials, PATH_MAX, "%s/credentials", directory);
    snprintf(files->log, PATH_MAX, "%s/log", directory);
    snprintf(files->control, PATH_MAX, "unix:%s/control", directory);
}

static int write_file(const char *path, const char *text)
{
    int fd DS_AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -EIO;
}

static int make_files(const struct files *files)
{
    char *command DS_AUTO_FREE = NULL;
    if (asprintf(
            &command,
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
            "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout '%s' -out '%s' "
            "2>/dev/null",
            files->key, files->certificate) < 0) {
        command = NULL;
        return -ENOMEM;
    }
    if (system(command) != 0) // NOLINT: as a person would
        return -EIO;
    int err = write_file(files->password, "secret\n");
    return err ? err : write_file(files->credentials, "username=user\npassword=secret\n");
}

static int start(const char *directory, const struct files *files, const char *const *others)
{
    const char *arguments[64] = {"--https",         "127.0.0.1:0",
                                 "--port-file",     files->port,
                                 "--cert",          files->certificate,
                                 "--key",           files->key,
                                 "--user",          "user",
                                 "--log",           files->log,
                                 "--password-file", files->password,
                                 "--control",       files->control};
    size_t count = 16;
    for (; others && *others; others++)
        arguments[count++] = *others;
    int err = make_files(files);
    return err ? err : simulator_start(directory, arguments);
}

static int read_port(const char *path, unsigned *port)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    int read = fscanf(file, "%5u", port); // NOLINT: five digits are no overflow
    fclose(file);
    return read == 1 ? 0 : -EIO;
}

int rest_server_use(const char *directory, const char *const *others, struct rest_server *out)
{
    struct files files;
    name_files(directory, &files);
    int err = access(files.port, F_OK) ? start(directory, &files, others) : 0;
    if (!err)
        err = read_port(files.port, &out->port);
    memcpy(out->certificate, files.certificate, PATH_MAX);
    memcpy(out->credentials, files.credentials, PATH_MAX);
    return err;
}

const char *rest_server_control(const char *directory, const char *format, ...)
{
    static char answer[256];
    char line[PATH_MAX];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line - 1, format, list);
    va_end(list);
    size_t len = strlen(line);
    line[len] = '\n';
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control", directory);
    int fd DS_AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, line, len + 1), len + 1);
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0); /* one short line, in one write */
    assert_true(got > 0 && answer[got - 1] == '\n');
    answer[got - 1] = '\0';
    if (strncmp(answer, "ok", 2) != 0) {
        line[len] = '\0';
        fail_msg("%s: %s", line, answer);
    }
    return answer[2] ? answer + 3 : "";
}

size_t rest_server_count(const char *directory, const char *const *words)
{
    struct files files;
    char *line DS_AUTO_FREE = NULL;
    size_t room = 0;
    size_t count = 0;
    name_files(directory, &files);
    FILE *log = fopen(files.log, "re");
    assert_non_null(log);
    while (getline(&line, &room, log) >= 0) {
        size_t at = 0;
        while (words[at] && strstr(line, words[at]))
            at++;
        count += !words[at];
    }
    fclose(log);
    return count;
}
