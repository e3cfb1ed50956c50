/* The protocol "rest" for the suite: the host side goes through the simulated vCenter, the guest
 * side is the local store itself. */
#include "contract.h"
#include "simulator.h"
#include "target.h"

#include "cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* What the server and the client need, in the directory. */
struct files {
    char port[PATH_MAX];
    char certificate[PATH_MAX]; /* signed by itself, so it is the authority too */
    char key[PATH_MAX];
    char password[PATH_MAX];
    char credentials[PATH_MAX];
};

static void name_files(const char *directory, struct files *files)
{
    snprintf(files->port, PATH_MAX, "%s/port", directory);
    snprintf(files->certificate, PATH_MAX, "%s/server.pem", directory);
    snprintf(files->key, PATH_MAX, "%s/server.key", directory);
    snprintf(files->password, PATH_MAX, "%s/password", directory);
    snprintf(files->credentials, PATH_MAX, "%s/credentials", directory);
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
    const char *arguments[32] = {
        "--https", "127.0.0.1:0", "--port-file", files->port, "--cert",          files->certificate,
        "--key",   files->key,    "--user",      "user",      "--password-file", files->password};
    size_t count = 12;
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

static int open_with(const char *directory, enum ds_side side, const char *const *others,
                     struct ds_call *call, struct ds_client **out)
{
    char source[64];
    unsigned port = 0;
    struct files files;
    if (side == DS_SIDE_GUEST)
        return contract_open_local(directory, side, call, out);
    name_files(directory, &files);
    struct ds_source_options options = {.credentials = files.credentials,
                                        .cacert = files.certificate};
    int err = access(files.port, F_OK) ? start(directory, &files, others) : 0;
    if (!err)
        err = read_port(files.port, &port);
    snprintf(source, sizeof source, "https://127.0.0.1:%u/vm-1", port);
    return err ? err : ds_source_open(source, &options, call, out);
}

int contract_open_rest(const char *directory, enum ds_side side, struct ds_call *call,
                       struct ds_client **out)
{
    return open_with(directory, side, NULL, call, out);
}

int contract_open_rest_otherwise(const char *directory, enum ds_side side, struct ds_call *call,
                                 struct ds_client **out)
{
    static const char *const others[] = {
        "--error-style",    "legacy",       "--unauthorized-status", "400", "--success", "200",
        "--no-api-session", "--no-vm-list", "--id-prefix",           "ds:", NULL};
    return open_with(directory, side, others, call, out);
}

void contract_end_rest(void)
{
    simulator_end();
}
