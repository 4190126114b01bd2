/* A record is made in one byte form, and any byte of it that changes is noticed. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <isms/base/crypto.h>

#define REVIEW_ID "018f0000-0000-7000-8000-000000000001"
#define SIGNER_ID "018f0000-0000-7000-8000-000000000002"
#define SIGN_TIME_US INT64_C(1772366400123456) /* 2026-03-01T12:00:00.123456Z */

/* RFC 8032, 7.1, test 1, as PKCS#8: signatures are the same on every run. */
static const char key_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static const char golden[] =
    "{\"decisions\":[{\"number\":\"MR-2026-01-D01\"}],\"format\":\"isms-review record\","
    "\"organisation\":{\"name\":\"Alma\"},"
    "\"people\":{\"" SIGNER_ID "\":"
    "\"sha256:4778bb6aa3649e6ec3511af11fd74d5dc1ab5fb834bc690cc97829c2a760bfa2\"},"
    "\"programme\":{\"title\":\"Yearly\"},"
    "\"review\":{\"id\":\"" REVIEW_ID "\",\"minutes\":\"\xc3\x84pfel\",\"number\":\"MR-2026-01\"},"
    "\"seal\":{\"number\":7,\"sha256\":\"cafe\"},"
    "\"signer\":{\"authentication\":{\"acr\":\"mfa\",\"auth_time\":\"2026-03-01T11:55:00.000000Z\","
    "\"issuer\":\"https://id.example\"},\"member_id\":\"" SIGNER_ID "\",\"roles\":[\"TOP_MANAGEMENT\"],"
    "\"time\":\"2026-03-01T12:00:00.123456Z\"},\"version\":1}";

/* A signed record with all that it is made of. */
struct sample {
    struct signing_key *key;
    struct buf content;
    char sha256[SHA256_HEX_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    char key_id[RECORD_KEY_ID_SIZE];
    char review_id[37];
    char number[16];
    char name[16];
    char salt[RECORD_SALT_SIZE];
    struct record_person person;
    struct record_evidence evidence;
};

static void content_make(struct sample *sample)
{
    struct err err = {0};
    json_auto_t *organisation = json_pack("{s:s}", "name", "Alma");
    json_auto_t *programme = json_pack("{s:s}", "title", "Yearly");
    json_auto_t *review =
        json_pack("{s:s, s:s, s:s}", "number", "MR-2026-01", "id", REVIEW_ID, "minutes", "\xc3\x84pfel");
    json_auto_t *decisions = json_pack("[{s:s}]", "number", "MR-2026-01-D01");
    json_auto_t *roles = json_pack("[s]", "TOP_MANAGEMENT");
    struct record_parts parts = {
        .organisation = organisation, .programme = programme, .review = review, .decisions = decisions,
        .seal_number = 7, .seal_sha256 = "cafe",
        .signer = {.member_id = SIGNER_ID, .roles = roles, .sign_time_us = SIGN_TIME_US,
                   .issuer = "https://id.example", .acr = "mfa", .amr = "",
                   .auth_time_us = SIGN_TIME_US - 300123456},
        .people = &sample->person, .person_count = 1,
    };
    assert_int_equal(record_build(&parts, &sample->content, &err), 0);
}

static int sample_make(void **state)
{
    static struct sample sample;
    struct err err = {0};
    memset(&sample, 0, sizeof(sample));
    buf_init(&sample.content, 64 * 1024);
    memcpy(sample.review_id, REVIEW_ID, sizeof(REVIEW_ID));
    memcpy(sample.number, "MR-2026-01", sizeof("MR-2026-01"));
    memcpy(sample.name, "Ada Kov\xc3\xa1" "cs", sizeof("Ada Kov\xc3\xa1" "cs"));
    memcpy(sample.salt, "pepper!", 8);
    sample.person = (struct record_person){
        .member_id = SIGNER_ID, .name = sample.name, .salt = sample.salt, .salt_length = sizeof(sample.salt)};
    assert_int_equal(signing_key_parse(key_pem, &sample.key, &err), 0);
    content_make(&sample);
    struct sha256 hash = sha256_of(sample.content.data, sample.content.length);
    hex_encode(&hash, sizeof(hash), sample.sha256);
    assert_int_equal(record_sign(sample.key, &hash, sample.signature, &err), 0);
    signing_key_public(sample.key, sample.public_key);
    record_key_id(sample.public_key, sample.key_id);
    sample.evidence = (struct record_evidence){
        .review_id = sample.review_id, .number = sample.number,
        .content = sample.content.data, .content_length = sample.content.length, .sha256 = sample.sha256,
        .signature = sample.signature, .signature_length = sizeof(sample.signature),
        .public_key = sample.public_key, .public_key_length = sizeof(sample.public_key),
        .key_id = sample.key_id, .sign_time_us = SIGN_TIME_US, .people = &sample.person, .person_count = 1,
    };
    *state = &sample;
    return 0;
}

static int sample_release(void **state)
{
    struct sample *sample = *state;
    signing_key_free(sample->key);
    buf_release(&sample->content);
    return 0;
}

static int verify(const struct sample *sample)
{
    struct err err = {0};
    int result = record_verify(&sample->evidence, &err);
    if (result < 0)
        assert_int_equal(err.reason, ERR_DATA_CORRUPT);
    return result;
}

static void the_canonical_form_is_frozen(void **state)
{
    const struct sample *sample = *state;
    assert_string_equal(sample->content.data, golden);
}

static void what_was_signed_verifies(void **state)
{
    assert_int_equal(verify(*state), 0);
}

static void every_changed_byte_is_noticed(void **state)
{
    struct sample *sample = *state;
    const struct {
        void *data;
        size_t length;
    } parts[] = {
        {sample->content.data, sample->content.length},
        {sample->sha256, strlen(sample->sha256)},
        {sample->signature, sizeof(sample->signature)},
        {sample->public_key, sizeof(sample->public_key)},
        {sample->key_id, strlen(sample->key_id)},
        {sample->review_id, strlen(sample->review_id)},
        {sample->number, strlen(sample->number)},
        {sample->name, strlen(sample->name)},
        {sample->salt, sizeof(sample->salt)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        for (size_t j = 0; j < parts[i].length; j++) {
            uint8_t *byte = (uint8_t *)parts[i].data + j;
            *byte ^= 1;
            if (verify(sample) == 0)
                fail_msg("part %zu, byte %zu", i, j);
            *byte ^= 1;
        }
    sample->evidence.sign_time_us++;
    assert_int_equal(verify(sample), -1);
    sample->evidence.sign_time_us--;
    assert_int_equal(verify(sample), 0);
}

/* The hash is over salt and name together: only the salt's fixed length says where one ends. */
static void letters_moved_from_name_to_salt_are_found(void **state)
{
    struct sample *sample = *state;
    char longer[RECORD_SALT_SIZE + 1];
    struct record_person moved = sample->person;
    memcpy(longer, sample->salt, RECORD_SALT_SIZE);
    longer[RECORD_SALT_SIZE] = sample->name[0];
    moved.salt = longer;
    moved.salt_length = sizeof(longer);
    moved.name = sample->name + 1;
    sample->evidence.people = &moved;
    assert_int_equal(verify(sample), -1);
    sample->evidence.people = &sample->person;
    assert_int_equal(verify(sample), 0);
}

static void cut_short_or_empty_it_is_refused(void **state)
{
    struct sample *sample = *state;
    struct record_evidence whole = sample->evidence;
    sample->evidence.signature_length--;
    assert_int_equal(verify(sample), -1);
    sample->evidence = whole;
    sample->evidence.public_key_length = 0;
    assert_int_equal(verify(sample), -1);
    sample->evidence = whole;
    sample->evidence.content_length--;
    assert_int_equal(verify(sample), -1);
    sample->evidence = whole;
    sample->evidence.content_length = 0;
    assert_int_equal(verify(sample), -1);
}

/* Somebody signs a forged record with a key of their own: it holds in itself, but under another key id. */
static void another_key_has_another_id(void **state)
{
    struct sample *sample = *state;
    struct err err = {0};
    struct signing_key *other CLEANUP(signing_key_freep) = NULL;
    assert_int_equal(signing_key_generate(&other, &err), 0);
    signing_key_public(other, sample->public_key);
    assert_int_equal(verify(sample), -1);
    char id[RECORD_KEY_ID_SIZE];
    record_key_id(sample->public_key, id);
    assert_string_not_equal(id, sample->key_id);
}

/* The text that is signed is nothing but a record: a signature of the bare hash is none. */
static void a_signature_over_the_hash_alone_is_none(void **state)
{
    struct sample *sample = *state;
    struct err err = {0};
    struct sha256 hash = sha256_of(sample->content.data, sample->content.length);
    assert_int_equal(ed25519_sign(sample->key, hash.bytes, sizeof(hash.bytes), sample->signature, &err), 0);
    assert_int_equal(verify(sample), -1);
}

static void an_erased_person_leaves_the_record_whole(void **state)
{
    struct sample *sample = *state;
    sample->evidence.person_count = 0;
    assert_int_equal(verify(sample), 0);
}

static void a_person_who_is_not_in_the_record_is_refused(void **state)
{
    struct sample *sample = *state;
    sample->person.member_id = REVIEW_ID;
    assert_int_equal(verify(sample), -1);
}

static void a_signed_text_that_is_no_record_is_refused(void **state)
{
    static const char *const texts[] = {"", "[]", "{}", "not JSON", "{\"format\":\"isms-review record\",\"version\":2}",
                                        "{\"version\":1,\"version\":1}"};
    struct sample *sample = *state;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct sha256 hash = sha256_of(texts[i], strlen(texts[i]));
        hex_encode(&hash, sizeof(hash), sample->sha256);
        assert_int_equal(record_sign(sample->key, &hash, sample->signature, &err), 0);
        sample->evidence.content = texts[i];
        sample->evidence.content_length = strlen(texts[i]);
        assert_int_equal(verify(sample), -1);
    }
}

int main(void)
{
#define SAMPLE_TEST(test) cmocka_unit_test_setup_teardown(test, sample_make, sample_release)
    const struct CMUnitTest tests[] = {
        SAMPLE_TEST(the_canonical_form_is_frozen),
        SAMPLE_TEST(what_was_signed_verifies),
        SAMPLE_TEST(every_changed_byte_is_noticed),
        SAMPLE_TEST(letters_moved_from_name_to_salt_are_found),
        SAMPLE_TEST(cut_short_or_empty_it_is_refused),
        SAMPLE_TEST(another_key_has_another_id),
        SAMPLE_TEST(a_signature_over_the_hash_alone_is_none),
        SAMPLE_TEST(an_erased_person_leaves_the_record_whole),
        SAMPLE_TEST(a_person_who_is_not_in_the_record_is_refused),
        SAMPLE_TEST(a_signed_text_that_is_no_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
