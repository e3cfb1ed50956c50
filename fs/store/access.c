/* What a DataSet's access allows. */
#include "access.h"

#include "query_dataset.h"

#include <errno.h>

/* How old what is known of a DataSet may be for what it shows, by what it shows. */
static int64_t shown_ms(const struct fs *fs, const struct fs_dataset *dataset)
{
    if (!fs->options->allow_other)
        return FS_QUERY_SHOWN_MS;
    switch (fs_dataset_access(dataset)) {
    case DS_ACCESS_NONE:
        return FS_ACCESS_REFUSE_MS;
    case DS_ACCESS_READ_ONLY:
        return FS_QUERY_SHOWN_MS;
    case DS_ACCESS_READ_WRITE:
    case DS_ACCESS_UNKNOWN:
        break;
    }
    return FS_ACCESS_TRUST_MS;
}

int fs_access_show(struct fs_request *request, struct fs_dataset *dataset, bool itself)
{
    struct fs *fs = request->fs;
    int64_t age_ms;
    int err;

    if (!itself && !fs->options->allow_other)
        return 0; /* ACCESS and OPEN decide, not what is shown */
    pthread_mutex_lock(&fs->lock);
    age_ms = shown_ms(fs, dataset);
    pthread_mutex_unlock(&fs->lock);
    err = fs_query_patiently(request, dataset, age_ms);
    if (err != -ENOENT)
        return err;
    request->call.text[0] = '\0'; /* whoever looks the name up is told that it is missing */
    return -ESTALE;
}

static bool allows(enum ds_access access, enum fs_need need)
{
    return access == DS_ACCESS_UNKNOWN || access == DS_ACCESS_READ_WRITE ||
           (access == DS_ACCESS_READ_ONLY && need == FS_NEED_READ);
}

int fs_access_allow(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                    enum fs_need need)
{
    struct fs *fs = request->fs;
    int64_t trust_ms[] = {FS_ACCESS_TRUST_MS, FS_ACCESS_REFUSE_MS};
    enum ds_access access = DS_ACCESS_UNKNOWN;

    for (unsigned i = 0; i < sizeof(trust_ms) / sizeof(trust_ms[0]); i++) {
        int err = fs_query_refresh(request, dataset, trust_ms[i]);

        if (err != 0)
            return err;
        pthread_mutex_lock(&fs->lock);
        access = fs_dataset_access(dataset);
        pthread_mutex_unlock(&fs->lock);
        if (allows(access, need))
            return 0;
    }
    fs_request_about(request, dataset->name, key);
    return ds_call_fail(&request->call, -EACCES, "the DataSet is %s for the %s",
                        ds_access_name(access),
                        dataset->vm->caps->side == DS_SIDE_GUEST ? "guest" : "host");
}

int fs_access_allow_node(struct fs_request *request, const struct fs_node *node, enum fs_need need)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset;
    int err;

    /* A rename may give the node another key and DataSet meanwhile. */
    pthread_mutex_lock(&fs->lock);
    dataset = node->dataset;
    fs_dataset_ref(dataset);
    pthread_mutex_unlock(&fs->lock);
    err = fs_access_allow(request, dataset, NULL, need);
    pthread_mutex_lock(&fs->lock);
    fs_dataset_unref(dataset);
    if (err == -EACCES)
        fs_request_about(request, node->dataset->name, node->key);
    pthread_mutex_unlock(&fs->lock);
    return err;
}
