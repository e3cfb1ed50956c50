/* The options that go to libfuse and the kernel, and the words of fstab that mean nothing here. */
#ifndef FS_OPTION_KERNEL_H
#define FS_OPTION_KERNEL_H

#include "buf.h"
#include "option.h"

#include <stdbool.h>

struct fs_option_words {
    struct ds_buf words; /* what goes to libfuse so far, each word with a comma behind it */
    bool allow_other;
    bool allow_root;
};

/* Of struct fs_option_words, up to one without a name. */
extern const struct ds_option fs_option_kernel[];

#endif
