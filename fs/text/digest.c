/* MurmurHash3's mixing, 64 bits wide. */
#include "digest.h"

#include <string.h>

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static uint64_t mix_word(uint64_t hash, uint64_t word)
{
    word *= UINT64_C(0x87c37b91114253d5);
    word = rotate(word, 31) * UINT64_C(0x4cf5ad432745937f);
    return rotate(hash ^ word, 27) * 5 + 0x52dce729;
}

uint64_t fs_digest(uint64_t seed, const char *data, size_t len)
{
    uint64_t hash = mix_word(seed, len), word = 0;
    size_t at;

    for (at = 0; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, data + at, sizeof(word));
        hash = mix_word(hash, word);
    }
    word = 0;
    if (len > at)
        memcpy(&word, data + at, len - at);
    hash = mix_word(hash, word);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}
