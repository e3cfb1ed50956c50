/* libfailalloc.so, to be preloaded: lets the Nth allocation fail from the moment on at which the
 * test says so through the shared file of failalloc.h. What the TLS library allocates is spared: it
 * does not say that it had no memory, and its errors are those of a connection. */
#include "failalloc.h"
#include "preloaded.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* The C library's own, by the names under which it exports them too. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

EXPORT void *fail_malloc(size_t size) __asm__("malloc");
EXPORT void *fail_calloc(size_t count, size_t size) __asm__("calloc");
EXPORT void *fail_realloc(void *block, size_t size) __asm__("realloc");

static struct failalloc *control;
static bool traces;

__attribute__((constructor)) static void begin(void)
{
    void *frame;
    traces = getenv(FAILALLOC_FILE "_TRACE") != NULL;
    backtrace(&frame, 1); /* the first one allocates */
    control = preloaded_control(FAILALLOC_FILE, sizeof *control);
}

static bool is_spared(const void *caller)
{
    Dl_info info;
    return dladdr(caller, &info) && info.dli_fname &&
           (strstr(info.dli_fname, "/libcrypto.") || strstr(info.dli_fname, "/libssl."));
}

/* With DS_FAILALLOC_TRACE in the environment, on standard error: who asked for it. */
static void tell(void)
{
    void *frames[24];
    if (traces)
        backtrace_symbols_fd(frames, backtrace(frames, 24), STDERR_FILENO);
}

static bool fails(const void *caller)
{
    if (!control || atomic_load(&control->left) <= 0 || is_spared(caller))
        return false;
    atomic_fetch_add(&control->seen, 1);
    if (atomic_fetch_sub(&control->left, 1) != 1)
        return false;
    atomic_fetch_add(&control->failed, 1);
    tell();
    errno = ENOMEM;
    return true;
}

void *fail_malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *fail_calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *fail_realloc(void *block, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}
