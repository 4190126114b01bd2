/* The cache against a real Redis, at ISMS_TEST_REDIS_URL (redis://[:password@]127.0.0.1:port). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/cache/cache.h>

enum { WAIT_US = 60 * 1000 * 1000, LONG_US = 60 * 1000 * 1000 };

static const char *url;
static struct uuid tenant, other_tenant;

/* Sends a command and gives the first line of its answer. */
static void client_say(FILE *client, const char *command, char *line, size_t size)
{
    fprintf(client, "%s\r\n", command);
    fflush(client);
    assert_non_null(fgets(line, (int)size, client));
    line[strcspn(line, "\r\n")] = '\0';
}

/* Another client, in the protocol's inline form. */
static FILE *client_open(void)
{
    unsigned port;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char password[128] = "";
    char line[160];
    if (sscanf(url, "redis://:%127[^@]@127.0.0.1:%u", password, &port) != 2)
        assert_int_equal(sscanf(url, "redis://127.0.0.1:%u", &port), 1);
    address.sin_port = htons((uint16_t)port);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
    FILE *client = fdopen(descriptor, "r+");
    assert_non_null(client);
    if (password[0]) {
        snprintf(line, sizeof(line), "AUTH %s", password);
        client_say(client, line, line, sizeof(line));
        assert_string_equal(line, "+OK");
    }
    return client;
}

static void redis_say(const char *command, char *line, size_t size)
{
    FILE *client = client_open();
    client_say(client, command, line, size);
    fclose(client);
}

static void wait_for(struct cache *cache, enum cache_state state)
{
    int64_t deadline_us = clock_monotonic_us() + WAIT_US;
    while (cache_state(cache) != state) {
        if (clock_monotonic_us() > deadline_us)
            fail_msg("the cache did not become %s", cache_state_name(state));
        poll(NULL, 0, 1);
    }
}

static int setup(void **state)
{
    struct cache_options options = {.url = url, .connections = 2, .timeout_us = LONG_US};
    struct cache *cache = NULL;
    struct err err = {0};
    if (!url)
        return 0;
    tenant = uuid_v7();
    other_tenant = uuid_v7();
    assert_int_equal(cache_new(&options, &cache, &err), 0);
    wait_for(cache, CACHE_UP);
    *state = cache;
    return 0;
}

static int teardown(void **state)
{
    cache_free(*state);
    return 0;
}

static bool get(struct cache *cache, struct uuid of, int64_t sequence, const char *name, struct buf *value)
{
    struct cache_key key = {of, sequence, name};
    buf_clear(value);
    return cache_get(cache, &key, value);
}

static void set(struct cache *cache, struct uuid of, int64_t sequence, const char *name, struct slice value)
{
    struct cache_key key = {of, sequence, name};
    cache_set(cache, &key, value, 60);
}

static void test_any_bytes_come_back(void **state)
{
    if (!url)
        skip();
    struct buf value CLEANUP(buf_release);
    static char large[CACHE_VALUE_MAX];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 31);
    const struct slice values[] = {{"", 0}, {"\0\r\n$5\n", 6}, {large, sizeof(large)}};
    buf_init(&value, CACHE_VALUE_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        assert_false(get(*state, tenant, (int64_t)i, "dashboard:30 d\n{x}", &value));
        set(*state, tenant, (int64_t)i, "dashboard:30 d\n{x}", values[i]);
        assert_true(get(*state, tenant, (int64_t)i, "dashboard:30 d\n{x}", &value));
        assert_int_equal(value.length, values[i].length);
        assert_memory_equal(value.data, values[i].data, values[i].length);
    }
}

static void test_tenants_sequences_and_names_are_apart(void **state)
{
    if (!url)
        skip();
    struct buf value CLEANUP(buf_release);
    buf_init(&value, 1024);
    set(*state, tenant, 7, "dashboard", slice_of("secret"));
    assert_false(get(*state, other_tenant, 7, "dashboard", &value));
    assert_false(get(*state, tenant, 8, "dashboard", &value));
    assert_false(get(*state, tenant, 7, "dashboards", &value));
    assert_true(get(*state, tenant, 7, "dashboard", &value));
    assert_string_equal(value.data, "secret");
}

static void test_entries_expire(void **state)
{
    if (!url)
        skip();
    char text[UUID_TEXT_SIZE], command[128], line[128];
    set(*state, tenant, 1, "x", slice_of("v"));
    uuid_format(tenant, text);
    snprintf(command, sizeof(command), "TTL isms:1:{%s}:1:x", text);
    redis_say(command, line, sizeof(line));
    long ttl = strtol(line + 1, NULL, 10);
    assert_true(ttl > 0 && ttl <= 60);
}

/* An entry moved to another tenant's key by hand is not believed there. */
static void test_a_moved_entry_is_not_believed(void **state)
{
    if (!url)
        skip();
    struct buf value CLEANUP(buf_release);
    char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE], command[256], line[128];
    buf_init(&value, 1024);
    set(*state, tenant, 1, "x", slice_of("secret"));
    uuid_format(tenant, from);
    uuid_format(other_tenant, to);
    snprintf(command, sizeof(command), "RENAME isms:1:{%s}:1:x isms:1:{%s}:1:x", from, to);
    redis_say(command, line, sizeof(line));
    assert_string_equal(line, "+OK");
    assert_false(get(*state, other_tenant, 1, "x", &value));
    assert_int_equal(value.length, 0);
}

static void test_killed_connections_are_made_again(void **state)
{
    if (!url)
        skip();
    struct buf value CLEANUP(buf_release);
    char line[128];
    buf_init(&value, 1024);
    set(*state, tenant, 1, "x", slice_of("v"));
    redis_say("CLIENT KILL TYPE normal", line, sizeof(line));
    assert_string_equal(line, ":2");
    int64_t deadline_us = clock_monotonic_us() + WAIT_US;
    while (!get(*state, tenant, 1, "x", &value)) {
        assert_int_equal(value.length, 0);
        assert_true(clock_monotonic_us() < deadline_us);
        poll(NULL, 0, 1);
    }
    assert_string_equal(value.data, "v");
}

/* A Redis that is there but does not answer: misses, then down, then up again with what it held. */
static void test_a_hanging_redis(void **state)
{
    if (!url)
        skip();
    struct cache_options options = {.url = url, .connections = 3};
    struct cache *cache CLEANUP(cache_freep) = NULL;
    struct err err = {0};
    struct buf value CLEANUP(buf_release);
    char line[128];
    buf_init(&value, 1024);
    set(*state, tenant, 1, "x", slice_of("v"));
    assert_int_equal(cache_new(&options, &cache, &err), 0);
    wait_for(cache, CACHE_UP);

    redis_say("CLIENT PAUSE 1500 ALL", line, sizeof(line)); /* ends by itself: UNPAUSE would wait, too */
    int64_t deadline_us = clock_monotonic_us() + WAIT_US;
    while (cache_state(cache) == CACHE_UP) {
        if (get(cache, tenant, 1, "x", &value)) /* the pause was over before this process went on */
            redis_say("CLIENT PAUSE 1500 ALL", line, sizeof(line));
        assert_true(clock_monotonic_us() < deadline_us);
    }
    wait_for(cache, CACHE_UP);
    deadline_us = clock_monotonic_us() + WAIT_US;
    while (!get(cache, tenant, 1, "x", &value))
        assert_true(clock_monotonic_us() < deadline_us);
    assert_string_equal(value.data, "v");
}

static void *use_cache(void *context)
{
    struct cache *cache = context;
    struct uuid own = uuid_v7();
    char text[UUID_TEXT_SIZE];
    struct buf value CLEANUP(buf_release);
    buf_init(&value, 1024);
    uuid_format(own, text);
    for (int64_t i = 0; i < 500; i++) {
        set(cache, own, i, "x", slice_of(text));
        if (get(cache, own, i, "x", &value) && strcmp(value.data, text) != 0)
            return context;
    }
    return NULL;
}

/* More threads than connections: each gets its own value or none. */
static void test_threads_share_it(void **state)
{
    if (!url)
        skip();
    pthread_t threads[6];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_cache, *state), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *failed = *state;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_any_bytes_come_back),
        TEST(test_tenants_sequences_and_names_are_apart),
        TEST(test_entries_expire),
        TEST(test_a_moved_entry_is_not_believed),
        TEST(test_killed_connections_are_made_again),
        TEST(test_a_hanging_redis),
        TEST(test_threads_share_it),
    };
    url = getenv("ISMS_TEST_REDIS_URL");
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
