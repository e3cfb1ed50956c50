/* Asking the store of a machine. */
#ifndef FS_ASK_H
#define FS_ASK_H

#include "turn.h"

/* Brackets a call of ds_client_*() with request->call and vm->client. As fs_turn_begin(); in an
 * inventory the client is opened when it is first needed, with those errors of
 * ds_inventory_open_machine(), and the machine must be there, as fs_find_know(). */
int fs_ask_begin(struct fs_request *request, struct fs_vm *vm, bool change);
void fs_ask_end(struct fs_request *request, struct fs_vm *vm);

#endif
