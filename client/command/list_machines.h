/* ls and info of an inventory. */
#ifndef DS_LIST_MACHINES_H
#define DS_LIST_MACHINES_H

#include "session.h"

/* Prints the machines' names: a line each as a mount of all of them shows them, or raw with --json
 * or -0. The status; what went wrong is told. */
enum ds_status ds_list_machines_names(struct ds_session *session);

/* Prints an array of objects with the machines' names, ids and power states. The same. */
enum ds_status ds_list_machines_info(struct ds_session *session);

#endif
