/* Names that are seldom a machine's. */
#include "absent_machines.h"

#include "call.h"
#include "listing.h"
#include "machines.h"
#include "text/digest.h"

#include <string.h>

/* Files that desktops and file managers look for in what is mounted. */
static const char *const looked_for[] = {"autorun.inf", "desktop.ini", "lost+found", "Thumbs.db"};

/* A name that begins with a dot, or a pattern that a shell has left as it is. */
static bool is_unlikely(const char *file_name)
{
    bool unlikely = file_name[0] == '.' || strpbrk(file_name, "*?[") != NULL;

    for (size_t i = 0; i < sizeof looked_for / sizeof *looked_for; i++)
        unlikely = unlikely || strcmp(file_name, looked_for[i]) == 0;
    return unlikely;
}

static uint64_t number_of(const char *file_name)
{
    return fs_digest(FS_INO_ROOT, file_name, strlen(file_name));
}

bool fs_absent_machine_answers(const struct fs *fs, const char *file_name)
{
    int64_t since_ms = ds_call_now_ms() - FS_MACHINES_TRUST_MS;
    uint64_t number;

    if (!is_unlikely(file_name))
        return false;
    if (fs_listing_lacks(fs->machines.listing, file_name) && fs->machines.listed_ms > since_ms)
        return true;
    number = number_of(file_name);
    for (size_t i = 0; i < FS_ABSENCES; i++)
        if (fs->absent_machines.latest[i].number == number &&
            fs->absent_machines.latest[i].at_ms > since_ms)
            return true;
    return false;
}

void fs_absent_machine_tell(struct fs *fs, const char *file_name)
{
    unsigned *next = &fs->absent_machines.next;

    if (!is_unlikely(file_name))
        return;
    fs->absent_machines.latest[*next].number = number_of(file_name);
    fs->absent_machines.latest[*next].at_ms = ds_call_now_ms();
    *next = (*next + 1) % FS_ABSENCES;
}
