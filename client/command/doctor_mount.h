/* What a mount needs on this machine, whatever the SOURCE. */
#ifndef DS_DOCTOR_MOUNT_H
#define DS_DOCTOR_MOUNT_H

#include "../base/report.h"

/* Looks at /dev/fuse, fusermount3, /etc/fuse.conf, what confines a daemon, and mounts of `source`
 * that are there; tells what it finds. */
void ds_doctor_mount(const char *source, struct ds_report *report);

#endif
