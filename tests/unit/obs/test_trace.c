/* traceparent as W3C's recommendation has it; whatever else comes begins a new trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/base/attributes.h>
#include <isms/obs/trace.h>

#define EXAMPLE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void test_a_call_joins_the_trace_it_came_with(void **state UNUSED)
{
    struct trace sender;
    char text[TRACE_PARENT_SIZE];
    assert_true(trace_parse(slice_of(EXAMPLE), &sender));
    trace_format(&sender, text);
    assert_string_equal(text, EXAMPLE);

    struct trace ours = trace_continue(slice_of(EXAMPLE));
    char trace_id[TRACE_ID_TEXT_SIZE], span_id[SPAN_ID_TEXT_SIZE];
    trace_id_format(&ours, trace_id);
    span_id_format(&ours, span_id);
    assert_string_equal(trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_not_equal(span_id, "00f067aa0ba902b7");
    assert_memory_equal(ours.parent_id, sender.span_id, sizeof(ours.parent_id));
    assert_true(ours.sampled);

    struct trace theirs = trace_child(&ours);
    assert_memory_equal(theirs.trace_id, ours.trace_id, sizeof(ours.trace_id));
    assert_memory_equal(theirs.parent_id, ours.span_id, sizeof(ours.span_id));
    assert_memory_not_equal(theirs.span_id, ours.span_id, sizeof(ours.span_id));
}

static void test_flags(void **state UNUSED)
{
    struct trace trace;
    char text[TRACE_PARENT_SIZE];
    assert_true(trace_parse(slice_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), &trace));
    assert_false(trace.sampled);
    assert_true(trace_parse(slice_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"), &trace));
    trace_format(&trace, text);
    assert_string_equal(text, EXAMPLE); /* bits that we do not know are not passed on */
}

static void test_later_versions_are_read_as_far_as_we_go(void **state UNUSED)
{
    struct trace trace;
    assert_true(trace_parse(slice_of("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
    assert_true(trace_parse(slice_of("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"), &trace));
    assert_false(trace_parse(slice_of("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what"), &trace));
    assert_false(trace_parse(slice_of("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
}

static void test_a_broken_header_begins_a_trace(void **state UNUSED)
{
    static const char *const wrong[] = {
        "",
        "garbage",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        static const uint8_t none[16];
        struct trace trace;
        if (trace_parse(slice_of(wrong[i]), &trace))
            fail_msg("%s is accepted", wrong[i]);
        trace = trace_continue(slice_of(wrong[i]));
        assert_memory_not_equal(trace.trace_id, none, sizeof(trace.trace_id));
        assert_memory_not_equal(trace.span_id, none, sizeof(trace.span_id));
        assert_memory_equal(trace.parent_id, none, sizeof(trace.parent_id));
    }
    struct trace trace = trace_continue((struct slice){NULL, 0});
    struct trace another = trace_new();
    assert_memory_not_equal(trace.trace_id, another.trace_id, sizeof(trace.trace_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_joins_the_trace_it_came_with),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_later_versions_are_read_as_far_as_we_go),
        cmocka_unit_test(test_a_broken_header_begins_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
