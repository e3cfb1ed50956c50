/* Memory for what nobody else may see, and what keeps it from spreading. */
#ifndef DS_REST_SECRET_H
#define DS_REST_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed pages that are neither swapped (if the limit of locked memory allows) nor dumped nor seen
 * by a forked child. NULL if there is no memory. ds_secret_free() wipes them; harmless on NULL. */
void *ds_secret_new(size_t size);
void ds_secret_free(void *secret, size_t size);

/* Overwrites `size` bytes, also where a compiler sees no use in it. */
void ds_secret_wipe(void *data, size_t size);

/* Clears the calling thread's vector registers: copying leaves there what was copied, sometimes for
 * as long as the thread waits, and a core shows it (glibc's memcpy takes registers that little else
 * uses). Before a thread waits that has handled a secret. */
void ds_secret_clear_registers(void);

/* Once per process, before it has secrets: no core file, no tracing by other processes of the same
 * user, and nothing of the memory in a core that root forces; libcurl and jansson wipe what they
 * free. libcurl is ready to use afterwards. 0 or a negative errno. */
int ds_secret_protect_process(void);

/* Tells libcurl's lack of memory from the limits of its own that it calls by the same name: true if
 * an allocation of libcurl has failed since ds_secret_watch_memory(), or if that cannot be known
 * because libcurl has other memory functions than ours. Any thread. */
struct ds_secret_memory {
    uint_fast64_t failures;
};
void ds_secret_watch_memory(struct ds_secret_memory *memory);
bool ds_secret_lacked_memory(const struct ds_secret_memory *memory);

#endif
