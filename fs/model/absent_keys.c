/* Keys that were asked for in vain. */
#include "absent_keys.h"

#include "call.h"
#include "text/digest.h"

#include <stddef.h>
#include <string.h>

enum {
    LATEST = sizeof(((struct fs_absent_keys *)NULL)->latest) /
             sizeof(((struct fs_absent_keys *)NULL)->latest[0])
};

static uint64_t digest_of(const struct fs_dataset *dataset, const char *key)
{
    uint64_t digest = fs_digest((uintptr_t)dataset, key, strlen(key));

    return digest != 0 ? digest : 1;
}

void fs_absent_note(struct fs_absent_keys *keys, pid_t tid, const struct fs_dataset *dataset,
                    const char *key, int64_t ms)
{
    if (tid == 0)
        return;
    keys->latest[keys->next].tid = tid;
    keys->latest[keys->next].key = digest_of(dataset, key);
    keys->latest[keys->next].until_ms = ds_call_now_ms() + ms;
    keys->next = (keys->next + 1) % LATEST;
}

bool fs_absent_holds(const struct fs_absent_keys *keys, pid_t tid, const struct fs_dataset *dataset,
                     const char *key)
{
    uint64_t digest = digest_of(dataset, key);

    for (unsigned i = 0; i < LATEST; i++)
        if (keys->latest[i].tid == tid && keys->latest[i].key == digest && tid != 0)
            if (ds_call_now_ms() <= keys->latest[i].until_ms)
                return true;
    return false;
}

void fs_absent_over(struct fs_absent_keys *keys, const struct fs_dataset *dataset, const char *key)
{
    uint64_t digest = digest_of(dataset, key);

    for (unsigned i = 0; i < LATEST; i++)
        if (keys->latest[i].key == digest)
            keys->latest[i].key = 0;
}
