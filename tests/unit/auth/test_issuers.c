/* Issuers whose keys are fetched, from an issuer of the test's own on a loopback port, and from files. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <isms/auth/issuers.h>
#include <isms/base/bug.h>
#include <isms/base/clock.h>

#include "token_maker.h"

#define TENANT "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b"

static const int64_t SECOND_US = 1000000, HOUR_US = 3600 * 1000000LL;

enum manner { GOOD, FAILING, REDIRECTING, HUGE, HEADERS_WITHOUT_END, OF_ANOTHER, PLAIN_KEYS, NO_KEYS };

/* One connection at a time, one request each. */
struct fake {
    int listener;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    enum manner manner;
    char keys[4096];
    unsigned keys_served;
    bool closing;
};

static void answer_write(int connection, const char *status, const char *headers, const char *body)
{
    char head[512];
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status, strlen(body),
                          headers);
    (void)!write(connection, head, (size_t)length);
    (void)!write(connection, body, strlen(body));
}

static void without_end_write(int connection, const char *line)
{
    (void)!write(connection, "HTTP/1.1 200 OK\r\n", 17);
    while (send(connection, line, strlen(line), MSG_NOSIGNAL) > 0)
        ;
}

static void request_answer(struct fake *fake, int connection, const char *request)
{
    char document[512];
    bool keys = strncmp(request, "GET /keys", 9) == 0;
    snprintf(document, sizeof(document), "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}",
             fake->manner == OF_ANOTHER ? "https://other.test" : fake->url,
             fake->manner == PLAIN_KEYS ? "http://192.0.2.1" : fake->url);
    if (fake->manner == FAILING)
        answer_write(connection, "503 Service Unavailable", "", "");
    else if (fake->manner == REDIRECTING)
        answer_write(connection, "302 Found", "Location: /keys\r\n", "");
    else if (fake->manner == HUGE && keys)
        without_end_write(connection, "\r\n{\"keys\": [                                        ");
    else if (fake->manner == HEADERS_WITHOUT_END)
        without_end_write(connection, "X-More: more and more and more and more and more\r\n");
    else if (keys)
        answer_write(connection, "200 OK", "Cache-Control: public, max-age=3600\r\n",
                     fake->manner == NO_KEYS ? "{\"keys\":[]}" : fake->keys);
    else
        answer_write(connection, "200 OK", "", document);
    fake->keys_served += keys;
}

static void *fake_main(void *context)
{
    struct fake *fake = context;
    int connection;
    while ((connection = accept(fake->listener, NULL, NULL)) >= 0) {
        char request[4096] = "";
        ssize_t got = read(connection, request, sizeof(request) - 1);
        pthread_mutex_lock(&fake->lock);
        bool closing = fake->closing;
        if (got > 0 && !closing)
            request_answer(fake, connection, request);
        pthread_mutex_unlock(&fake->lock);
        close(connection);
        if (closing)
            break;
    }
    return NULL;
}

static void fake_start(struct fake *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *fake = (struct fake){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    BUG_IF(bind(fake->listener, (struct sockaddr *)&address, size) < 0 || listen(fake->listener, 16) < 0 ||
           getsockname(fake->listener, (struct sockaddr *)&address, &size) < 0);
    snprintf(fake->url, sizeof(fake->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    pthread_mutex_init(&fake->lock, NULL);
    BUG_IF(pthread_create(&fake->thread, NULL, fake_main, fake) != 0);
}

static void fake_stop(struct fake *fake)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    pthread_mutex_lock(&fake->lock);
    fake->closing = true;
    pthread_mutex_unlock(&fake->lock);
    int waker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BUG_IF(getsockname(fake->listener, (struct sockaddr *)&address, &size) < 0 ||
           connect(waker, (struct sockaddr *)&address, size) < 0);
    close(waker);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    pthread_mutex_destroy(&fake->lock);
}

static void keys_write(char *text, size_t size, EVP_PKEY *key, const char *kid)
{
    struct buf json;
    buf_init_fixed(&json, text, size);
    buf_text(&json, "{\"keys\":[");
    jwk_append(&json, key, JWT_EDDSA, kid, "");
    buf_text(&json, "]}");
}

static void fake_set(struct fake *fake, enum manner manner, EVP_PKEY *key, const char *kid)
{
    pthread_mutex_lock(&fake->lock);
    fake->manner = manner;
    keys_write(fake->keys, sizeof(fake->keys), key, kid);
    pthread_mutex_unlock(&fake->lock);
}

static unsigned fake_served(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    unsigned served = fake->keys_served;
    pthread_mutex_unlock(&fake->lock);
    return served;
}

struct world {
    struct fake fake;
    EVP_PKEY *first, *second;
    struct jwt_verifier *verifier;
    struct issuers *issuers;
    char folder[32], list[64], keys[64];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct err err = {0};
    world->first = key_new(JWT_EDDSA);
    world->second = key_new(JWT_EDDSA);
    fake_start(&world->fake);
    fake_set(&world->fake, GOOD, world->first, "1");
    assert_int_equal(jwt_verifier_new(NULL, 0, 0, &world->verifier, &err), 0);
    snprintf(world->folder, sizeof(world->folder), "/tmp/isms-issuers-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->list, sizeof(world->list), "%s/issuers.json", world->folder);
    snprintf(world->keys, sizeof(world->keys), "%s/keys.json", world->folder);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    issuers_free(world->issuers);
    jwt_verifier_free(world->verifier);
    fake_stop(&world->fake);
    EVP_PKEY_free(world->first);
    EVP_PKEY_free(world->second);
    unlink(world->list);
    unlink(world->keys);
    rmdir(world->folder);
    free(world);
    return 0;
}

static struct issuers_options options_of(struct world *world)
{
    return (struct issuers_options){
        .verifier = world->verifier, .file = "", .issuer = world->fake.url, .audience = "isms", .algorithms = "EdDSA",
        .tenant_claim = "tenant_id", .jwks_file = "", .ca_file = "", .allow_http = true, .stale_max_us = HOUR_US};
}

static void start(struct world *world, const struct issuers_options *options)
{
    struct err err = {0};
    if (issuers_new(options, &world->issuers, &err) < 0)
        fail_msg("%s", err.message);
}

/* The cause a token of that key is refused for, "" if it is not. */
static const char *cause_of(struct world *world, const char *issuer, EVP_PKEY *key, const char *kid, int64_t now_us,
                            struct err *ret_err)
{
    static char cause[sizeof(((struct err_metadata *)0)->value)];
    static char token[TOKEN_SIZE];
    char header[64], payload[512];
    struct jwt_claims claims;
    snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    snprintf(payload, sizeof(payload),
             "{\"iss\":\"%s\",\"aud\":\"isms\",\"sub\":\"u\",\"exp\":9000000000,\"tenant_id\":\"" TENANT "\"}", issuer);
    token_sign(token, key, JWT_EDDSA, header, payload);
    *ret_err = (struct err){0};
    if (jwt_verify(world->verifier, token, strlen(token), now_us, &claims, ret_err) == 0)
        return "";
    snprintf(cause, sizeof(cause), "%s", ret_err->metadata[0].value);
    return cause;
}

/* Until it is so, or ten seconds have passed. */
#define ASSERT_BECOMES(condition) \
    do { \
        int64_t until_us_ = clock_monotonic_us() + 10 * SECOND_US; \
        while (!(condition) && clock_monotonic_us() < until_us_) \
            nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL); \
        assert_true(condition); \
    } while (0)

static bool problem_is(struct world *world, const char *text)
{
    char problem[ERR_MESSAGE_MAX] = "";
    bool any = issuers_problem(world->issuers, problem, sizeof(problem));
    return text ? any && strstr(problem, text) : !any;
}

static void test_keys_are_fetched_and_rotated(void **state)
{
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    const char *issuer = world->fake.url;
    struct err err;
    start(world, &options);
    ASSERT_BECOMES(problem_is(world, NULL));
    assert_string_equal(cause_of(world, issuer, world->first, "1", clock_now_us(), &err), "");
    uint64_t generation = jwt_verifier_generation(world->verifier);

    fake_set(&world->fake, GOOD, world->second, "2");
    assert_string_equal(cause_of(world, issuer, world->second, "2", clock_now_us(), &err), "KEY_PENDING");
    assert_int_equal(err.reason, ERR_ISSUER_UNAVAILABLE);
    assert_in_range(err.retry_after_ms, 1, 200);
    ASSERT_BECOMES(cause_of(world, issuer, world->second, "2", clock_now_us(), &err)[0] == '\0');
    assert_true(jwt_verifier_generation(world->verifier) != generation);
    assert_string_not_equal(cause_of(world, issuer, world->first, "1", clock_now_us(), &err), "");
    assert_int_equal(fake_served(&world->fake), 2);
}

/* Every call asks; the issuer is asked once. */
static void test_an_unknown_key_is_looked_for_once(void **state)
{
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    struct err err;
    start(world, &options);
    ASSERT_BECOMES(problem_is(world, NULL));
    ASSERT_BECOMES(strcmp(cause_of(world, world->fake.url, world->second, "x", clock_now_us(), &err), "KEY") == 0);
    assert_int_equal(err.reason, ERR_CREDENTIAL_INVALID);
    assert_int_equal(fake_served(&world->fake), 2);
    /* What is wrong by any key asks for nothing. */
    char token[TOKEN_SIZE], payload[256];
    struct jwt_claims claims;
    snprintf(payload, sizeof(payload), "{\"iss\":\"%s\",\"aud\":\"other\",\"sub\":\"u\",\"exp\":9000000000}",
             world->fake.url);
    token_sign(token, world->second, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"y\"}", payload);
    assert_int_equal(jwt_verify(world->verifier, token, strlen(token), clock_now_us(), &claims, &err), -1);
    assert_int_equal(err.reason, ERR_CREDENTIAL_INVALID);
}

static void test_keys_stay_in_force_for_a_while(void **state)
{
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    struct err err;
    start(world, &options);
    ASSERT_BECOMES(problem_is(world, NULL));
    fake_set(&world->fake, FAILING, world->first, "1");
    int64_t now_us = clock_now_us();
    assert_string_equal(cause_of(world, world->fake.url, world->second, "2", now_us, &err), "KEY_PENDING");
    ASSERT_BECOMES(problem_is(world, "old keys of http://127.0.0.1"));
    assert_string_equal(cause_of(world, world->fake.url, world->second, "2", clock_now_us(), &err), "KEY_PENDING");
    assert_string_equal(cause_of(world, world->fake.url, world->first, "1", now_us + HOUR_US * 9 / 10, &err), "");
    assert_string_equal(cause_of(world, world->fake.url, world->first, "1", now_us + HOUR_US, &err), "KEYS_AWAY");
    assert_int_equal(err.reason, ERR_ISSUER_UNAVAILABLE);
    assert_string_equal(cause_of(world, world->fake.url, world->first, "1", now_us, &err), "");
}

static void test_an_issuer_that_cannot_be_used(void **state)
{
    static const struct {
        enum manner manner;
        const char *problem;
    } cases[] = {
        {FAILING, "answers with status 503"},
        {REDIRECTING, "answers with status 302"},
        {HUGE, "answers more than 1048576 bytes"},
        {HEADERS_WITHOUT_END, "header"},
        {OF_ANOTHER, "is of the issuer https://other.test"},
        {PLAIN_KEYS, "http://192.0.2.1/keys is http"},
        {NO_KEYS, "holds no key"},
    };
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    struct err err;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fake_set(&world->fake, cases[i].manner, world->first, "1");
        start(world, &options);
        ASSERT_BECOMES(!problem_is(world, "not fetched yet"));
        if (!problem_is(world, cases[i].problem) || !problem_is(world, "no keys of"))
            fail_msg("case %zu", i);
        assert_string_equal(cause_of(world, world->fake.url, world->first, "1", clock_now_us(), &err), "KEYS_AWAY");
        issuers_free(world->issuers);
        world->issuers = NULL;
    }
}

static void test_a_short_way_that_leads_nowhere(void **state)
{
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    struct err err = {0};
    options.allow_http = false;
    assert_int_equal(issuers_new(&options, &world->issuers, &err), -1);
    assert_non_null(strstr(err.message, "is not https"));
    options = options_of(world);
    options.algorithms = "HS256";
    assert_int_equal(issuers_new(&options, &world->issuers, &err), -1);
    options = options_of(world);
    options.file = "/nonexistent/issuers.json";
    assert_int_equal(issuers_new(&options, &world->issuers, &err), -1);
    assert_non_null(strstr(err.message, "/nonexistent/issuers.json"));
    options.file = "";
    options.jwks_file = "/nonexistent/keys.json";
    assert_int_equal(issuers_new(&options, &world->issuers, &err), -1);
    assert_non_null(strstr(err.message, "/nonexistent/keys.json"));
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void list_write(const struct world *world, const char *first, const char *second)
{
    char text[2048];
    snprintf(text, sizeof(text),
             "[{\"issuer\":\"%s\",\"audience\":\"isms\",\"algorithms\":[\"EdDSA\"],\"tenant\":\"" TENANT "\"},"
             "{\"issuer\":\"%s\",\"audience\":\"isms\",\"algorithms\":[\"EdDSA\"],\"tenant_claim\":\"tenant_id\","
             "\"jwks_file\":\"%s\"}]", first, second, world->keys);
    file_write(world->list, text);
}

static void test_a_list_that_changes(void **state)
{
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    const char *fetched = world->fake.url;
    char keys[4096];
    struct err err;
    keys_write(keys, sizeof(keys), world->first, "f");
    file_write(world->keys, keys);
    list_write(world, fetched, "https://a.test");
    options.issuer = "";
    options.file = world->list;
    start(world, &options);
    ASSERT_BECOMES(problem_is(world, NULL));
    assert_string_equal(cause_of(world, fetched, world->first, "1", clock_now_us(), &err), "");
    assert_string_equal(cause_of(world, "https://a.test", world->first, "f", clock_now_us(), &err), "");

    /* Another list: what was fetched for an issuer that stays is kept, also while that is away. */
    fake_set(&world->fake, FAILING, world->first, "1");
    list_write(world, fetched, "https://b.test");
    issuers_reload(world->issuers);
    assert_string_equal(cause_of(world, fetched, world->first, "1", clock_now_us(), &err), "");
    assert_string_equal(cause_of(world, "https://b.test", world->first, "f", clock_now_us(), &err), "");
    assert_string_equal(cause_of(world, "https://a.test", world->first, "f", clock_now_us(), &err), "ISSUER");

    /* A list that is wrong changes nothing; a file of keys is read again all the same. */
    uint64_t generation = jwt_verifier_generation(world->verifier);
    list_write(world, fetched, fetched);
    issuers_reload(world->issuers);
    assert_int_equal(jwt_verifier_generation(world->verifier), generation);
    keys_write(keys, sizeof(keys), world->second, "g");
    file_write(world->keys, keys);
    issuers_reload(world->issuers);
    assert_true(jwt_verifier_generation(world->verifier) != generation);
    assert_string_equal(cause_of(world, "https://b.test", world->second, "g", clock_now_us(), &err), "");
    assert_string_equal(cause_of(world, "https://b.test", world->first, "f", clock_now_us(), &err), "KEY");
    file_write(world->keys, "{");
    issuers_reload(world->issuers);
    assert_string_equal(cause_of(world, "https://b.test", world->second, "g", clock_now_us(), &err), "");
}

/* Tokens are verified while the list is replaced again and again. */
static void *verify_on(void *context)
{
    struct world *world = context;
    char token[TOKEN_SIZE];
    token_sign(token, world->first, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"f\"}",
               "{\"iss\":\"https://b.test\",\"aud\":\"isms\",\"sub\":\"u\",\"exp\":9000000000}");
    for (int i = 0; i < 500; i++) {
        struct jwt_claims claims;
        struct err err = {0};
        if (jwt_verify(world->verifier, token, strlen(token), clock_now_us(), &claims, &err) < 0)
            return "refused";
    }
    return NULL;
}

static void test_a_list_is_replaced_while_it_is_used(void **state)
{
    struct world *world = *state;
    struct issuers_options options = options_of(world);
    char keys[4096];
    pthread_t threads[2];
    keys_write(keys, sizeof(keys), world->first, "f");
    file_write(world->keys, keys);
    list_write(world, world->fake.url, "https://b.test");
    options.issuer = "";
    options.file = world->list;
    start(world, &options);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        BUG_IF(pthread_create(&threads[i], NULL, verify_on, world) != 0);
    for (int i = 0; i < 10; i++) {
        list_write(world, i % 2 ? world->fake.url : "https://127.0.0.1:1", "https://b.test");
        issuers_reload(world->issuers);
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *problem = "not run";
        pthread_join(threads[i], &problem);
        assert_null(problem);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* the issuer here answers whoever has hung up as well */
    const struct CMUnitTest tests[] = {
        TEST(test_keys_are_fetched_and_rotated),
        TEST(test_an_unknown_key_is_looked_for_once),
        TEST(test_keys_stay_in_force_for_a_while),
        TEST(test_an_issuer_that_cannot_be_used),
        TEST(test_a_short_way_that_leads_nowhere),
        TEST(test_a_list_that_changes),
        TEST(test_a_list_is_replaced_while_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
