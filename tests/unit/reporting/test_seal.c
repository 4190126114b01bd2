/* Seals: the published vectors of RFC 6962's tree, and every way in which a sealed log can be changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <isms/base/canonical.h>

#include "seal.h"

enum { CHANGES = 7 };

static const char tenant[] = "0190a1b2-0000-7000-8000-000000000001";

/* --- the tree ------------------------------------------------------------------------------------------- */

/* The leaves and roots of Certificate Transparency's reference implementation (merkletree tests). */
static void tree_has_the_published_roots(void **state UNUSED)
{
    static const char *const leaves[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct merkle tree = {0};
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        char hex[SHA256_HEX_SIZE];
        struct sha256 root = merkle_root(&tree);
        hex_encode(&root, sizeof(root), hex);
        assert_string_equal(hex, roots[i]);
        if (i < ARRAY_SIZE(leaves)) {
            uint8_t data[16];
            assert_true(hex_decode(leaves[i], strlen(leaves[i]), data));
            merkle_add(&tree, merkle_leaf(data, strlen(leaves[i]) / 2));
        }
    }
}

/* --- a small log ---------------------------------------------------------------------------------------- */

static char hashes[CHANGES][SHA256_HEX_SIZE];

static void log_make(struct seal_change changes[static CHANGES])
{
    static const char *const contents[CHANGES] = {"{\"a\": 1}", "{\"a\": 2}", "{}",        "{\"b\": \"ü\"}",
                                                  "[]",         "{\"c\": 0}", "{\"c\": 1}"};
    for (int i = 0; i < CHANGES; i++) {
        struct sha256 hash = sha256_of(contents[i], strlen(contents[i]));
        hex_encode(&hash, sizeof(hash), hashes[i]);
        changes[i] = (struct seal_change){.sequence = 1 + i / 2,
                                          .ordinal = 1 + i % 2,
                                          .service = "actions",
                                          .method = "UpdateAction",
                                          .table = "actions.action",
                                          .row_id = "0190a1b2-0000-7000-8000-0000000000aa",
                                          .revision = 1 + i,
                                          .operation = i ? "UPDATE" : "CREATE",
                                          .actor_id = "0190a1b2-0000-7000-8000-0000000000bb",
                                          .actor_kind = "person",
                                          .on_behalf_of = "",
                                          .request_id = "",
                                          .change_time_us = 1767225600000000 + i,
                                          .content = contents[i],
                                          .content_sha256 = hashes[i],
                                          .previous_sha256 = i ? hashes[i - 1] : ""};
    }
}

static int batch_of(const struct seal_change *changes, size_t count, struct seal_batch *batch, struct err *err)
{
    *batch = (struct seal_batch){0};
    for (size_t i = 0; i < count; i++)
        if (seal_batch_add(batch, &changes[i], err) < 0)
            return -1;
    return 0;
}

static struct seal seal_of(const struct seal_change changes[static CHANGES])
{
    struct seal seal = {.number = 1, .first_sequence = 1, .last_sequence = 4, .time_us = 1767225600000000};
    struct seal_batch batch;
    struct err err;
    memcpy(seal.tenant, tenant, sizeof(tenant));
    assert_int_equal(batch_of(changes, CHANGES, &batch, &err), 0);
    seal_cover(&seal, &batch);
    return seal;
}

/* Does the seal hold for these changes? */
static bool holds(const struct seal *seal, const struct seal_change *changes, size_t count)
{
    struct seal_batch batch;
    struct err err = {0};
    bool result = batch_of(changes, count, &batch, &err) == 0 && seal_verify_changes(seal, &batch, &err) == 0;
    if (!result)
        assert_int_equal(err.reason, ERR_DATA_CORRUPT);
    return result;
}

static void sealed_changes_hold(void **state UNUSED)
{
    struct seal_change changes[CHANGES];
    log_make(changes);
    struct seal seal = seal_of(changes);
    assert_int_equal(seal.change_count, CHANGES);
    assert_true(holds(&seal, changes, CHANGES));
    for (int i = 0; i < CHANGES; i++)
        changes[i].content = NULL; /* the hashes alone will do */
    assert_true(holds(&seal, changes, CHANGES));
}

#define TRY(place, member, value) \
    do { \
        log_make(changes); \
        changes[place].member = (value); \
        if (holds(&seal, changes, CHANGES)) \
            fail_msg("change %d: another %s was not noticed", (place), #member); \
    } while (0)

static void every_member_of_every_change_counts(void **state UNUSED)
{
    struct seal_change changes[CHANGES];
    log_make(changes);
    struct seal seal = seal_of(changes);
    for (int i = 0; i < CHANGES; i++) {
        TRY(i, sequence, changes[i].sequence + 100);
        TRY(i, ordinal, changes[i].ordinal + 100);
        TRY(i, service, "inputs");
        TRY(i, method, "CreateAction");
        TRY(i, table, "actions.progress");
        TRY(i, row_id, "0190a1b2-0000-7000-8000-0000000000ab");
        TRY(i, revision, 99);
        TRY(i, operation, "DELETE");
        TRY(i, actor_id, "");
        TRY(i, actor_kind, "key");
        TRY(i, on_behalf_of, "reviews");
        TRY(i, request_id, "0190a1b2-0000-7000-8000-0000000000cc");
        TRY(i, change_time_us, 1767225600000100);
        TRY(i, content, "{\"a\": 3}");
        TRY(i, content_sha256, "");
        TRY(i, previous_sha256, "00");
    }
}

static void added_left_out_and_swapped_changes_are_found(void **state UNUSED)
{
    struct seal_change changes[CHANGES + 1];
    log_make(changes);
    struct seal seal = seal_of(changes);
    assert_false(holds(&seal, changes, CHANGES - 1));
    assert_false(holds(&seal, changes + 1, CHANGES - 1));
    changes[CHANGES] = changes[CHANGES - 1];
    changes[CHANGES].ordinal++;
    assert_false(holds(&seal, changes, CHANGES + 1));
    for (int i = 0; i + 1 < CHANGES; i++) {
        log_make(changes);
        struct seal_change first = changes[i];
        struct seal_change other = changes[i + 1];
        changes[i] = other;
        changes[i + 1] = first;
        assert_false(holds(&seal, changes, CHANGES)); /* out of order */
        changes[i].sequence = first.sequence;
        changes[i].ordinal = first.ordinal;
        changes[i + 1].sequence = other.sequence;
        changes[i + 1].ordinal = other.ordinal;
        assert_false(holds(&seal, changes, CHANGES)); /* in order, with each other's content */
    }
}

static void text_cannot_move_between_members(void **state UNUSED)
{
    struct seal_change changes[CHANGES];
    struct seal_batch one;
    struct seal_batch other;
    struct err err;
    log_make(changes);
    changes[0].actor_kind = "a\",\"b";
    changes[0].on_behalf_of = "c";
    assert_int_equal(batch_of(changes, 1, &one, &err), 0);
    changes[0].actor_kind = "a";
    changes[0].on_behalf_of = "b\",\"c";
    assert_int_equal(batch_of(changes, 1, &other, &err), 0);
    assert_memory_not_equal(&one.tree.roots[0], &other.tree.roots[0], SHA256_SIZE);
}

/* Frozen: a change of this form would leave every seal of every installation unverifiable. */
static void line_has_its_frozen_form(void **state UNUSED)
{
    struct seal_change changes[CHANGES];
    struct buf line CLEANUP(buf_release);
    log_make(changes);
    buf_init(&line, MERKLE_LEAF_MAX);
    seal_change_line(&changes[1], &line);
    assert_string_equal(
        line.data,
        "[\"1\",\"2\",\"actions\",\"UpdateAction\",\"actions.action\","
        "\"0190a1b2-0000-7000-8000-0000000000aa\",\"2\","
        "\"UPDATE\",\"0190a1b2-0000-7000-8000-0000000000bb\",\"person\",\"\",\"\","
        "\"2026-01-01T00:00:00.000001Z\","
        "\"e5a9d5b0300e0f50d372e5a9ddfa24208aac9a940ce9a36f247387221ae205fe\","
        "\"f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310\"]");
}

/* --- the seal itself ------------------------------------------------------------------------------------ */

static void content_is_canonical_and_reads_back(void **state UNUSED)
{
    struct seal_change changes[CHANGES];
    struct buf content CLEANUP(buf_release);
    struct buf canonical CLEANUP(buf_release);
    struct seal read;
    struct err err;
    char hex[SHA256_HEX_SIZE];
    log_make(changes);
    struct seal seal = seal_of(changes);
    memcpy(seal.previous_sha256, hashes[0], SHA256_HEX_SIZE);
    buf_init(&content, SEAL_CONTENT_MAX);
    buf_init(&canonical, SEAL_CONTENT_MAX);
    seal_write(&seal, &content);
    json_t *json = json_loads(content.data, 0, NULL);
    assert_non_null(json);
    assert_int_equal(canonical_append(&canonical, json, &err), 0);
    json_decref(json);
    assert_string_equal(content.data, canonical.data);

    struct sha256 hash = sha256_of(content.data, content.length);
    hex_encode(&hash, sizeof(hash), hex);
    assert_int_equal(seal_read(content.data, content.length, hex, &read, &err), 0);
    assert_string_equal(read.tenant, seal.tenant);
    assert_int_equal(read.number, seal.number);
    assert_int_equal(read.first_sequence, seal.first_sequence);
    assert_int_equal(read.last_sequence, seal.last_sequence);
    assert_int_equal(read.change_count, seal.change_count);
    assert_string_equal(read.merkle_root, seal.merkle_root);
    assert_string_equal(read.previous_sha256, seal.previous_sha256);
    assert_int_equal(read.time_us, seal.time_us);
}

static void any_changed_byte_of_the_content_is_found(void **state UNUSED)
{
    struct seal_change changes[CHANGES];
    struct buf content CLEANUP(buf_release);
    struct seal read;
    struct err err;
    char hex[SHA256_HEX_SIZE];
    log_make(changes);
    struct seal seal = seal_of(changes);
    buf_init(&content, SEAL_CONTENT_MAX);
    seal_write(&seal, &content);
    struct sha256 hash = sha256_of(content.data, content.length);
    hex_encode(&hash, sizeof(hash), hex);
    for (size_t i = 0; i < content.length; i++) {
        content.data[i] ^= 1;
        assert_int_equal(seal_read(content.data, content.length, hex, &read, &err), -1);
        assert_int_equal(err.reason, ERR_DATA_CORRUPT);
        content.data[i] ^= 1;
    }
}

static void content_of_another_form_is_refused(void **state UNUSED)
{
    static const char *const wrong[] = {"",
                                        "{}",
                                        "[]",
                                        "null",
                                        "{\"format\":\"isms-review record\",\"version\":1}",
                                        "{\"format\":\"isms-review seal\",\"version\":2}"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct seal read;
        struct err err;
        char hex[SHA256_HEX_SIZE];
        struct sha256 hash = sha256_of(wrong[i], strlen(wrong[i]));
        hex_encode(&hash, sizeof(hash), hex);
        assert_int_equal(seal_read(wrong[i], strlen(wrong[i]), hex, &read, &err), -1);
    }
}

static void signature_is_of_that_key_over_that_hash(void **state UNUSED)
{
    struct signing_key *key CLEANUP(signing_key_freep) = NULL;
    struct signing_key *stranger CLEANUP(signing_key_freep) = NULL;
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    uint8_t other_key[ED25519_PUBLIC_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct sha256 hash = sha256_of("seal", 4);
    char hex[SHA256_HEX_SIZE];
    struct err err;
    hex_encode(&hash, sizeof(hash), hex);
    assert_int_equal(signing_key_generate(&key, &err), 0);
    assert_int_equal(signing_key_generate(&stranger, &err), 0);
    signing_key_public(key, public_key);
    signing_key_public(stranger, other_key);
    assert_int_equal(seal_sign(key, &hash, signature, &err), 0);
    assert_int_equal(seal_verify_signature(public_key, hex, signature, sizeof(signature), &err), 0);
    assert_int_equal(seal_verify_signature(other_key, hex, signature, sizeof(signature), &err), -1);
    assert_int_equal(seal_verify_signature(public_key, hex, signature, sizeof(signature) - 1, &err), -1);
    assert_int_equal(seal_verify_signature(public_key, hashes[0], signature, sizeof(signature), &err), -1);
    signature[10] ^= 1;
    assert_int_equal(seal_verify_signature(public_key, hex, signature, sizeof(signature), &err), -1);
    /* The hash without the purpose in front of it is not what was signed. */
    assert_int_equal(ed25519_sign(key, &hash, sizeof(hash), signature, &err), 0);
    assert_int_equal(seal_verify_signature(public_key, hex, signature, sizeof(signature), &err), -1);
}

static void chain_has_no_gap_no_branch_and_no_stranger(void **state UNUSED)
{
    struct seal first = {.number = 1, .first_sequence = 1, .last_sequence = 4};
    struct seal second = {.number = 2, .first_sequence = 5, .last_sequence = 5};
    struct seal wrong;
    struct err err;
    char hash[SHA256_HEX_SIZE] = "11";
    memcpy(first.tenant, tenant, sizeof(tenant));
    memcpy(second.tenant, tenant, sizeof(tenant));
    memcpy(second.previous_sha256, hash, sizeof(hash));
    assert_int_equal(seal_verify_link(NULL, NULL, &first, &err), 0);
    assert_int_equal(seal_verify_link(&first, hash, &second, &err), 0);
    assert_int_equal(seal_verify_link(NULL, NULL, &second, &err), -1);
    assert_int_equal(seal_verify_link(&second, hash, &first, &err), -1);
    assert_int_equal(seal_verify_link(&first, "22", &second, &err), -1);
    wrong = second, wrong.number = 3;
    assert_int_equal(seal_verify_link(&first, hash, &wrong, &err), -1);
    wrong = second, wrong.first_sequence = 6, wrong.last_sequence = 6;
    assert_int_equal(seal_verify_link(&first, hash, &wrong, &err), -1);
    wrong = second, wrong.first_sequence = 4;
    assert_int_equal(seal_verify_link(&first, hash, &wrong, &err), -1);
    wrong = second, wrong.last_sequence = 4;
    assert_int_equal(seal_verify_link(&first, hash, &wrong, &err), -1);
    wrong = second, wrong.tenant[35] = '2';
    assert_int_equal(seal_verify_link(&first, hash, &wrong, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_has_the_published_roots),
        cmocka_unit_test(sealed_changes_hold),
        cmocka_unit_test(every_member_of_every_change_counts),
        cmocka_unit_test(added_left_out_and_swapped_changes_are_found),
        cmocka_unit_test(text_cannot_move_between_members),
        cmocka_unit_test(line_has_its_frozen_form),
        cmocka_unit_test(content_is_canonical_and_reads_back),
        cmocka_unit_test(any_changed_byte_of_the_content_is_found),
        cmocka_unit_test(content_of_another_form_is_refused),
        cmocka_unit_test(signature_is_of_that_key_over_that_hash),
        cmocka_unit_test(chain_has_no_gap_no_branch_and_no_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
