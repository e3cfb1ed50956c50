/* Where a user's name and password come from. */
#ifndef DS_REST_CREDENTIALS_H
#define DS_REST_CREDENTIALS_H

#include "call.h"
#include "confine.h"
#include "login.h"

struct ds_credentials;

/* Finds the credentials for `host`: `file` if it is not NULL; else, in this order, the file
 * "datasetfs" in $CREDENTIALS_DIRECTORY (systemd), $DATASETFS_USERNAME and $DATASETFS_PASSWORD,
 * $GOVC_USERNAME and $GOVC_PASSWORD if $GOVC_URL names `host`, /etc/datasetfs/credentials (root
 * only), and ~/.netrc. Reads them into `login`. Wipes these names and passwords in the environment,
 * also where they were not used. Only while the process has one thread and before it changes
 * directory.
 *
 * -EACCES there are none, a file lets others read it or belongs to somebody else; -EINVAL a file is
 * not understood, or a user name has a ':', which HTTP cannot send; the errno of reading it. With
 * words, which hold no credential. */
int ds_credentials_new(const char *file, const char *host, struct ds_login *login,
                       struct ds_call *call, struct ds_credentials **out);

/* Notes the directories of the files that credentials are read from, now and later, given the same
 * `file`. 0 or a negative errno. */
int ds_credentials_prepare(const char *file, struct ds_confine *confine);

/* Wipes the names and passwords in the environment. */
void ds_credentials_wipe_environment(void);

/* Reads them again, if they came from a file and that can still be read; otherwise `login` stays as
 * it is. Symbolic links are followed anew. Returns 0, or one of the errors above with words when
 * the file is there but must not be used or no longer has them: then too `login` stays. */
int ds_credentials_refresh(const struct ds_credentials *credentials, struct ds_login *login,
                           struct ds_call *call);

/* Where they come from, for messages: "FILE" or "$DATASETFS_USERNAME". */
const char *ds_credentials_origin(const struct ds_credentials *credentials);

/* Harmless on NULL. */
void ds_credentials_free(struct ds_credentials *credentials);

#endif
