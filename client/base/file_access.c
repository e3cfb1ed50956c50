/* What this thread may do with a file. */
#include "file_access.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 11's C library has no function for it, and answers for the effective user instead. */
enum { CALL_FACCESSAT2 = 439 };

int ds_file_access(int directory, const char *name, int mode)
{
    return syscall(CALL_FACCESSAT2, directory, name, mode, AT_EACCESS) == 0 ? 0 : -errno;
}
