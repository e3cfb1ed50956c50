/* Memory for what nobody else may see, and what keeps it from spreading. */
#ifndef DS_REST_SECRET_H
#define DS_REST_SECRET_H

#include <stddef.h>

/* Zeroed pages that are neither swapped (if the limit of locked memory allows) nor dumped nor seen
 * by a forked child. NULL if there is no memory. ds_secret_free() wipes them; harmless on NULL. */
void *ds_secret_new(size_t size);
void ds_secret_free(void *secret, size_t size);

/* Overwrites `size` bytes, also where a compiler sees no use in it. */
void ds_secret_wipe(void *data, size_t size);

/* Once per process, before it has secrets: no core file, no tracing by other processes of the same
 * user, and nothing of the memory in a core that root forces; libcurl and jansson wipe what they
 * free. libcurl is ready to use afterwards. 0 or a negative errno. */
int ds_secret_protect_process(void);

#endif
