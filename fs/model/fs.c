/* What the parts of a mount ask of its state. */
#include "fs.h"

#include "call.h"
#include "kernel/request.h"

#include <stddef.h>

bool fs_silent(const struct fs *fs)
{
    int64_t now_ms = ds_call_now_ms();

    return now_ms < fs->silent_until_ms ||
           (fs->waiting != NULL && now_ms - fs->waiting->wait_start_ms > FS_SILENT_MS) ||
           fs_lost_rests(&fs->lost, now_ms);
}
