/* The options that go to libfuse and the kernel, and the words of fstab that mean nothing here. */
#ifndef FS_OPTION_KERNEL_H
#define FS_OPTION_KERNEL_H

#include "option.h"

/* Ends with one without a name. */
extern const struct fs_option fs_option_kernel[];

#endif
