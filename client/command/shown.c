/* How a DataSet and a key are named to people. */
#include "shown.h"

#include <string.h>

const char *ds_shown(const char *dataset, const char *key, char out[DS_SHOWN_BYTES])
{
    char *end;

    ds_file_name_encode(DS_FILE_NAME_IN_ROOT, dataset, out);
    if (key == NULL)
        return out;
    end = out + strlen(out);
    *end = '/';
    ds_file_name_encode(DS_FILE_NAME_IN_DATASET, key, end + 1);
    return out;
}
