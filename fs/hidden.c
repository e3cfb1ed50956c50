/* Files below the mount point. */
#include "hidden.h"

#include "cleanup.h"
#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The mount point, and what is wrong with a file below it. */
struct cover {
    const char *path;
    struct stat directory;
    char *why;
};

static int check(const struct cover *cover, const char *file)
{
    if (file == NULL || !ds_walk_passes(file, &cover->directory))
        return 0;
    snprintf(cover->why, FS_HIDDEN_WHY_BYTES,
             "%.200s lies below the mount point %.200s, which would hide it from the daemon itself",
             file, cover->path);
    return -EINVAL;
}

/* The same for a file that is used if it is there. */
static int check_if_there(const struct cover *cover, const char *folder, const char *name)
{
    char *file DS_AUTO_FREE = NULL;

    if (folder == NULL || asprintf(&file, "%s/%s", folder, name) < 0)
        return 0;
    return access(file, F_OK) == 0 ? check(cover, file) : 0;
}

static int check_https(const struct cover *cover, const struct fs_options *options)
{
    int err = check(cover, options->store.cacert);

    if (err == 0 && options->store.credentials != NULL)
        return check(cover, options->store.credentials);
    if (err == 0)
        err = check_if_there(cover, getenv("CREDENTIALS_DIRECTORY"), "datasetfs");
    if (err == 0)
        err = check_if_there(cover, "/etc/datasetfs", "credentials");
    if (err == 0)
        err = check_if_there(cover, getenv("HOME"), ".netrc");
    return err;
}

int fs_hidden_check(const struct fs_options *options, const char *source, const char *path,
                    char *why)
{
    struct cover cover = {.path = path, .why = why};

    if (stat(path, &cover.directory) != 0) {
        int err = -errno;

        snprintf(why, FS_HIDDEN_WHY_BYTES, "mount point %s: %s", path, strerror(-err));
        return err;
    }
    if (strncasecmp(source, "https:", 6) == 0)
        return check_https(&cover, options);
    return check(&cover, strchr(source, '/'));
}
