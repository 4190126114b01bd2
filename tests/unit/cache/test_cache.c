/* Whatever Redis does, the answer is right or a miss; and after three failures nobody waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/cache/cache.h>
#include <isms/obs/metrics.h>

#include "fake_redis.h"

enum {
    WAIT_US = 10 * 1000 * 1000,
    LONG_US = 5 * 1000 * 1000, /* of answers that come */
    SHORT_US = 50 * 1000       /* of answers that do not */
};

#define TENANT "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b"
#define KEY "isms:1:{" TENANT "}:7:dashboard"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char next_answer[4096]; /* what GET and SET get; "": nothing. Under the mutex, like what follows */
static size_t next_answer_repeat;
static bool next_answer_closes;
static char said[8192]; /* every command, a line each */

static bool answer(const char *command, FILE *out)
{
    bool open = true;
    pthread_mutex_lock(&mutex);
    size_t length = strlen(said);
    snprintf(said + length, sizeof(said) - length, "%s\n", command);
    if (strncmp(command, "GET ", 4) != 0 && strncmp(command, "SET ", 4) != 0) {
        fputs(strncmp(command, "PING", 4) == 0 ? "+PONG\r\n" : "+OK\r\n", out);
    } else {
        open = !next_answer_closes;
        for (size_t i = 0; i <= next_answer_repeat; i++)
            fputs(next_answer, out);
    }
    pthread_mutex_unlock(&mutex);
    return open;
}

/* NULL closes the connection instead. Forgets what was said. */
static void answer_with(const char *text, size_t repeat)
{
    pthread_mutex_lock(&mutex);
    snprintf(next_answer, sizeof(next_answer), "%s", text ? text : "");
    next_answer_repeat = repeat;
    next_answer_closes = !text;
    said[0] = '\0';
    pthread_mutex_unlock(&mutex);
}

/* With a stored entry: a key, and what follows it. */
static void answer_with_entry(const char *key, const char *rest)
{
    char text[256];
    snprintf(text, sizeof(text), "$%zu\r\n%s%s\r\n", strlen(key) + strlen(rest), key, rest);
    answer_with(text, 0);
}

static void pause_briefly(int64_t deadline_us, const char *what)
{
    if (clock_monotonic_us() > deadline_us)
        fail_msg("waited in vain: %s", what);
    poll(NULL, 0, 1);
}

static void wait_for(struct cache *cache, enum cache_state state)
{
    int64_t deadline_us = clock_monotonic_us() + WAIT_US;
    while (cache_state(cache) != state)
        pause_briefly(deadline_us, cache_state_name(state));
}

static struct cache *cache_at(int port, const char *credentials, const char *database, int64_t timeout_us)
{
    char url[128];
    snprintf(url, sizeof(url), "redis://%s127.0.0.1:%d%s", credentials, port, database);
    struct cache_options options = {.url = url, .connections = 1, .timeout_us = timeout_us};
    struct cache *cache = NULL;
    struct err err = {0};
    assert_int_equal(cache_new(&options, &cache, &err), 0);
    return cache;
}

static struct cache_key key_of(const char *name)
{
    struct cache_key key = {.sequence = 7, .name = name};
    assert_true(uuid_parse(TENANT, &key.tenant));
    return key;
}

/* Asks once; "" for a miss. */
static const char *get(struct cache *cache, const char *name)
{
    static char text[256];
    struct cache_key key = key_of(name);
    struct buf value;
    buf_init_fixed(&value, text, sizeof(text));
    bool hit = cache_get(cache, &key, &value);
    assert_true(hit || value.length == 0);
    return text;
}

struct fixture {
    struct fake_redis *redis;
    struct cache *cache;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    answer_with("$-1\r\n", 0);
    fixture->redis = fake_redis_new(answer);
    fixture->cache = cache_at(fake_redis_port(fixture->redis), "", "", LONG_US);
    wait_for(fixture->cache, CACHE_UP);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    cache_free(fixture->cache);
    fake_redis_free(fixture->redis);
    free(fixture);
    return 0;
}

static unsigned times_said(const char *text)
{
    unsigned count = 0;
    pthread_mutex_lock(&mutex);
    for (const char *at = said; (at = strstr(at, text)); at++)
        count++;
    pthread_mutex_unlock(&mutex);
    return count;
}

static void test_off_without_a_url(void **state UNUSED)
{
    static const char *const urls[] = {NULL, ""};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct cache_options options = {.url = urls[i]};
        struct cache *cache = NULL;
        struct err err = {0};
        struct cache_key key = key_of("dashboard");
        assert_int_equal(cache_new(&options, &cache, &err), 0);
        assert_int_equal(cache_state(cache), CACHE_OFF);
        cache_set(cache, &key, slice_of("x"), 10);
        assert_string_equal(get(cache, "dashboard"), "");
        cache_free(cache);
    }
}

static void test_refuses_urls_it_cannot_use(void **state UNUSED)
{
    static const char *const urls[] = {"rediss://localhost", "localhost:6379", "redis://u:hunter2@"};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct cache_options options = {.url = urls[i]};
        struct cache *cache = NULL;
        struct err err = {0};
        assert_int_equal(cache_new(&options, &cache, &err), -1);
        assert_int_equal(err.reason, ERR_FIELD_INVALID);
        assert_null(strstr(err.message, "hunter2"));
        assert_null(cache);
    }
}

static void test_signs_in_and_selects(void **state)
{
    struct fixture *fixture = *state;
    cache_free(fixture->cache);
    fixture->cache = cache_at(fake_redis_port(fixture->redis), "isms:p%40ss@", "/3", 0);
    wait_for(fixture->cache, CACHE_UP);
    assert_int_equal(times_said("AUTH isms p@ss\nSELECT 3\nPING\n"), 1);
}

static void test_a_hit_is_the_entry_of_its_own_key(void **state)
{
    struct fixture *fixture = *state;
    answer_with_entry(KEY, "\nv");
    assert_string_equal(get(fixture->cache, "dashboard"), "v");
    assert_int_equal(times_said("GET " KEY "\n"), 1);
    assert_string_equal(get(fixture->cache, "dashboard2"), ""); /* Redis mixes something up */
    assert_string_equal(get(fixture->cache, "dash"), "");
    assert_string_equal(get(fixture->cache, "dashboarD"), "");
    answer_with_entry(KEY, "");
    assert_string_equal(get(fixture->cache, "dashboard"), "");
    answer_with(":1\r\n", 0);
    assert_string_equal(get(fixture->cache, "dashboard"), "");
    assert_int_equal(cache_state(fixture->cache), CACHE_UP);
}

static void test_a_value_too_large_for_the_caller_is_a_miss(void **state)
{
    struct fixture *fixture = *state;
    char text[8];
    struct buf value;
    struct cache_key key = key_of("dashboard");
    answer_with_entry(KEY, "\n12345678");
    buf_init_fixed(&value, text, sizeof(text));
    assert_false(cache_get(fixture->cache, &key, &value));
    assert_int_equal(value.length, 0);
    assert_false(value.failed);
}

static void test_sets_with_an_expiry(void **state)
{
    struct fixture *fixture = *state;
    struct cache_key key = key_of("dashboard");
    answer_with("+OK\r\n", 0);
    cache_set(fixture->cache, &key, slice_of("v"), 30);
    assert_int_equal(times_said("SET " KEY " " KEY "\nv EX 30\n"), 1);
    cache_set(fixture->cache, &key, slice_of("v"), 0);
    assert_int_equal(times_said("v EX 1\n"), 1);
}

static void test_nothing_is_asked_without_a_tenant(void **state)
{
    struct fixture *fixture = *state;
    struct cache_key key = key_of("dashboard");
    char text[64], name[CACHE_NAME_MAX + 2];
    struct buf value;
    buf_init_fixed(&value, text, sizeof(text));
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    key.name = name;
    assert_false(cache_get(fixture->cache, &key, &value));
    cache_set(fixture->cache, &key, slice_of("v"), 1);
    key = (struct cache_key){.sequence = 7, .name = "dashboard"};
    assert_false(cache_get(fixture->cache, &key, &value));
    cache_set(fixture->cache, &key, slice_of("v"), 1);
    static char huge[CACHE_VALUE_MAX + 1];
    key = key_of("dashboard");
    cache_set(fixture->cache, &key, (struct slice){huge, sizeof(huge)}, 1);
    assert_int_equal(times_said("ET "), 0);
}

/* An error is an answer: the connection stays, and the cache stays up. */
static void test_errors_keep_the_connection(void **state)
{
    struct fixture *fixture = *state;
    answer_with("-OOM command not allowed\r\n", 0);
    for (int i = 0; i < 10; i++)
        assert_string_equal(get(fixture->cache, "dashboard"), "");
    assert_int_equal(cache_state(fixture->cache), CACHE_UP);
    assert_int_equal(times_said("PING\n"), 0); /* as a new connection would begin */
    assert_int_equal(times_said("GET "), 10);
}

/* Fails a number of times; the connection that failed is made again behind the callers' backs. */
static void gets_fail(struct cache *cache, unsigned failures)
{
    int64_t deadline_us = clock_monotonic_us() + WAIT_US;
    while (times_said("GET ") < failures) {
        assert_string_equal(get(cache, "dashboard"), "");
        pause_briefly(deadline_us, "to be asked");
    }
}

static void cache_renew(struct fixture *fixture, int64_t timeout_us)
{
    cache_free(fixture->cache);
    fixture->cache = cache_at(fake_redis_port(fixture->redis), "", "", timeout_us);
    wait_for(fixture->cache, CACHE_UP);
}

static void test_garbage_is_a_miss_and_ends_the_connection(void **state)
{
    struct fixture *fixture = *state;
    static const char *const garbage[] = {"?!\r\n", "$99999999999999999999\r\n", "$5\r\nab",
                                          "*1\r\n*1\r\n*1\r\n",
                                          "$-1\r\n$-1\r\n", "$3\r\nabcdefg\r\n"};
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
        cache_renew(fixture, SHORT_US);
        answer_with(garbage[i], 0);
        gets_fail(fixture->cache, 3);
        wait_for(fixture->cache, CACHE_DOWN);
        assert_int_equal(times_said("GET "), 3);
    }
}

static void test_an_endless_answer_ends(void **state)
{
    struct fixture *fixture = *state;
    char first[2048];
    snprintf(first, sizeof(first), "$2000000000\r\n%01024d", 0);
    answer_with(first, 4096);
    assert_string_equal(get(fixture->cache, "dashboard"), "");
    assert_int_equal(times_said("GET "), 1);
}

/* Closed, silent: three failures, then nobody is asked; and once Redis answers again, it is used again. */
static void test_three_failures_and_back(void **state)
{
    struct fixture *fixture = *state;
    static const char *const answers[] = {NULL, ""};
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        cache_renew(fixture, SHORT_US);
        answer_with(answers[i], 0);
        gets_fail(fixture->cache, 2);
        assert_int_equal(cache_state(fixture->cache), CACHE_UP);
        gets_fail(fixture->cache, 3);
        assert_int_equal(cache_state(fixture->cache), CACHE_DOWN);
        assert_int_equal(metric_value(METRIC_SERIES(isms_cache_up)), 0);
        assert_string_equal(get(fixture->cache, "dashboard"), "");
        assert_int_equal(times_said("GET "), 3);

        answer_with_entry(KEY, "\nv");
        wait_for(fixture->cache, CACHE_UP);
        assert_string_equal(get(fixture->cache, "dashboard"), "v");
        assert_int_equal(metric_value(METRIC_SERIES(isms_cache_up)), 1);
    }
}

static void test_nobody_there(void **state)
{
    struct fixture *fixture = *state;
    int port = fake_redis_port(fixture->redis);
    cache_free(fixture->cache);
    fake_redis_free(fixture->redis);
    fixture->cache = cache_at(port, "", "", 0);
    assert_string_equal(get(fixture->cache, "dashboard"), "");
    assert_int_equal(cache_state(fixture->cache), CACHE_DOWN);
    fixture->redis = fake_redis_new(answer);
}

static void test_requests_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct metric_series *hit = METRIC_SERIES(isms_cache_requests_total, "hit"),
                         *miss = METRIC_SERIES(isms_cache_requests_total, "miss"),
                         *error = METRIC_SERIES(isms_cache_requests_total, "error");
    int64_t hits = metric_value(hit), misses = metric_value(miss), errors = metric_value(error);
    answer_with_entry(KEY, "\nv");
    get(fixture->cache, "dashboard");
    answer_with("$-1\r\n", 0);
    get(fixture->cache, "dashboard");
    answer_with("-ERR\r\n", 0);
    get(fixture->cache, "dashboard");
    assert_int_equal(metric_value(hit) - hits, 1);
    assert_int_equal(metric_value(miss) - misses, 1);
    assert_int_equal(metric_value(error) - errors, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off_without_a_url),
        cmocka_unit_test(test_refuses_urls_it_cannot_use),
        TEST(test_signs_in_and_selects),
        TEST(test_a_hit_is_the_entry_of_its_own_key),
        TEST(test_a_value_too_large_for_the_caller_is_a_miss),
        TEST(test_sets_with_an_expiry),
        TEST(test_nothing_is_asked_without_a_tenant),
        TEST(test_errors_keep_the_connection),
        TEST(test_garbage_is_a_miss_and_ends_the_connection),
        TEST(test_an_endless_answer_ends),
        TEST(test_three_failures_and_back),
        TEST(test_nobody_there),
        TEST(test_requests_are_counted),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
