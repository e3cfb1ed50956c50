/* One function per fuzzer, as libFuzzer knows it, and what they have in common. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Aborts on a finding; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is promised; else says what was, and where. */
#define require(condition) ((condition) ? (void)0 : tell_finding(__FILE__, __LINE__, #condition))

_Noreturn static inline void tell_finding(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
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
