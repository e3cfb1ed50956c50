/* The options that mean something to datasetfs itself. */
#ifndef FS_OPTION_OWN_H
#define FS_OPTION_OWN_H

#include "option.h"

/* Ends with one without a name. */
extern const struct fs_option fs_option_own[];

#endif
