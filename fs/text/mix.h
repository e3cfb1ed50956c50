/* Hashes of bytes. Not for safety against a forger who knows the seed. */
#ifndef FS_MIX_H
#define FS_MIX_H

#include <stddef.h>
#include <stdint.h>

uint64_t fs_mix(uint64_t seed, const char *data, size_t len);

#endif
