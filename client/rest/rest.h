/* The protocol "rest": DataSets from vCenter's side, over its REST interface. */
#ifndef DS_REST_REST_H
#define DS_REST_REST_H

#include "vcenter.h"

/* Opens the client of a checked https:// SOURCE: reads the credentials and, unless
 * options->delay_connect, logs in, finds the virtual machine and lists its DataSets. Afterwards the
 * process leaves no core file (secret.h). Relative names of files are looked up now. Errors:
 * -EACCES no or refused credentials, a refused certificate, or the privilege is missing;
 * -EHOSTUNREACH no such host; -ENODEV no such virtual machine; -EOPNOTSUPP the machine's hardware
 * is too old; the common ones of client.h. All with words for the user in call->text. */
int ds_rest_open(const char *source, const struct ds_source_options *options, struct ds_call *call,
                 struct ds_client **out);

/* The client of the machine with that id of a vCenter which is the caller's and lives longer,
 * without a request. -ENODEV, with words: it can be no machine's id; -ENOMEM. */
int ds_rest_open_shared(struct ds_vcenter *vcenter, const char *id, struct ds_call *call,
                        struct ds_client **out);

/* As ds_source_prepare(), for both kinds of https:// SOURCE. */
int ds_rest_prepare(const struct ds_source_options *options, struct ds_confine *confine);

#endif
