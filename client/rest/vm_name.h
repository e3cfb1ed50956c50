/* Names of virtual machines, folders and so on as vSphere stores them: with '/', '\' and '%' as
 * "%2f", "%5c" and "%25". Pure. */
#ifndef DS_REST_VM_NAME_H
#define DS_REST_VM_NAME_H

#include "buf.h"

/* Appends the name in that form. 0 or -ENOMEM. */
int ds_vm_name_store(struct ds_buf *out, const char *name);

/* Turns a stored name into what it means, in place. Any other '%' stays: not all servers store
 * names so. */
void ds_vm_name_read(char *name);

/* Adds the name to a URL's query in both forms, for nobody says which of them the server takes. 0
 * or -ENOMEM. */
int ds_vm_name_add(struct ds_buf *url, const char *name);

#endif
