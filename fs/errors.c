/* A ring of the last failures. */
#include "errors.h"

#include "cleanup.h"
#include "log.h"
#include "name.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct failure {
    time_t when;
    const char *operation; /* static */
    int error;
    char path[2 * (FS_NAME_MAX_BYTES + 1) + 1];
    char text[256];
};

struct fs_errors {
    pthread_mutex_t lock; /* everything below */
    struct failure ring[FS_ERRORS_KEPT];
    size_t added; /* since the start; the next goes to added % FS_ERRORS_KEPT */
};

struct fs_errors *fs_errors_new(void)
{
    struct fs_errors *errors = calloc(1, sizeof(*errors));

    if (errors != NULL)
        pthread_mutex_init(&errors->lock, NULL);
    return errors;
}

void fs_errors_free(struct fs_errors *errors)
{
    if (errors != NULL) {
        pthread_mutex_destroy(&errors->lock);
        free(errors);
    }
}

static void print_path(const char *dataset, const char *key, char *path, size_t size)
{
    char name[FS_NAME_MAX_BYTES + 1] = "", sub[FS_NAME_MAX_BYTES + 1] = "";

    if (dataset != NULL)
        fs_name_encode(FS_NAME_IN_ROOT, dataset, name);
    if (key != NULL)
        fs_name_encode(FS_NAME_IN_DATASET, key, sub);
    if (key != NULL)
        snprintf(path, size, "/%s/%s", name, sub);
    else
        snprintf(path, size, "/%s", name);
}

void fs_errors_clean(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
}

void fs_errors_add(struct fs_errors *errors, const char *operation, const char *dataset,
                   const char *key, int error, const char *text)
{
    struct failure failure = {.when = time(NULL), .operation = operation, .error = error};

    print_path(dataset, key, failure.path, sizeof(failure.path));
    snprintf(failure.text, sizeof(failure.text), "%s", text[0] != '\0' ? text : strerror(-error));
    fs_errors_clean(failure.text);
    ds_log(DS_LOG_WARNING, "%s %s: %s (%s)", operation, failure.path, failure.text,
           strerrorname_np(-error));

    DS_LOCK_SCOPE(&errors->lock);
    errors->ring[errors->added++ % FS_ERRORS_KEPT] = failure;
}

int fs_errors_print(struct fs_errors *errors, struct ds_buf *out)
{
    DS_LOCK_SCOPE(&errors->lock);
    size_t first = errors->added > FS_ERRORS_KEPT ? errors->added - FS_ERRORS_KEPT : 0;

    for (size_t i = first; i < errors->added; i++) {
        const struct failure *failure = &errors->ring[i % FS_ERRORS_KEPT];
        struct tm utc;
        char when[32];
        int err;

        gmtime_r(&failure->when, &utc);
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
        err = ds_buf_printf(out, "%s\t%s\t%s\t%s\t%s\n", when, failure->operation, failure->path,
                            strerrorname_np(-failure->error), failure->text);
        if (err != 0)
            return err;
    }
    return 0;
}
