/* SHA-256 (FIPS 180-4) of bytes in memory. */
#ifndef DS_SHA256_H
#define DS_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define DS_SHA256_BYTES 32

void ds_sha256(const void *data, size_t len, uint8_t digest[DS_SHA256_BYTES]);

#endif
