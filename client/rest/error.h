/* What vCenter's error types and HTTP statuses mean as errnos; pure. */
#ifndef DS_REST_ERROR_H
#define DS_REST_ERROR_H

#include <stdbool.h>

/* The negative errno of a failed request. `type` is the reply's error_type in any spelling
 * ("NOT_FOUND", "not_found", "com.vmware.vapi.std.errors.not_found"), which decides if it is known;
 * else `status`, the HTTP status, does. NULL or empty: the reply has none. -EIO if neither is
 * known. `message` only tells which limit an invalid argument was over; may be NULL. */
int ds_rest_errno(const char *type, int status, const char *message);

/* True if it says that the session is over. */
bool ds_rest_is_unauthenticated(const char *type, int status);

/* True if the HTTP status is one that a success comes with. */
bool ds_rest_is_success(int status);

#endif
