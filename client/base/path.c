/* Names of files that outlive a change of the working directory. */
#include "path.h"

#include "cleanup.h"

#include <stdio.h>
#include <string.h>

char *ds_path_absolute(const char *file)
{
    char *here DS_AUTO_FREE = *file == '/' ? NULL : getcwd(NULL, 0);
    char *name = NULL;
    if (*file == '/')
        return strdup(file);
    return here && asprintf(&name, "%s/%s", here, file) >= 0 ? name : NULL;
}
