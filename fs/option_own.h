/* The options that mean something to datasetfs itself. */
#ifndef FS_OPTION_OWN_H
#define FS_OPTION_OWN_H

#include "model/options.h"
#include "option.h"

/* Of struct fs_options, up to one without a name. */
extern const struct ds_option fs_option_own[];

#endif
