/* What threads were told is missing. */
#include "absent_keys.h"

#include "call.h"
#include "kernel/waits.h"
#include "key_history.h"

#include <string.h>

/* Counting a thread's waits is begun anew no sooner, since that costs more than a local store's
 * answer. */
enum { RENEWED_MS = 2 };

static struct fs_absences *absences_of(struct fs *fs, pid_t tid)
{
    for (size_t i = 0; tid != 0 && i < FS_WATCHED; i++)
        if (fs->absent.latest[i].tid == tid)
            return &fs->absent.latest[i];
    return NULL;
}

static uint64_t number_of(const struct fs_node *node)
{
    return fs_history_number(node->dataset->vm, node->dataset->name, node->key, FS_NUMBER_NAME);
}

bool fs_absent_answers(struct fs *fs, const struct fs_node *node, pid_t tid)
{
    struct fs_absences *absences = absences_of(fs, tid);
    int64_t since_ms = ds_call_now_ms() - FS_FRESH_MS;
    uint64_t number = absences != NULL ? number_of(node) : 0;

    for (size_t i = 0; absences != NULL && i < FS_ABSENCES; i++) {
        if (absences->keys[i].number != number || absences->keys[i].at_ms <= since_ms)
            continue;
        if (fs_waits_ours_alone(&fs->kernel, (size_t)(absences - fs->absent.latest), tid))
            return true;
        absences->tid = 0;
        return false;
    }
    return false;
}

void fs_absent_tell(struct fs *fs, const struct fs_node *node, pid_t tid)
{
    struct fs_absences *absences = absences_of(fs, tid);
    int64_t now_ms = ds_call_now_ms();

    if (absences == NULL) {
        absences = &fs->absent.latest[fs->absent.next];
        fs->absent.next = (fs->absent.next + 1) % FS_WATCHED;
        absences->tid = 0;
    }
    if (absences->tid == 0 || now_ms - absences->begun_ms >= RENEWED_MS) {
        if (!fs_waits_begin(&fs->kernel, (size_t)(absences - fs->absent.latest), tid))
            memset(absences, 0, sizeof(*absences));
        absences->tid = tid;
        absences->begun_ms = now_ms;
    }
    absences->keys[absences->next].number = number_of(node);
    absences->keys[absences->next].at_ms = now_ms;
    absences->next = (absences->next + 1) % FS_ABSENCES;
}
