/* File names of virtual machines, both ways. Pure.
 *
 * A machine's file name is its name, escaped as a DataSet's in the root of a mount (file_name.h).
 * "vm-" and digits always mean the id, so a machine that is itself named so has "name=" in front,
 * and so has one whose name begins with "name=". Of several machines of one name each has "%" and
 * its id behind it, for a bare "%" is in no escaped name. A name too long for that is shortened as
 * a key's; of several of one such name each is shown by its id.
 */
#ifndef DS_MACHINE_NAME_H
#define DS_MACHINE_NAME_H

#include "file_name.h"

#include <stdbool.h>

/* True for "vm-" and digits. */
bool ds_machine_name_is_id(const char *text);

/* Writes the one file name of the machine. `ambiguous`: another machine has the same name; `id` is
 * then one by ds_machine_name_is_id(). */
void ds_machine_name_encode(const char *name, const char *id, bool ambiguous,
                            char file_name[DS_FILE_NAME_MAX_BYTES + 1]);

/* What a file name asks for. Both owned; NULL: any. */
struct ds_machine_name {
    char *name;
    char *id;
};

/* Reads a file name: an id alone, a name alone, or both, where "NAME%vm-42" is the machine of that
 * id as long as it has that name. Whether a name alone is the right one, or others have it too, is
 * for a listing to say. -EINVAL: not the encoding of its own decoding, so no machine has it, or it
 * is a shortened one; -EILSEQ not UTF-8; -ENAMETOOLONG; -ENOMEM. */
int ds_machine_name_decode(const char *file_name, struct ds_machine_name *out);

void ds_machine_name_clear(struct ds_machine_name *name);

#endif
