/* Two replicas share an organisation's rate by a real Redis, and each goes on by itself while Redis is away. It is one
 * of the test's own, since it is killed: the suite's ISMS_TEST_REDIS_URL only says that there is a redis-server. */
#include <fixture.h>

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/cache/budget.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "tenants.h"

enum { REPLICAS = 2, WAIT_US = 60 * 1000 * 1000, INTERVAL_US = 10 * 1000 };

/* So slow that while a test runs no token comes by itself. */
static const struct limits limits = {.calls_per_second = 1, .burst = 1000, .in_flight = 10};

static bool wanted;
static char redis_port[12];
static pid_t redis;
static struct tenants *replicas[REPLICAS];
static struct budget *budgets[REPLICAS];
static struct principal caller;

static void redis_start(void)
{
    static char program[] = "redis-server", port[] = "--port", address[] = "--bind", loopback[] = "127.0.0.1",
                save[] = "--save", none[] = "", log[] = "--logfile", nowhere[] = "/dev/null";
    char *const arguments[] = {program, port, redis_port, address, loopback, save, none, log, nowhere, NULL};
    assert_int_equal(posix_spawnp(&redis, program, NULL, NULL, arguments, environ), 0);
}

static void redis_kill(void)
{
    kill(redis, SIGKILL);
    assert_int_equal(waitpid(redis, NULL, 0), redis);
    redis = 0;
}

static void replica_start(unsigned replica)
{
    char url[64];
    struct err err = {0};
    snprintf(url, sizeof(url), "redis://127.0.0.1:%s/0", redis_port);
    replicas[replica] = tenants_new(limits, 16);
    assert_non_null(replicas[replica]);
    struct budget_options options = {.url = url, .service = "test", .interval_us = INTERVAL_US,
                                     .source = tenants_budget(replicas[replica])};
    if (budget_new(&options, &budgets[replica], &err) < 0)
        fail_msg("%s", err.message);
}

static void replica_stop(unsigned replica)
{
    budget_freep(&budgets[replica]);
    tenants_free(replicas[replica]);
}

static int setup(void **state UNUSED)
{
    if (!wanted)
        return 0;
    caller = (struct principal){.kind = PRINCIPAL_KEY, .tenant = uuid_v7()};
    snprintf(redis_port, sizeof(redis_port), "%d", fixture_free_port());
    redis_start();
    for (unsigned i = 0; i < REPLICAS; i++)
        replica_start(i);
    return 0;
}

static int teardown(void **state UNUSED)
{
    if (!wanted)
        return 0;
    for (unsigned i = 0; i < REPLICAS; i++)
        replica_stop(i);
    if (redis)
        redis_kill();
    return 0;
}

/* A call from beginning to end: whether it was let in. */
static bool call(unsigned replica)
{
    struct err err;
    int64_t now_us = clock_monotonic_us();
    struct tenant *tenant = tenants_get(replicas[replica], &caller, now_us);
    bool entered = tenants_enter(replicas[replica], tenant, &caller, now_us, &err) == 0;
    if (entered)
        tenant_leave(tenant);
    tenant_unref(tenant);
    return entered;
}

static unsigned calls(unsigned replica, unsigned max)
{
    unsigned count = 0;
    while (count < max && call(replica))
        count++;
    return count;
}

/* Each replica has a metric of its own, but they are one process here: a few exchanges, until both have had theirs. */
static void wait_up(int64_t up)
{
    int64_t until_us = clock_monotonic_us() + WAIT_US;
    for (unsigned in_a_row = 0; in_a_row < 20; in_a_row++) {
        if (metric_value(METRIC_SERIES(isms_budget_up)) != up)
            in_a_row = 0;
        calls(0, 1); /* with nothing to tell, nobody asks */
        calls(1, 1);
        if (clock_monotonic_us() > until_us)
            fail_msg("the budget is %s", up ? "down" : "up");
        poll(NULL, 0, 2 * INTERVAL_US / 1000);
    }
}

/* Spends until it is refused; how much that was. */
static unsigned spend_all(unsigned replica)
{
    return calls(replica, 10 * limits.burst);
}

/* Calls now and then, until it is told that nothing is left; how much it could spend till then. */
static unsigned calls_until_told(unsigned replica)
{
    int64_t until_us = clock_monotonic_us() + WAIT_US;
    unsigned count = 0;
    while (call(replica)) {
        count++;
        if (clock_monotonic_us() > until_us)
            fail_msg("nobody told it");
        poll(NULL, 0, 1);
    }
    return count;
}

static void replicas_share_one_budget(void **state UNUSED)
{
    if (!wanted)
        skip();
    wait_up(1);
    assert_in_range(spend_all(0), limits.burst / 2, limits.burst);
    assert_in_range(calls_until_told(1), 1, limits.burst / 2); /* its own bucket was nearly full */
}

static void without_redis_each_goes_on_by_itself(void **state UNUSED)
{
    if (!wanted)
        skip();
    wait_up(1);
    int64_t errors = metric_value(METRIC_SERIES(isms_budget_errors_total));
    redis_kill();
    wait_up(0);
    assert_true(metric_value(METRIC_SERIES(isms_budget_errors_total)) > errors);
    assert_in_range(spend_all(0) + spend_all(1), limits.burst + limits.burst / 2, 2 * limits.burst);

    redis_start();
    wait_up(1); /* and what was spent meanwhile is held against nobody, beyond each one's own bucket */
    replica_stop(1); /* a new one, whose own bucket is full, shows it */
    replica_start(1);
    wait_up(1);
    assert_in_range(spend_all(1), limits.burst / 2, limits.burst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replicas_share_one_budget, setup, teardown),
        cmocka_unit_test_setup_teardown(without_redis_each_goes_on_by_itself, setup, teardown),
    };
    log_init("test", LOG_LEVEL_ERROR + 1, LOG_FORMAT_JSON);
    wanted = getenv("ISMS_TEST_REDIS_URL") != NULL;
    if (!wanted)
        fprintf(stderr, "ISMS_TEST_REDIS_URL is not set: skipped\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
