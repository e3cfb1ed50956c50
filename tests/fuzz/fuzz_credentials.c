/* Files and environments with a user's name and password. */
#include "fuzz.h"
#include "swept.h"

#include "cleanup.h"
#include "client/rest/credentials.h"
#include "client/rest/login_file.h"
#include "confine.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that has no name on any disk, for its owner alone. */
static const char *write_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("credentials", MFD_CLOEXEC);
        require(fd >= 0 && fchmod(fd, 0600) == 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    require(ftruncate(fd, 0) == 0);
    require(pwrite(fd, data, size, 0) == (ssize_t)size);
    return path;
}

static void require_login(const struct ds_login *login)
{
    require(*login->username && strlen(login->username) <= DS_USERNAME_MAX_BYTES);
    require(*login->password && strlen(login->password) <= DS_PASSWORD_MAX_BYTES);
}

/* Says in one line what is wrong, and nothing of what stands there: no word of the input's that is
 * long enough to be no part of any message. */
static void require_words(const struct ds_call *call, const uint8_t *data, size_t size)
{
    enum { WORD_BYTES = 24 };
    require(*call->text && !strchr(call->text, '\n'));
    for (size_t i = 0; i + WORD_BYTES <= size; i++)
        require(!memmem(call->text, strlen(call->text), data + i, WORD_BYTES));
}

static void read_file(enum ds_login_file_kind kind, const uint8_t *data, size_t size)
{
    const char *path = write_file(data, size);
    struct ds_login before;
    struct ds_login found;
    struct ds_call call;
    ds_call_init(&call, 60000);
    memset(&before, 'x', sizeof before);
    found = before;
    int err = ds_login_file_read(path, kind, "vc", &found, &call);
    require(!err || err == -EINVAL || err == -EFBIG || err == -ENODATA);
    require(err != -ENODATA || kind == DS_LOGIN_FILE_NETRC);
    if (err) {
        require(!memcmp(&found, &before, sizeof found));
        require_words(&call, data, size);
        return;
    }
    require_login(&found);
    require(memmem(data, size, found.password, strlen(found.password)) != NULL ||
            kind == DS_LOGIN_FILE_NETRC);
    require(!strchr(found.password, '\n') || kind == DS_LOGIN_FILE_NETRC);
}

static const char *const variables[] = {"DATASETFS_USERNAME", "DATASETFS_PASSWORD",
                                        "GOVC_USERNAME",      "GOVC_PASSWORD",
                                        "GOVC_URL",           "CREDENTIALS_DIRECTORY"};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* Lines NAME=VALUE; other lines are nobody's. */
static void set_variables(char *text)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        char *value = strchr(line, '=');
        if (!value)
            continue;
        *value++ = '\0';
        /* A directory that is not there. */
        for (int i = 0; i < VARIABLES; i++)
            if (!strcmp(line, variables[i]) &&
                (i + 1 < VARIABLES || !strncmp(value, "/nonexistent", 12)))
                require(setenv(line, value, 1) == 0);
    }
}

/* Afterwards none of them is there, whatever came of it. */
static void read_environment(const uint8_t *data, size_t size)
{
    struct ds_credentials *credentials = NULL;
    struct ds_login before;
    struct ds_login found;
    struct ds_call call;
    char *text = copy_text(data, size);
    ds_call_init(&call, 60000);
    memset(&before, 'x', sizeof before);
    found = before;
    setenv("HOME", "/nonexistent", 1);
    set_variables(text);
    int err = ds_credentials_new(NULL, "vc", &found, &call, &credentials);
    require(!err || err == -EINVAL || err == -EACCES);
    for (int i = 0; i + 1 < VARIABLES; i++)
        require(!getenv(variables[i]));
    unsetenv("CREDENTIALS_DIRECTORY");
    if (!err) {
        require_login(&found);
        require(!strchr(found.username, ':') && *ds_credentials_origin(credentials));
        require(!ds_credentials_refresh(credentials, &found, &call));
    }
    ds_credentials_free(credentials);
    free(text);
}

/* A file that -o credentials= names is read when it is asked for, and again when vCenter refuses.
 */
static void name_file(const uint8_t *data, size_t size)
{
    const char *path = write_file(data, size);
    struct ds_credentials *credentials = NULL;
    struct ds_login found;
    struct ds_call call;
    ds_call_init(&call, 60000);
    int err = ds_credentials_new(path, "vc", &found, &call, &credentials);
    require(!err || err == -EINVAL || err == -EFBIG);
    if (err)
        require_words(&call, data, size);
    else
        require(!strchr(found.username, ':'));
    ds_credentials_free(credentials);
}

static char directory[SWEPT_BYTES];

/* Where the environment says that it may be: systemd's "datasetfs", or ".netrc". */
static void find_file(const char *variable, const char *name, const uint8_t *data, size_t size)
{
    struct ds_confine confine = {.count = 0};
    struct ds_credentials *credentials = NULL;
    struct ds_login found;
    struct ds_call call;
    char path[sizeof directory + 16];
    /* With some lengths others can read it. */
    mode_t mode = size % 8 == 7 ? 0644 : 0600;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size && fchmod(fd, mode) == 0);
    close(fd);
    require(setenv(variable, directory, 1) == 0);
    ds_call_init(&call, 60000);
    require(!ds_credentials_prepare(NULL, &confine) && confine.count);
    int err = ds_credentials_new(NULL, "vc", &found, &call, &credentials);
    require(!err || err == -EINVAL || err == -EFBIG || err == -EACCES);
    require(err || mode == 0600);
    if (err)
        require_words(&call, data, size);
    else
        require_login(&found);
    if (!err)
        require(!ds_credentials_refresh(credentials, &found, &call));
    require(unlink(path) == 0);
    /* What is gone needs not be read again. */
    if (!err)
        require(!ds_credentials_refresh(credentials, &found, &call));
    ds_credentials_free(credentials);
    ds_confine_clear(&confine);
    require(unsetenv(variable) == 0);
}

/* What is not there, or is no file. */
static void require_unreadable(const char *path)
{
    struct ds_login found;
    struct ds_call call;
    ds_call_init(&call, 60000);
    require(ds_login_file_read(path, DS_LOGIN_FILE_PRIVATE, "vc", &found, &call) < 0);
    require(*call.text && !strchr(call.text, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_file(DS_LOGIN_FILE_PRIVATE, data, size);
    read_file(DS_LOGIN_FILE_NETRC, data, size);
    name_file(data, size);
    read_environment(data, size);
    if (!*directory)
        make_swept(directory);
    find_file("CREDENTIALS_DIRECTORY", "datasetfs", data, size);
    find_file("HOME", ".netrc", data, size);
    require_unreadable(directory);
    require_unreadable("/nonexistent/login");
    return 0;
}
