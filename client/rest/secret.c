/* Memory for what nobody else may see. */
#include "secret.h"

#include "cleanup.h"
#include "log.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void *ds_secret_new(size_t size)
{
    static atomic_bool unlocked; /* said once */
    void *secret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret == MAP_FAILED)
        return NULL;
    if (mlock(secret, size) != 0 && !atomic_exchange(&unlocked, true))
        ds_log(DS_LOG_WARNING, "cannot lock memory for credentials (they may be swapped): %s",
               strerror(errno));
    if (madvise(secret, size, MADV_DONTDUMP) != 0 || madvise(secret, size, MADV_DONTFORK) != 0) {
        munmap(secret, size);
        return NULL;
    }
    return secret;
}

void ds_secret_free(void *secret, size_t size)
{
    if (!secret)
        return;
    ds_secret_wipe(secret, size);
    munmap(secret, size);
}

void ds_secret_wipe(void *data, size_t size)
{
    explicit_bzero(data, size);
}

/* One instruction for each of these registers. */
#define EACH_0_TO_7(CLEAR) CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6) CLEAR(7)
#define EACH_8_TO_15(CLEAR)                                                                        \
    CLEAR(8) CLEAR(9) CLEAR(10) CLEAR(11) CLEAR(12) CLEAR(13) CLEAR(14) CLEAR(15)
#define EACH_16_TO_31(CLEAR)                                                                       \
    CLEAR(16)                                                                                      \
    CLEAR(17)                                                                                      \
    CLEAR(18)                                                                                      \
    CLEAR(19)                                                                                      \
    CLEAR(20)                                                                                      \
    CLEAR(21)                                                                                      \
    CLEAR(22)                                                                                      \
    CLEAR(23)                                                                                      \
    CLEAR(24)                                                                                      \
    CLEAR(25)                                                                                      \
    CLEAR(26)                                                                                      \
    CLEAR(27)                                                                                      \
    CLEAR(28)                                                                                      \
    CLEAR(29)                                                                                      \
    CLEAR(30)                                                                                      \
    CLEAR(31)

#if defined(__x86_64__) || defined(__i386__)
#define CLEAR_XMM(n) __asm__ volatile("pxor %%xmm" #n ", %%xmm" #n ::: "xmm" #n);
#define CLEAR_ZMM(n) __asm__ volatile("vpxorq %%zmm" #n ", %%zmm" #n ", %%zmm" #n ::: "xmm" #n);

__attribute__((target("sse2"))) static void clear_sse(void)
{
    EACH_0_TO_7(CLEAR_XMM)
#if defined(__x86_64__)
    EACH_8_TO_15(CLEAR_XMM)
#endif
}

/* The whole of the first sixteen, however wide. */
__attribute__((target("avx"))) static void clear_avx(void)
{
    __builtin_ia32_vzeroall();
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void clear_avx512(void)
{
    EACH_16_TO_31(CLEAR_ZMM)
}
#endif

void ds_secret_clear_registers(void)
{
    if (__builtin_cpu_supports("sse2"))
        clear_sse();
    if (__builtin_cpu_supports("avx"))
        clear_avx();
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        clear_avx512();
#endif
}
#elif defined(__aarch64__)
#define CLEAR_V(n) __asm__ volatile("movi v" #n ".2d, #0" ::: "v" #n);

void ds_secret_clear_registers(void)
{
    EACH_0_TO_7(CLEAR_V)
    EACH_8_TO_15(CLEAR_V)
    EACH_16_TO_31(CLEAR_V)
}
#else
/* Where copying goes through other registers, these are soon used again. */
void ds_secret_clear_registers(void)
{
}
#endif

static void wiping_free(void *data)
{
    if (data)
        explicit_bzero(data, malloc_usable_size(data));
    free(data);
}

static atomic_bool allocates;                    /* libcurl uses the functions below */
static atomic_uint_fast64_t allocation_failures; /* of these */

static void *count(void *allocated)
{
    atomic_store_explicit(&allocates, true, memory_order_relaxed);
    if (!allocated)
        atomic_fetch_add_explicit(&allocation_failures, 1, memory_order_relaxed);
    return allocated;
}

static void *counting_malloc(size_t size)
{
    return count(malloc(size));
}

static void *counting_calloc(size_t number, size_t size)
{
    return count(calloc(number, size));
}

static char *counting_strdup(const char *text)
{
    return count(strdup(text));
}

static void *wiping_realloc(void *data, size_t size)
{
    size_t old = data ? malloc_usable_size(data) : 0;
    if (data && size <= old && size >= old / 2)
        return data;
    void *moved = count(malloc(size));
    if (!moved)
        return NULL;
    if (data)
        memcpy(moved, data, old < size ? old : size);
    wiping_free(data);
    return moved;
}

void ds_secret_watch_memory(struct ds_secret_memory *memory)
{
    memory->failures = atomic_load_explicit(&allocation_failures, memory_order_relaxed);
}

bool ds_secret_lacked_memory(const struct ds_secret_memory *memory)
{
    return !atomic_load_explicit(&allocates, memory_order_relaxed) ||
           atomic_load_explicit(&allocation_failures, memory_order_relaxed) != memory->failures;
}

/* A core takes no private memory then; see core(5). */
static int filter_core(void)
{
    int fd DS_AUTO_CLOSE = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, "0", 1) == 1 ? 0 : -errno;
}

static int outcome; /* of protect() */

static void protect(void)
{
    struct rlimit none = {0};
    outcome = filter_core();
    /* Not fatal: a container may hide the file, and the two below are what counts first. */
    if (outcome)
        ds_log(DS_LOG_WARNING, "cannot keep memory out of forced core files: %s",
               strerror(-outcome));
    outcome = 0;
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        outcome = -errno;
    unsetenv("SSLKEYLOGFILE");     /* libcurl would write the keys of its connections there */
    json_malloc_t allocate = NULL; /* stays: json_load.c watches it */
    json_get_alloc_funcs(&allocate, NULL);
    json_set_alloc_funcs(allocate, wiping_free);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, counting_malloc, wiping_free, wiping_realloc,
                             counting_strdup, counting_calloc) != CURLE_OK)
        outcome = -ENOMEM;
}

int ds_secret_protect_process(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, protect);
    return outcome;
}
