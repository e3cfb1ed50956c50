/* Exit statuses. */
#include "status.h"

#include <errno.h>

enum ds_status ds_status_of(int err, const struct ds_call *call)
{
    switch (err) {
    case 0:
        return DS_STATUS_OK;
    case -ENOENT:
    case -ENODEV:
        return DS_STATUS_NOT_THERE;
    case -EACCES:
    case -EPERM:
    case -EROFS:
    case -EOPNOTSUPP:
        return DS_STATUS_REFUSED;
    case -ETIMEDOUT:
    case -EHOSTUNREACH:
    case -EAGAIN:
        return DS_STATUS_NO_ANSWER;
    case -EIO: /* a connection that broke, or a damaged store */
        return ds_call_sent(call) == DS_SENT_MAYBE ? DS_STATUS_NO_ANSWER : DS_STATUS_FAILED;
    default:
        return DS_STATUS_FAILED;
    }
}
