/* Exit statuses, the same for all commands. */
#ifndef DS_STATUS_H
#define DS_STATUS_H

#include "call.h"

enum ds_status {
    DS_STATUS_OK = 0,
    DS_STATUS_NOT_THERE =
        1, /* no such key, DataSet or machine, what wait waits for, or doctor misses */
    DS_STATUS_USAGE = 2,
    DS_STATUS_REFUSED = 3,   /* access, login, certificate, not supported */
    DS_STATUS_NO_ANSWER = 4, /* the store cannot be reached or did not answer in time */
    DS_STATUS_FAILED = 5     /* anything else */
};

/* What a negative errno of a ds_client_*() call means; `call` is that of the request. */
enum ds_status ds_status_of(int err, const struct ds_call *call);

#endif
