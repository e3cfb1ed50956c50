/* What the mount was asked to be and do. */
#include "options.h"

#include <stdlib.h>

void fs_options_clear(struct fs_options *options)
{
    free(options->name_space);
    free(options->source);
    free(options->mountpoint);
    free(options->kernel_options);
    free(options->scratch);
    ds_store_options_clear(&options->store);
    *options = (struct fs_options){0};
}
