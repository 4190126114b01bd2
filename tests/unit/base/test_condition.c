/* A wait ends by its signal, or at its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition;
static bool done;

static void *finish(void *argument)
{
    pthread_mutex_lock(&lock);
    done = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&lock);
    return argument;
}

static void test_a_signal_ends_it(void **state UNUSED)
{
    pthread_t thread;
    int64_t until_us = clock_monotonic_us() + INT64_C(60000000);
    bool in_time = true;
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, finish, NULL), 0);
    while (!done && in_time)
        in_time = condition_wait_until(&condition, &lock, until_us);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    assert_true(in_time);
}

static void test_its_time_is_of_the_monotonic_clock(void **state UNUSED)
{
    int64_t until_us = clock_monotonic_us() + 1000;
    pthread_mutex_lock(&lock);
    while (condition_wait_until(&condition, &lock, until_us))
        ;
    pthread_mutex_unlock(&lock);
    assert_true(clock_monotonic_us() >= until_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signal_ends_it),
        cmocka_unit_test(test_its_time_is_of_the_monotonic_clock),
    };
    condition_init(&condition);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
