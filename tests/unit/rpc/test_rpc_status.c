/* What a caller reads in a status is what the error said, and it always fits the trailers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <isms/rpc/status.h>

static struct err round_trip(const struct err *err, const char *trace_id, size_t *ret_length)
{
    struct buf details CLEANUP(buf_release);
    struct err read = {0};
    buf_init(&details, 64 * 1024);
    status_encode(err, trace_id, &details);
    assert_false(details.failed);
    int code = err_grpc_code(err->reason);
    assert_int_equal(
        status_decode(code, err->message, strlen(err->message), details.data, details.length, &read), -1);
    if (ret_length)
        *ret_length = details.length;
    return read;
}

static void reason_facts_and_fields_arrive(void **state UNUSED)
{
    struct err err = {0};
    err_field(&err, "action.title", "must not be empty");
    err_field(&err, "action.due_date", "is not a date");
    err_fact(&err, "limit", "%d", 7);
    struct err read = round_trip(&err, "0af7651916cd43dd8448eb211c80319c", NULL);
    assert_int_equal(read.reason, ERR_FIELD_INVALID);
    assert_string_equal(read.message, err.message);
    assert_int_equal(read.violation_count, 2);
    assert_string_equal(read.violations[1].field, "action.due_date");
    assert_string_equal(read.violations[1].description, "is not a date");
    assert_int_equal(read.metadata_count, 1); /* the trace id is for people, not a fact of the error */
    assert_string_equal(read.metadata[0].key, "limit");
    assert_string_equal(read.metadata[0].value, "7");
}

static void retry_delay_arrives(void **state UNUSED)
{
    struct err err = {0};
    err_set(&err, ERR_OVERLOADED);
    err.retry_after_ms = 1250;
    assert_int_equal(round_trip(&err, "", NULL).retry_after_ms, 1250);
}

static void gaps_are_precondition_failures(void **state UNUSED)
{
    struct err err = {0};
    err_field(&err, "agenda[2]", "was not considered");
    err.reason = ERR_NOT_CONFORMING;
    struct buf details CLEANUP(buf_release);
    buf_init(&details, 8192);
    status_encode(&err, "", &details);
    assert_non_null(memmem(details.data, details.length, "google.rpc.PreconditionFailure", 30));
    assert_null(memmem(details.data, details.length, "google.rpc.BadRequest", 21));
    assert_string_equal(round_trip(&err, "", NULL).violations[0].field, "agenda[2]");
}

static void largest_error_fits(void **state UNUSED)
{
    char long_text[1024];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    for (enum err_reason reason = ERR_OK + 1; reason < ERR_REASON_COUNT; reason++) {
        struct err err = {0};
        for (int i = 0; i < ERR_VIOLATIONS_MAX + 3; i++)
            err_field(&err, long_text, "%s", long_text);
        for (int i = 0; i < ERR_METADATA_MAX + 3; i++)
            err_fact(&err, long_text, "%s", long_text);
        memset(err.message, 'm', sizeof(err.message) - 1);
        err.reason = reason;
        err.retry_after_ms = INT64_MAX / 2;
        size_t length;
        struct err read = round_trip(&err, "0af7651916cd43dd8448eb211c80319c", &length);
        assert_int_equal(read.reason, reason);
        assert_in_range(length, 1, STATUS_DETAILS_MAX);
    }
}

static void foreign_status_has_a_reason(void **state UNUSED)
{
    for (int code = 1; code <= 16; code++) {
        struct err read = {0};
        assert_int_equal(status_decode(code, "no", 2, NULL, 0, &read), -1);
        assert_int_not_equal(read.reason, ERR_OK);
        assert_string_equal(read.message, "no");
    }
}

/* Every prefix and every damaged byte of a good status: an error comes out, nothing breaks. */
static void damaged_details_are_survived(void **state UNUSED)
{
    struct err err = {0};
    err_field(&err, "a", "b");
    err_fact(&err, "k", "v");
    struct buf details CLEANUP(buf_release);
    buf_init(&details, 8192);
    status_encode(&err, "trace", &details);
    for (size_t i = 0; i < details.length; i++) {
        struct err read = {0};
        status_decode(3, "", 0, details.data, i, &read);
        assert_int_equal(err_grpc_code(read.reason), 3);
        for (int bit = 0; bit < 8; bit++) {
            details.data[i] = (char)(details.data[i] ^ 1 << bit);
            status_decode(3, "\xff", 1, details.data, details.length, &read);
            assert_int_equal(err_grpc_code(read.reason), 3);
            details.data[i] = (char)(details.data[i] ^ 1 << bit);
        }
    }
}

/* A server that says one code and means another is taken by its code. */
static void reason_must_fit_the_code(void **state UNUSED)
{
    struct err err = {0};
    err_set(&err, ERR_NOT_FOUND);
    struct buf details CLEANUP(buf_release);
    buf_init(&details, 8192);
    status_encode(&err, "", &details);
    struct err read = {0};
    status_decode(7, "", 0, details.data, details.length, &read);
    assert_int_equal(read.reason, ERR_PERMISSION_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reason_facts_and_fields_arrive), cmocka_unit_test(retry_delay_arrives),
        cmocka_unit_test(gaps_are_precondition_failures), cmocka_unit_test(largest_error_fits),
        cmocka_unit_test(foreign_status_has_a_reason),    cmocka_unit_test(damaged_details_are_survived),
        cmocka_unit_test(reason_must_fit_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
