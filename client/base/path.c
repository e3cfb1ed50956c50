/* Names of files that outlive a change of the working directory. */
#include "path.h"

#include "cleanup.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

bool ds_path_is_descriptor(const char *file)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", "/dev/stdin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (!strncmp(file, folders[i], strlen(folders[i])))
            return true;
    return false;
}

char *ds_path_absolute(const char *file)
{
    char *here DS_AUTO_FREE = *file == '/' ? NULL : getcwd(NULL, 0);
    char *name = ds_path_is_descriptor(file) ? realpath(file, NULL) : NULL;
    if (name && access(name, F_OK) == 0)
        return name;
    free(name); /* deleted, or out of reach by its name */
    name = NULL;
    if (*file == '/')
        return strdup(file);
    return here && asprintf(&name, "%s/%s", here, file) >= 0 ? name : NULL;
}
