/* The session with vCenter: one per mount, shared by all threads, renewed when it has ended. */
#ifndef DS_REST_SESSION_H
#define DS_REST_SESSION_H

#include "credentials.h"
#include "http.h"

struct ds_session;

/* A session that does not exist yet. `http` and `base` ("https://HOST[:PORT]") are borrowed until
 * the end. Errors of ds_credentials_new(); -ENOMEM. */
int ds_session_new(struct ds_http *http, const char *base, const char *host,
                   const char *credentials_file, struct ds_call *call, struct ds_session **out);

/* As ds_http_run(), with the session's token. Logs in where there is no session, and once more if
 * some of the requests answer that theirs is over; these alone are repeated (they were not carried
 * out). Threads that meet that together make one login. A login whose bytes have left is not
 * cancelled, for nobody would log it out. If no login is possible, each request that needs it gets
 * its error (-EACCES refused or still unauthenticated; -EAGAIN no more sessions; those of
 * ds_http_run()) with DS_SENT_NO. A server that does not accept a session it has just given gets no
 * new login for some seconds, and that session is ended before the next. */
void ds_session_run(struct ds_session *session, struct ds_call *call,
                    struct ds_http_request *const *requests, size_t count);

/* Logs in, if there is no session yet. 0, or an error of a login as above. */
int ds_session_log_in(struct ds_session *session, struct ds_call *call);

/* Where the user's name and password come from, for messages. */
const char *ds_session_origin(const struct ds_session *session);

/* Logs out, bounded by `call` (NULL: there is no session yet), and frees. 0, also for NULL; or the
 * error with words if the session may live on. */
int ds_session_free(struct ds_session *session, struct ds_call *call);

#endif
