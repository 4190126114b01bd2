/* An organisation gets what its limits say; the table of them stays bounded, and forgets nothing that matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <isms/base/clock.h>

#include "tenants.h"

enum { SECOND = 1000 * 1000, MAX = 4 };

static const struct limits defaults = {.calls_per_second = 10, .burst = 5, .in_flight = 3};
static struct tenants *tenants;

static int setup(void **state UNUSED)
{
    tenants = tenants_new(defaults, MAX);
    return tenants ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
    tenants_free(tenants);
    return 0;
}

static struct principal caller(uint8_t organisation)
{
    struct principal principal = {.kind = PRINCIPAL_PERSON};
    principal.tenant.bytes[15] = organisation;
    principal.tenant.bytes[0] = 1;
    return principal;
}

/* One call from beginning to end: what it was refused for, or OK. */
static enum err_reason called(const struct principal *principal, int64_t now_us, struct err *err)
{
    struct tenant *tenant = tenants_get(tenants, principal, now_us);
    int result = tenants_enter(tenants, tenant, principal, now_us, err);
    if (result == 0)
        tenant_leave(tenant);
    tenant_unref(tenant);
    return result == 0 ? ERR_OK : err->reason;
}

static unsigned calls_made(const struct principal *principal, int64_t now_us)
{
    struct err err;
    unsigned count = 0;
    while (called(principal, now_us, &err) == ERR_OK)
        count++;
    return count;
}

static void the_rate_is_refused_in_words(void **state UNUSED)
{
    struct principal principal = caller(1);
    struct err err = {0};
    assert_int_equal(calls_made(&principal, 0), 5);
    assert_int_equal(called(&principal, 0, &err), ERR_RATE_LIMITED);
    assert_int_equal(err.retry_after_ms, 100);
    assert_string_equal(err.metadata[0].key, "limit");
    assert_string_equal(err.metadata[0].value, "10");
    assert_string_equal(err.violations[0].field, "organisation:01000000-0000-0000-0000-000000000001");
    assert_string_equal(err.violations[0].description, "At most 10 calls a second, and 5 at once after a pause.");
    assert_int_equal(called(&principal, 100 * 1000, &err), ERR_OK); /* the time it was told was enough */
}

/* Whoever got hold of an intake token takes nothing of its organisation's. */
static void an_intake_token_has_limits_of_its_own(void **state UNUSED)
{
    struct principal member = caller(1), token = caller(1), other = caller(1);
    struct err err = {0};
    token.kind = other.kind = PRINCIPAL_KEY;
    token.roles = other.roles = role_set_add((struct role_set){0}, ROLE_INTAKE);
    token.limits = other.limits = (struct limits){.calls_per_second = 1, .burst = 2, .in_flight = 1};
    token.id.bytes[15] = 7;
    other.id.bytes[15] = 8;
    assert_int_equal(calls_made(&token, 0), 2);
    assert_int_equal(called(&token, 0, &err), ERR_RATE_LIMITED);
    assert_int_equal(err.retry_after_ms, 1000);
    assert_string_equal(err.violations[0].field, "token:00000000-0000-0000-0000-000000000007");
    assert_string_equal(err.message, "The token's calls come faster than its limit.");
    assert_int_equal(calls_made(&other, 0), 2);
    assert_int_equal(calls_made(&member, 0), 5);
}

/* However many it issues, an organisation has one line for them. */
static void all_intake_tokens_wait_in_one_line(void **state UNUSED)
{
    struct principal member = caller(1), token = caller(1), other = caller(1);
    struct err err = {0};
    token.roles = other.roles = role_set_add((struct role_set){0}, ROLE_INTAKE);
    token.limits = other.limits = (struct limits){.calls_per_second = 1, .burst = 2, .in_flight = 1};
    token.id.bytes[15] = 7;
    other.id.bytes[15] = 8;
    struct tenant *held = tenants_get(tenants, &token, 0);
    assert_int_equal(tenants_enter(tenants, held, &token, 0, &err), 0);
    assert_ptr_equal(tenants_get(tenants, &other, 0), held);
    assert_int_equal(called(&other, 0, &err), ERR_TOO_MANY_IN_FLIGHT);
    assert_string_equal(err.violations[0].field, "organisation:01000000-0000-0000-0000-000000000001");
    assert_ptr_not_equal(tenants_get(tenants, &member, 0), held);
    assert_int_equal(called(&member, 0, &err), ERR_OK);
}

static void its_own_limits_come_first(void **state UNUSED)
{
    struct principal principal = caller(1);
    principal.limits = (struct limits){.burst = 7};
    assert_int_equal(calls_made(&principal, 0), 7);
    assert_int_equal(calls_made(&principal, SECOND / 10), 1); /* of the others, the defaults hold */
}

static void calls_under_way_are_counted(void **state UNUSED)
{
    struct principal principal = caller(1), other = caller(2);
    struct err err = {0};
    struct tenant *tenant = tenants_get(tenants, &principal, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tenants_enter(tenants, tenant, &principal, 0, &err), 0);
    assert_int_equal(called(&principal, SECOND, &err), ERR_TOO_MANY_IN_FLIGHT);
    assert_string_equal(err.metadata[0].value, "3");
    assert_string_equal(err.violations[0].description, "At most 3 calls under way at once.");
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(called(&other, SECOND, &err), ERR_OK);
    tenant_leave(tenant);
    assert_int_equal(called(&principal, SECOND, &err), ERR_OK);
}

static void organisations_do_not_share(void **state UNUSED)
{
    struct principal first = caller(1), second = caller(2);
    assert_int_equal(calls_made(&first, 0), 5);
    assert_int_equal(calls_made(&second, 0), 5);
}

/* A service that calls on an organisation's behalf does not know its limits. */
static void services_change_no_limits(void **state UNUSED)
{
    struct principal principal = caller(1), service = caller(1);
    principal.limits = (struct limits){.burst = 2};
    service.kind = PRINCIPAL_SERVICE;
    assert_int_equal(calls_made(&principal, 0), 2);
    tenant_unref(tenants_get(tenants, &service, 0));
    struct budget_source budget = tenants_budget(tenants);
    struct budget_share share;
    assert_int_equal(budget.spent(budget.context, &share, 1), 1);
    assert_int_equal(share.burst, 2);
    assert_int_equal(share.spent, 2);
}

static void a_full_table_forgets_only_the_idle(void **state UNUSED)
{
    struct budget_source budget = tenants_budget(tenants);
    struct budget_share shares[MAX];
    struct tenant *held[MAX];
    struct principal spender = caller(1), newcomer = caller(100), another = caller(101);
    struct err err;
    assert_int_equal(calls_made(&spender, 0), 5);
    for (uint8_t i = 1; i < MAX; i++) {
        struct principal principal = caller((uint8_t)(i + 1));
        held[i] = tenants_get(tenants, &principal, 0); /* a call is under way */
    }
    struct tenant *shared = tenants_get(tenants, &newcomer, 0);
    assert_ptr_equal(tenants_get(tenants, &another, 0), shared); /* no place for either: one for both */
    assert_int_equal(called(&spender, 0, &err), ERR_RATE_LIMITED);

    budget.spent(budget.context, shares, MAX);
    assert_ptr_equal(tenants_get(tenants, &newcomer, SECOND / 4), shared); /* its bucket is not full again */
    struct tenant *own = tenants_get(tenants, &newcomer, SECOND);
    assert_ptr_not_equal(own, shared);
    assert_ptr_not_equal(own, held[1]);
    assert_ptr_equal(tenants_get(tenants, &newcomer, SECOND), own);
    assert_int_equal(calls_made(&spender, SECOND), 5); /* what it was forgotten for: that makes no difference */
}

static void the_budget_says_what_is_left(void **state UNUSED)
{
    struct principal principal = caller(1);
    struct budget_source budget = tenants_budget(tenants);
    struct budget_share share;
    struct err err;
    int64_t now_us = clock_monotonic_us();
    assert_int_equal(called(&principal, now_us, &err), ERR_OK);
    assert_int_equal(called(&principal, now_us, &err), ERR_OK);
    assert_int_equal(budget.spent(budget.context, &share, 1), 1);
    assert_int_equal(share.spent, 2);
    assert_int_equal(budget.spent(budget.context, &share, 1), 0); /* told once */

    assert_int_equal(called(&principal, now_us, &err), ERR_OK); /* meanwhile */
    share.told = true;
    share.left = -BUCKET_TOKEN; /* another replica has spent the rest, and more */
    budget.settle(budget.context, &share, 1);
    assert_int_equal(called(&principal, now_us, &err), ERR_RATE_LIMITED);
    assert_int_equal(err.retry_after_ms, 150); /* two are owed, one of them spent meanwhile; 1.5 may be on the way */

    share.told = false;
    share.left = -5 * BUCKET_TOKEN;
    budget.settle(budget.context, &share, 1); /* Redis did not answer: what it said before counts */
    assert_int_equal(calls_made(&principal, clock_monotonic_us() + 10 * SECOND), 5);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_rate_is_refused_in_words),
        TEST(an_intake_token_has_limits_of_its_own),
        TEST(all_intake_tokens_wait_in_one_line),
        TEST(its_own_limits_come_first),
        TEST(calls_under_way_are_counted),
        TEST(organisations_do_not_share),
        TEST(services_change_no_limits),
        TEST(a_full_table_forgets_only_the_idle),
        TEST(the_budget_says_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
