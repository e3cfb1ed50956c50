/* What an errno is called. */
#ifndef DS_ERRNO_NAME_H
#define DS_ERRNO_NAME_H

/* "EIO" for EIO (positive), never NULL. */
const char *ds_errno_name(int error);

#endif
