/* Matching names against globs. */
#include "scratch_name.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

/* mkstemp(3) has six of them. */
enum { RUN_MIN = 6 };

/* Bytes of the longest set that a letter of a run stands for. */
enum { SET_MAX_BYTES = 11 };

static const char usual_globs[] =
    ".*.sw[a-px]:.*.swpx:4913:"          /* vim's swap files, and whether it can create */
    "*~:.#*:#*#:"                        /* what editors rename or save on the way */
    "sedXXXXXX:[X][X]XXXXXX:.?*.XXXXXX:" /* sed -i; perl -i; rsync */
    ".goutputstream-XXXXXX:tmpYYYYYYYY:" /* GLib; Python */
    ".ansible_tmp*:.chef-*:"             /* Ansible, Chef */
    "?*[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9]*-[0-9a-z]*"; /* Puppet */

#define MADE(how) (1U << (how))

/* What a glob makes of the names that it matches. */
struct rule {
    const char *glob;
    unsigned made; /* of MADE(); otherwise a name is a key */
    enum fs_scratch_kind kind;
};

static const struct rule special[] = {
    {"*~", MADE(FS_MADE_BY_RENAME), FS_SCRATCH_CONTENT},
    {".*.sw[a-px]", MADE(FS_MADE_PRIVATELY) | MADE(FS_MADE_BY_RENAME), FS_SCRATCH_CONTENT},
    {".*.swpx", MADE(FS_MADE_PRIVATELY) | MADE(FS_MADE_BY_RENAME), FS_SCRATCH_CONTENT},
    {".#*", MADE(FS_MADE_PRIVATELY) | MADE(FS_MADE_BY_RENAME), FS_SCRATCH_CONTENT},
    {"#*#", MADE(FS_MADE_PRIVATELY) | MADE(FS_MADE_BY_RENAME), FS_SCRATCH_CONTENT},
    {"4913", MADE(FS_MADE_EXCLUSIVELY) | MADE(FS_MADE_PRIVATELY), FS_SCRATCH_PROBE},
    {".goutputstream-XXXXXX", MADE(FS_MADE_EXCLUSIVELY) | MADE(FS_MADE_PRIVATELY),
     FS_SCRATCH_CONTENT},
};

enum { SPECIAL_COUNT = sizeof(special) / sizeof(special[0]) };

/* A program makes these names up, and renames nothing to them; a person who does means a key. */
static const struct rule usual = {.made = MADE(FS_MADE_PRIVATELY), .kind = FS_SCRATCH_CONTENT};
/* Those of the mount's own list are what its user says they are. */
static const struct rule own = {.made = MADE(FS_MADE_PRIVATELY) | MADE(FS_MADE_BY_RENAME),
                                .kind = FS_SCRATCH_CONTENT};

enum fs_made fs_scratch_name_made(int open_flags, mode_t mode)
{
    if ((open_flags & O_EXCL) == 0)
        return FS_MADE_OPENLY;
    /* sed before 4.9 masks its own rights too. */
    if ((open_flags & O_ACCMODE) == O_RDWR && ((mode & 0777) == 0600 || (mode & 0777) == 0))
        return FS_MADE_PRIVATELY;
    return FS_MADE_EXCLUSIVELY;
}

/* Writes the glob with its runs of X and Y as sets for fnmatch(3). */
static void expand(const char *glob, size_t len, char *out)
{
    static const struct {
        char letter;
        const char *set;
    } runs[] = {{'X', "[A-Za-z0-9]"}, {'Y', "[a-z0-9_]"}};
    size_t at = 0;

    while (at < len) {
        size_t run = 1, which = 0;

        while (at + run < len && glob[at + run] == glob[at])
            run++;
        while (which < 2 && runs[which].letter != glob[at])
            which++;
        for (size_t i = 0; i < run; i++) {
            if (which < 2 && run >= RUN_MIN)
                out = stpcpy(out, runs[which].set);
            else
                *out++ = glob[at];
        }
        at += run;
    }
    *out = '\0';
}

static const struct rule *rule_of(const char *glob, size_t len, const struct rule *general)
{
    for (size_t i = 0; i < SPECIAL_COUNT; i++)
        if (strlen(special[i].glob) == len && memcmp(special[i].glob, glob, len) == 0)
            return &special[i];
    return general;
}

/* What is made by chance has a digit or a capital in it, nearly always; a word has none. */
static bool looks_random(const char *name)
{
    size_t len = strlen(name);

    return strpbrk(name + (len > RUN_MIN ? len - RUN_MIN : 0),
                   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

static bool matches(const char *glob, size_t len, const char *name)
{
    char pattern[FS_SCRATCH_GLOB_MAX_BYTES * SET_MAX_BYTES + 1];

    expand(glob, len, pattern);
    return fnmatch(pattern, name, 0) == 0;
}

enum fs_scratch_kind fs_scratch_name_kind(const char *globs, const char *name, enum fs_made made)
{
    const char *glob = globs != NULL ? globs : usual_globs;

    while (made != FS_MADE_OPENLY && *glob != '\0') {
        size_t len = strcspn(glob, ":");
        const struct rule *rule = rule_of(glob, len, globs != NULL ? &own : &usual);

        if ((rule->made & MADE(made)) != 0 && matches(glob, len, name) &&
            (made != FS_MADE_EXCLUSIVELY || rule->kind == FS_SCRATCH_PROBE || looks_random(name)))
            return rule->kind;
        glob += len + (glob[len] == ':' ? 1 : 0);
    }
    return FS_SCRATCH_NONE;
}

bool fs_scratch_name_globs_valid(const char *globs)
{
    for (;;) {
        size_t len = strcspn(globs, ":");

        if (len == 0 || len > FS_SCRATCH_GLOB_MAX_BYTES)
            return false;
        if (globs[len] == '\0')
            return true;
        globs += len + 1;
    }
}
