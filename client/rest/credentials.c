/* Where a user's name and password come from. */
#include "credentials.h"

#include "../base/path.h"
#include "cleanup.h"
#include "login_file.h"
#include "secret.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char system_file[] = "/etc/datasetfs/credentials";

struct ds_credentials {
    enum ds_login_file_kind kind;
    char *file;   /* absolute; NULL: from the environment */
    char *host;   /* for a .netrc */
    char *origin; /* for messages */
};

static bool exists(const char *file)
{
    return access(file, F_OK) == 0;
}

/* RFC 7617: the first colon ends the name. */
static int check_name(const struct ds_login *login, const char *origin, struct ds_call *call)
{
    if (!strchr(login->username, ':'))
        return 0;
    return ds_call_fail(call, -EINVAL, "credentials %.120s: a user name with ':' cannot be sent",
                        origin);
}

static int read_file(const struct ds_credentials *credentials, struct ds_login *login,
                     struct ds_call *call)
{
    struct ds_login *found = ds_secret_new(sizeof *found);
    if (!found)
        return -ENOMEM;
    int err =
        ds_login_file_read(credentials->file, credentials->kind, credentials->host, found, call);
    if (!err)
        err = check_name(found, credentials->origin, call);
    if (!err)
        *login = *found;
    ds_secret_free(found, sizeof *found);
    return err;
}

static int use_file(struct ds_credentials *credentials, enum ds_login_file_kind kind,
                    const char *file, struct ds_login *login, struct ds_call *call)
{
    credentials->kind = kind;
    credentials->file = ds_path_absolute(file);
    if (!credentials->file)
        return ds_call_fail(call, -errno, "credentials %.120s: %s", file, strerror(errno));
    credentials->origin = strdup(credentials->file);
    if (!credentials->origin)
        return -ENOMEM;
    return read_file(credentials, login, call);
}

static int take_variable(const char *name, char *out, size_t size, struct ds_call *call)
{
    const char *value = getenv(name);
    size_t len = value ? strlen(value) : 0;
    if (len >= size)
        return ds_call_fail(call, -EINVAL, "$%s is longer than %zu bytes", name, size - 1);
    if (!len)
        return ds_call_fail(call, -EINVAL,
                            "$%s is empty or not set: set it, or use "
                            "-o credentials=FILE",
                            name);
    memcpy(out, value, len + 1);
    return 0;
}

/* So that no dump of the environment has them any more, nor any program that we run. A URL may hold
 * a password too. */
void ds_credentials_wipe_environment(void)
{
    static const char *const names[] = {"DATASETFS_USERNAME", "DATASETFS_PASSWORD", "GOVC_USERNAME",
                                        "GOVC_PASSWORD", "GOVC_URL"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]);
        for (char **at = environ; at && *at; at++)
            if (!strncmp(*at, names[i], len) && (*at)[len] == '=')
                ds_secret_wipe(*at + len + 1, strlen(*at + len + 1));
        unsetenv(names[i]);
    }
}

static int use_variables(struct ds_credentials *credentials, const char *username,
                         const char *password, struct ds_login *login, struct ds_call *call)
{
    int err = take_variable(username, login->username, sizeof login->username, call);
    if (!err)
        err = take_variable(password, login->password, sizeof login->password, call);
    if (!err && asprintf(&credentials->origin, "$%s", username) < 0) {
        credentials->origin = NULL;
        err = -ENOMEM;
    }
    return err ? err : check_name(login, credentials->origin, call);
}

/* True if $GOVC_URL, which may be a URL or only a host, names this host. */
static bool govc_names(const char *host)
{
    const char *url = getenv("GOVC_URL");
    if (!url)
        return false;
    static const char slashes[] = "://";
    const char *scheme_end = url + strcspn(url, ":/?#");
    bool has_scheme = !strncmp(scheme_end, slashes, strlen(slashes));
    const char *authority = has_scheme ? scheme_end + strlen(slashes) : url;
    size_t len = strcspn(authority, "/?#");
    for (const char *at; (at = memchr(authority, '@', len));) {
        len -= (size_t)(at + 1 - authority);
        authority = at + 1;
    }
    bool bracketed = *authority == '[';
    const char *end = memchr(authority, bracketed ? ']' : ':', len);
    if (bracketed && !end)
        return false;
    authority += bracketed;
    len = end ? (size_t)(end - authority) : len;
    return len == strlen(host) && !strncasecmp(authority, host, len);
}

/* The file that systemd gives, owned by the caller; NULL if it gives none. 0 or -ENOMEM. */
static int systemd_file(char **out)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    char *file DS_AUTO_FREE = NULL;
    *out = NULL;
    if (!directory)
        return 0;
    if (asprintf(&file, "%s/datasetfs", directory) < 0) {
        file = NULL;
        return -ENOMEM;
    }
    if (exists(file)) {
        *out = file;
        file = NULL;
    }
    return 0;
}

/* True if that of the machine is this user's. */
static bool has_system_file(void)
{
    return geteuid() == 0 && exists(system_file);
}

static char *home_file(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user =
        home ? NULL : getpwuid(getuid()); // cppcheck-suppress getpwuidCalled
    char *file = NULL;
    if (!home && user)
        home = user->pw_dir;
    if (!home || asprintf(&file, "%s/.netrc", home) < 0)
        return NULL;
    return file;
}

static int none_found(struct ds_call *call, const char *host)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (directory && !exists(directory))
        return ds_call_fail(
            call, -EACCES,
            "no credentials for %.60s: $CREDENTIALS_DIRECTORY is %.80s, which is not "
            "there (systemd makes none for a mount unit): use -o credentials=FILE",
            host, directory);
    return ds_call_fail(call, -EACCES,
                        "no credentials for %.80s: use -o credentials=FILE (lines username= and "
                        "password=), /etc/datasetfs/credentials (root), $DATASETFS_USERNAME and "
                        "$DATASETFS_PASSWORD, or ~/.netrc",
                        host);
}

static int find(struct ds_credentials *credentials, const char *file, struct ds_login *login,
                struct ds_call *call)
{
    char *path DS_AUTO_FREE = NULL;
    if (file)
        return use_file(credentials, DS_LOGIN_FILE_PRIVATE, file, login, call);
    int err = systemd_file(&path);
    if (err)
        return err;
    if (path)
        return use_file(credentials, DS_LOGIN_FILE_SYSTEMD, path, login, call);
    if (getenv("DATASETFS_USERNAME") || getenv("DATASETFS_PASSWORD"))
        return use_variables(credentials, "DATASETFS_USERNAME", "DATASETFS_PASSWORD", login, call);
    if (govc_names(credentials->host) && (getenv("GOVC_USERNAME") || getenv("GOVC_PASSWORD")))
        return use_variables(credentials, "GOVC_USERNAME", "GOVC_PASSWORD", login, call);
    if (has_system_file())
        return use_file(credentials, DS_LOGIN_FILE_PRIVATE, system_file, login, call);
    path = home_file();
    if (path && exists(path)) {
        err = use_file(credentials, DS_LOGIN_FILE_NETRC, path, login, call);
        return err == -ENODATA ? none_found(call, credentials->host) : err;
    }
    return none_found(call, credentials->host);
}

int ds_credentials_new(const char *file, const char *host, struct ds_login *login,
                       struct ds_call *call, struct ds_credentials **out)
{
    struct ds_credentials *credentials = calloc(1, sizeof *credentials);
    if (!credentials)
        return -ENOMEM;
    credentials->host = strdup(host);
    int err = credentials->host ? find(credentials, file, login, call) : -ENOMEM;
    ds_credentials_wipe_environment();
    if (err)
        ds_credentials_free(credentials);
    else
        *out = credentials;
    return err;
}

int ds_credentials_prepare(const char *file, struct ds_confine *confine)
{
    char *path DS_AUTO_FREE = file ? ds_path_absolute(file) : NULL;
    if (file)
        return path ? ds_confine_file(confine, path, false) : 0;
    /* As find() goes: what it does not come to is of no use. */
    int err = systemd_file(&path);
    if (err || path)
        return err ? err : ds_confine_file(confine, path, false);
    if (has_system_file())
        return ds_confine_file(confine, system_file, false);
    path = home_file();
    return path && exists(path) ? ds_confine_file(confine, path, false) : 0;
}

int ds_credentials_refresh(const struct ds_credentials *credentials, struct ds_login *login,
                           struct ds_call *call)
{
    /* A file that is gone, or a home directory that is not mounted now, is no reason to fail; a
     * descriptor's name may be another file's by now. */
    if (!credentials->file || ds_path_is_descriptor(credentials->file) ||
        access(credentials->file, R_OK) != 0)
        return 0;
    int err = read_file(credentials, login, call);
    return err == -ENODATA ? -EACCES : err;
}

const char *ds_credentials_origin(const struct ds_credentials *credentials)
{
    return credentials->origin;
}

void ds_credentials_free(struct ds_credentials *credentials)
{
    if (!credentials)
        return;
    free(credentials->file);
    free(credentials->host);
    free(credentials->origin);
    free(credentials);
}
