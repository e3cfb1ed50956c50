/* Finding a virtual machine by its name. */
#ifndef DS_REST_VM_H
#define DS_REST_VM_H

#include "session.h"

/* The id of the one machine with that name, owned by the caller; '/', '\\' and '%' in it may also
 * stand there as vSphere stores them ("%2f", "%5c", "%25"). -ENODEV there is none, or there are
 * several, whose ids are in the words; -EOPNOTSUPP the server lists no machines; errors of reply.h.
 */
int ds_vm_find(struct ds_session *session, const char *base, const char *name, struct ds_call *call,
               char **out);

#endif
