/* Who waits for what comes ahead is woken when it has come. */
#include "fs/store/await.h"

#include "fs/kernel/loop.h"
#include "fs/model/fs.h"
#include "tests/unit/client/checked/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAITERS = 3, HANGS_S = 60 };

static struct fs fs = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct waiter {
    struct fs_worker worker;
    struct fs_request request;
    pthread_t thread;
    bool coming;
    int result;
} waiters[WAITERS];

static bool is_coming(const void *what)
{
    const struct waiter *waiter = what;
    return waiter->coming;
}

static void *wait_for(void *argument)
{
    struct waiter *waiter = argument;
    pthread_mutex_lock(&fs.lock);
    waiter->result = fs_await(&waiter->request, is_coming, waiter);
    pthread_mutex_unlock(&fs.lock);
    return NULL;
}

static void start(struct waiter *waiter)
{
    fs.kernel.lock = &fs.lock;
    *waiter = (struct waiter){.coming = true, .result = 1};
    pthread_cond_init(&waiter->worker.wake, NULL);
    waiter->request.fs = &fs;
    waiter->request.kernel = &fs.kernel;
    waiter->request.worker = &waiter->worker;
    waiter->request.blocking = true;
    waiter->request.call.deadline_ms = INT64_MAX;
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for, waiter), 0);
}

/* With fs.lock: until all of them sleep. */
static void await_sleepers(void)
{
    for (int i = 0; i < WAITERS; i++) {
        while (!waiters[i].request.sleeps) {
            pthread_mutex_unlock(&fs.lock);
            sched_yield();
            pthread_mutex_lock(&fs.lock);
        }
    }
}

/* Far from any time that comes, so that nobody wakes by himself. */
static void test_told(void **state)
{
    (void)state;
    clock_ms = INT64_C(1) << 50;
    alarm(HANGS_S);
    for (int i = 0; i < WAITERS; i++)
        start(&waiters[i]);
    pthread_mutex_lock(&fs.lock);
    await_sleepers();
    for (int i = 0; i < WAITERS; i++)
        waiters[i].coming = false;
    fs_await_tell(&fs);
    pthread_mutex_unlock(&fs.lock);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].result, 0);
    }
    alarm(0);
    assert_null(fs.awaiting);
}

/* What comes for others wakes one too, who goes on to wait; and it ends with his call. */
static void test_call_is_over(void **state)
{
    (void)state;
    alarm(HANGS_S);
    for (int i = 0; i < WAITERS; i++)
        start(&waiters[i]);
    pthread_mutex_lock(&fs.lock);
    await_sleepers();
    waiters[0].request.call.deadline_ms = clock_ms;
    waiters[1].coming = waiters[2].coming = false;
    fs_await_tell(&fs);
    pthread_mutex_unlock(&fs.lock);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(waiters[i].thread, NULL);
    assert_int_equal(waiters[0].result, -ETIMEDOUT);
    assert_int_equal(waiters[1].result, 0);
    alarm(0);
    assert_null(fs.awaiting);
}

/* What is not on its way is not waited for, and who may not block is told so. */
static void test_at_once(void **state)
{
    struct waiter none = {.request = {.fs = &fs, .kernel = &fs.kernel, .local_only = true}};
    (void)state;
    assert_int_equal(fs_await(&none.request, is_coming, &none), 0);
    none.coming = true;
    pthread_mutex_lock(&fs.lock);
    assert_int_equal(fs_await(&none.request, is_coming, &none), FS_REQUEUE);
    pthread_mutex_unlock(&fs.lock);
    assert_null(fs.awaiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_call_is_over),
        cmocka_unit_test(test_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
