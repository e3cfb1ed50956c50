/* File names of keys and DataSets, both ways. Pure.
 *
 * A key's name is the key with '/', '%', bytes 0x01-0x1F and 0x7F as %XX (upper-case hexadecimal)
 * and the whole keys ".", ".." and "" as "%2E", "%2E%2E" and "%". In the mount's root (DataSets)
 * the name ".datasetfs" belongs to the control directory, so a DataSet of that name is
 * "%2Edatasetfs". A name longer than DS_FILE_NAME_MAX_BYTES is shown as its first bytes, "%~" and
 * 16 lower-case hexadecimal digits of the key's SHA-256; such a name cannot be decoded, only
 * compared.
 */
#ifndef DS_FILE_NAME_H
#define DS_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define DS_FILE_NAME_MAX_BYTES 255
#define DS_FILE_NAME_CONTROL ".datasetfs"

enum ds_file_name_place { DS_FILE_NAME_IN_ROOT, DS_FILE_NAME_IN_DATASET };

/* Writes the one name of `key`, always a valid file name of 1 to 255 bytes that is UTF-8 if the key
 * is. A shortened name is cut at a code point and not inside a %XX. */
void ds_file_name_encode(enum ds_file_name_place place, const char *key,
                         char name[DS_FILE_NAME_MAX_BYTES + 1]);

/* Writes the shortened name of a key, whether or not its name would have to be. */
void ds_file_name_shorten(const char *key, char name[DS_FILE_NAME_MAX_BYTES + 1]);

/* The key of a name, newly allocated in `*key`; NULL-terminated. Errors: -EILSEQ the name is not
 * UTF-8; -ENAMETOOLONG longer than 255 bytes; -EINVAL not the encoding of its own decoding (so no
 * key has this name, or it is a shortened one); -ENOMEM. */
int ds_file_name_decode(enum ds_file_name_place place, const char *name, char **key);

/* True if `name` has the form of a shortened name: its key must be searched in a listing. */
bool ds_file_name_is_shortened(const char *name);

/* True if the key's name must be shortened. */
bool ds_file_name_needs_shortening(enum ds_file_name_place place, const char *key);

#endif
