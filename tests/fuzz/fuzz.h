/* One function per fuzzer, as libFuzzer knows it, and what they have in common. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Aborts on a finding; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is promised. */
static inline void require(int condition)
{
    if (!condition)
        abort();
}

/* The bytes as a text, whose end is the first zero among them. The caller frees it. */
static inline char *copy_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
