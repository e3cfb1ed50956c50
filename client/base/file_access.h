/* What this thread may do with a file, as whoever it is in matters of files (fsuid). */
#ifndef DS_BASE_FILE_ACCESS_H
#define DS_BASE_FILE_ACCESS_H

/* 0 if it may use the name in `directory` (AT_FDCWD) so (R_OK, …), or a negative errno; -ENOSYS:
 * the kernel is older than 5.8. */
int ds_file_access(int directory, const char *name, int mode);

#endif
