/* What threads wait for. */
#include "waits.h"

#include "process.h"

bool fs_waits_begin(struct fs_kernel *kernel, size_t place, pid_t tid)
{
    struct fs_watched *watched = &kernel->watched[place];
    int64_t turns = tid != 0 ? fs_process_turns(tid) : -1;

    atomic_store(&watched->tid, turns < 0 ? 0 : tid);
    atomic_store(&watched->turns, turns);
    atomic_store(&watched->waits, 0);
    return turns >= 0;
}

bool fs_waits_ours_alone(struct fs_kernel *kernel, size_t place)
{
    struct fs_watched *watched = &kernel->watched[place];
    pid_t tid = atomic_load(&watched->tid);
    int64_t turns = tid != 0 ? fs_process_turns(tid) : -1;

    /* One turn for the answer to each, the first of which was under way at the beginning; that of
     * the last one is still to come. */
    if (turns >= 0 && turns <= atomic_load(&watched->turns) + atomic_load(&watched->waits))
        return true;
    atomic_store(&watched->tid, 0);
    return false;
}

void fs_waits_count(struct fs_kernel *kernel, enum fs_opcode opcode, pid_t tid)
{
    /* For these the kernel lets nobody wait, or not always. */
    if (tid == 0 || opcode == FS_FORGET || opcode == FS_READ || opcode == FS_RELEASE ||
        opcode == FS_RELEASEDIR)
        return;
    for (size_t i = 0; i < FS_WATCHED; i++)
        if (atomic_load_explicit(&kernel->watched[i].tid, memory_order_relaxed) == tid)
            atomic_fetch_add(&kernel->watched[i].waits, 1);
}
