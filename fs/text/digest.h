/* Hashes of bytes. Not for safety against a forger who knows the seed. */
#ifndef FS_DIGEST_H
#define FS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

uint64_t fs_digest(uint64_t seed, const char *data, size_t len);

#endif
