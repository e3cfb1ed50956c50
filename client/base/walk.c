/* Following a file's name. */
#include "walk.h"

#include "cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { LINKS_MAX = 40 /* as the kernel's */ };

/* What one looks for: in a directory on the way, or (`link`) at a symbolic link in it. */
typedef bool looks_for(const void *context, const struct stat *directory, bool link);

static int open_at(int at, const char *name)
{
    return openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* Cuts the first part off `*rest`; NULL if there is none. */
static char *next_part(char **rest)
{
    char *part = *rest + strspn(*rest, "/");
    char *end = part + strcspn(part, "/");
    if (!*part)
        return NULL;
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return part;
}

/* Puts where a link leads before what is left of the name. False without memory. */
static bool follow(char **name, char **rest, const char *target)
{
    char *joined = NULL;
    if (asprintf(&joined, "%s/%s", target, *rest) < 0)
        return false;
    free(*name);
    *name = *rest = joined;
    return true;
}

static void move_to(int *at, int next)
{
    if (*at >= 0)
        close(*at);
    *at = next;
}

/* True as soon as it is found; false at the end of the way. */
static bool search(const char *file, looks_for *found, const void *context)
{
    int at DS_AUTO_CLOSE = open_at(AT_FDCWD, *file == '/' ? "/" : ".");
    char *name DS_AUTO_FREE = strdup(file);
    char *rest = name;
    struct stat directory;
    for (int links = 0; name && links <= LINKS_MAX;) {
        if (at < 0 || fstat(at, &directory) != 0 || !S_ISDIR(directory.st_mode))
            return false;
        if (found(context, &directory, false))
            return true;
        const char *part = next_part(&rest);
        char target[PATH_MAX];
        ssize_t len = part ? readlinkat(at, part, target, sizeof target - 1) : -1;
        if (!part)
            return false;
        if (len < 0) {
            move_to(&at, open_at(at, part));
            continue;
        }
        target[len] = '\0';
        if (found(context, &directory, true))
            return true;
        if (*target == '/')
            move_to(&at, open_at(AT_FDCWD, "/"));
        if (!follow(&name, &rest, target))
            return false;
        links++;
    }
    return false;
}

static bool is_directory(const void *context, const struct stat *directory, bool link)
{
    const struct stat *wanted = context;
    return !link && directory->st_dev == wanted->st_dev && directory->st_ino == wanted->st_ino;
}

bool ds_walk_passes(const char *file, const struct stat *directory)
{
    return search(file, is_directory, directory);
}

static bool is_link_of_others(const void *context, const struct stat *directory, bool link)
{
    (void)context;
    return link && (directory->st_mode & S_IWOTH);
}

bool ds_walk_is_others(const char *file)
{
    return search(file, is_link_of_others, NULL);
}
