/* Which name in a certificate is which service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <isms/rpc/identity.h>

static void services_have_names(void **state UNUSED)
{
    struct peer_identities identities;
    struct err err = {0};
    assert_int_equal(peer_identities_parse("inputs=spiffe://example.org/isms/inputs,reviews=dns:reviews.isms.svc",
                                           &identities, &err), 0);
    const struct identity *inputs = peer_identity_of(&identities, "inputs");
    const struct identity *reviews = peer_identity_of(&identities, "reviews");
    assert_int_equal(inputs->kind, IDENTITY_SPIFFE);
    assert_string_equal(inputs->name, "spiffe://example.org/isms/inputs");
    assert_int_equal(reviews->kind, IDENTITY_DNS);
    assert_string_equal(reviews->name, "reviews.isms.svc");
    assert_null(peer_identity_of(&identities, "actions"));
    assert_null(peer_identity_of(&identities, "stranger"));
    assert_null(peer_identity_of(NULL, "inputs"));
    assert_int_equal(peer_identities_parse("", &identities, &err), 0);
    assert_null(peer_identity_of(&identities, "inputs"));
}

static void what_cannot_be_a_name_is_refused(void **state UNUSED)
{
    static char long_name[600] = "inputs=dns:";
    memset(long_name + strlen(long_name), 'a', 500);
    const char *wrong[] = {"inputs", "inputs=", "inputs=somebody", "inputs=spiffe://", "inputs=dns:",
                           "stranger=dns:a.b", "=dns:a.b", "inputs=dns:a.b,,reviews=dns:c.d", long_name};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct peer_identities identities;
        struct err err = {0};
        if (peer_identities_parse(wrong[i], &identities, &err) == 0)
            fail_msg("\"%s\" was accepted", wrong[i]);
    }
}

static void a_name_is_compared_whole_and_by_its_kind(void **state UNUSED)
{
    struct identity spiffe = {.kind = IDENTITY_SPIFFE, .name = "spiffe://example.org/inputs"};
    struct identity dns = {.kind = IDENTITY_DNS, .name = "inputs.svc"};
    assert_true(identity_is(&spiffe, IDENTITY_SPIFFE, slice_of("spiffe://example.org/inputs")));
    assert_false(identity_is(&spiffe, IDENTITY_SPIFFE, slice_of("spiffe://example.org/inputs/more")));
    assert_false(identity_is(&spiffe, IDENTITY_SPIFFE, slice_of("spiffe://example.org/input")));
    assert_false(identity_is(&spiffe, IDENTITY_SPIFFE, slice_of("spiffe://EXAMPLE.org/inputs")));
    assert_false(identity_is(&spiffe, IDENTITY_DNS, slice_of("spiffe://example.org/inputs")));
    assert_true(identity_is(&dns, IDENTITY_DNS, slice_of("Inputs.SVC")));
    assert_false(identity_is(&dns, IDENTITY_DNS, slice_of("*.svc")));
    assert_false(identity_is(&dns, IDENTITY_DNS, (struct slice){.data = "inputs.svc\0.evil", .length = 16}));
    assert_false(identity_is(&(struct identity){0}, IDENTITY_NONE, slice_of("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_have_names),
        cmocka_unit_test(what_cannot_be_a_name_is_refused),
        cmocka_unit_test(a_name_is_compared_whole_and_by_its_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
