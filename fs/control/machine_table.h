/* .datasetfs/machines of an inventory: a table of them (kind.h). */
#ifndef FS_MACHINE_TABLE_H
#define FS_MACHINE_TABLE_H

#include "model/kind.h"

int fs_table_know(struct fs_request *request, struct fs_node *node);
int fs_table_open(struct fs_request *request, struct fs_node *node);

#endif
