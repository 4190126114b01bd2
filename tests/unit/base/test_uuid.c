/* UUIDs: RFC 9562's vectors, and the order of those made one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include <isms/base/attributes.h>
#include <isms/base/clock.h>
#include <isms/base/uuid.h>

/* RFC 9562 appendix A.4 */
static void test_version_5_vector(void **state UNUSED)
{
    struct uuid dns;
    char text[UUID_TEXT_SIZE];
    assert_true(uuid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", &dns));
    uuid_format(uuid_v5(dns, "www.example.com", strlen("www.example.com")), text);
    assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assert_false(uuid_equals(uuid_v5(dns, "a", 1), uuid_v5(dns, "b", 1)));
    assert_false(uuid_is_nil(uuid_v5(dns, "", 0)));
}

static void test_version_7_layout(void **state UNUSED)
{
    int64_t before_ms = clock_now_us() / 1000;
    struct uuid uuid = uuid_v7();
    int64_t after_ms = clock_now_us() / 1000;
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid.bytes[i];
    assert_in_range(ms, before_ms, after_ms + 1);
    assert_int_equal(uuid.bytes[6] >> 4, 7);
    assert_int_equal(uuid.bytes[8] >> 6, 2);
}

enum { PER_THREAD = 20000, THREADS = 4 };

static void *ids_make(void *context)
{
    struct uuid *ids = context;
    for (int i = 0; i < PER_THREAD; i++)
        ids[i] = uuid_v7();
    return NULL;
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static void test_version_7_ascends_and_never_repeats(void **state UNUSED)
{
    static struct uuid ids[THREADS * PER_THREAD];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ids_make, ids + i * PER_THREAD), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS * PER_THREAD; i++)
        if (i % PER_THREAD)
            assert_true(order(&ids[i - 1], &ids[i]) < 0);
    qsort(ids, ARRAY_SIZE(ids), sizeof(ids[0]), order);
    for (size_t i = 1; i < ARRAY_SIZE(ids); i++)
        assert_int_not_equal(memcmp(ids[i - 1].bytes, ids[i].bytes, 8), 0); /* even without the random part */
}

static void test_texts(void **state UNUSED)
{
    struct uuid uuid;
    char text[UUID_TEXT_SIZE];
    assert_true(uuid_parse("2ED6657D-e927-568B-95e1-2665a8aea6a2", &uuid));
    uuid_format(uuid, text);
    assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");

    static const char *const wrong[] = {
        "", "2ed6657d-e927-568b-95e1-2665a8aea6a", "2ed6657d-e927-568b-95e1-2665a8aea6a22",
        "2ed6657de927568b95e12665a8aea6a2", "{2ed6657d-e927-568b-95e1-2665a8aea6a}",
        "2ed6657d-e927-568b-95e1-2665a8aea6ag", "2ed6657de-927-568b-95e1-2665a8aea6a2",
        "2ed6657d-e927-568b-95e1_2665a8aea6a2", " ed6657d-e927-568b-95e1-2665a8aea6a2",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct uuid untouched = uuid;
        if (uuid_parse(wrong[i], &untouched))
            fail_msg("%s is accepted", wrong[i]);
        assert_true(uuid_equals(untouched, uuid));
    }
    assert_true(uuid_parse("00000000-0000-0000-0000-000000000000", &uuid));
    assert_true(uuid_is_nil(uuid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_5_vector),
        cmocka_unit_test(test_version_7_layout),
        cmocka_unit_test(test_version_7_ascends_and_never_repeats),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
