/* What threads wait for. */
#include "waits.h"

#include "process.h"

/* One turn is for the answer to each request: that to the first was under way at the beginning,
 * that to the last one is still to come. */
static bool ours_alone(struct fs_watched *watched, pid_t tid, int64_t turns)
{
    return tid != 0 && atomic_load(&watched->tid) == tid && turns >= 0 &&
           turns <= atomic_load(&watched->turns) + atomic_load(&watched->waits);
}

bool fs_waits_ours_alone(struct fs_kernel *kernel, size_t place, pid_t tid)
{
    return ours_alone(&kernel->watched[place], tid, fs_process_turns(tid));
}

bool fs_waits_begin(struct fs_kernel *kernel, size_t place, pid_t tid)
{
    struct fs_watched *watched = &kernel->watched[place];
    int64_t turns = tid != 0 ? fs_process_turns(tid) : -1;
    bool ours = ours_alone(watched, tid, turns);

    atomic_store(&watched->tid, turns < 0 ? 0 : tid);
    atomic_store(&watched->turns, turns);
    atomic_store(&watched->waits, 0);
    return ours;
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
