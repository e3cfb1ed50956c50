/* A store on a small disk. */
#ifndef SMALL_DISK_H
#define SMALL_DISK_H

#include "client.h"

/* A small file system of our own (`options` of tmpfs), in a mount namespace of our own: its
 * directory. Skips the test if that is not allowed. */
char *small_disk_mount(const char *options);
void small_disk_end(char *directory);

/* Opens the local store there, from the host's side, and makes the DataSet "d" in it. */
struct ds_client *small_disk_open(const char *directory, struct ds_call *call);

#endif
