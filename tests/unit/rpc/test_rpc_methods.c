/* A service starts only when each of its rpcs is implemented exactly once, in a way that fits the proto. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "internal.h"

extern const struct descriptors_source probe_descriptors_source;

static struct descriptors *descriptors;

#define GET "select id, title from probe.note where tenant_id = :tenant and id = :id"
#define WRITE(verb) \
    "with new as (" verb " returning *)\n--@answer probe.note new\nselect id, title from new"
#define CREATE WRITE("insert into probe.note (tenant_id, id, title) values (:tenant, :new_id, :title)")
#define RENAME WRITE("update probe.note set title = :title where tenant_id = :tenant and id = :id")

static int run(struct call *call UNUSED, const ProtobufCMessage *request UNUSED,
               ProtobufCMessage *response UNUSED, struct err *err UNUSED)
{
    return 0;
}

static const struct sql_text files[] = {
    {"GetNote", GET}, {"GetNoteInternally", GET}, {"CreateNote", CREATE}, {"RenameNote", RENAME}, {0}};
static int stream(struct call *call UNUSED, const ProtobufCMessage *request UNUSED,
                  struct rpc_stream *rpc_stream UNUSED, struct err *err UNUSED)
{
    return 0;
}

static const struct rpc_stream_handler no_streams[] = {{0}};
static const struct rpc_stream_handler streams[] = {{"StreamNotes", stream}, {0}};
static const struct rpc_stream_handler *the_streams = streams;

static const struct rpc_handler handlers[] = {{"CopyNote", run}, {"Sleep", run}, {"RelayNote", run}, {0}};

static struct rpc_methods *methods_of(const struct sql_text *sql, const struct rpc_handler *table,
                                      struct err *err)
{
    struct rpc_methods *methods = NULL;
    struct rpc_methods_options options = {.descriptors = descriptors,
                                          .service = "probe",
                                          .package = "isms.probe.v1",
                                          .sql = sql,
                                          .handlers = table,
                                          .streams = the_streams};
    *err = (struct err){0};
    return rpc_methods_new(&options, &methods, err) == 0 ? methods : NULL;
}

static void assert_refused(const struct sql_text *sql, const struct rpc_handler *table, const char *why)
{
    struct err err;
    struct rpc_methods *methods = methods_of(sql, table, &err);
    assert_null(methods);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void complete_service_is_accepted(void **state UNUSED)
{
    struct err err;
    struct rpc_methods *methods CLEANUP(rpc_methods_freep) = methods_of(files, handlers, &err);
    assert_non_null(methods);
    unsigned count;
    const struct rpc_method *list = rpc_methods_list(methods, &count);
    assert_int_equal(count, 8);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal((list[i].run != NULL) + (list[i].stream != NULL) + (list[i].binding != NULL), 1);
    assert_non_null(rpc_methods_binding(methods, "GetNote"));
    assert_null(rpc_methods_binding(methods, "Nothing"));
}

/* A stream is neither a file nor a handler with one answer, and the other way round. */
static void streams_take_handlers_of_their_own(void **state UNUSED)
{
    static const struct sql_text with_file[] = {{"GetNote", GET}, {"GetNoteInternally", GET},
                                                {"CreateNote", CREATE}, {"RenameNote", RENAME},
                                                {"StreamNotes", GET}, {0}};
    static const struct rpc_handler with_handler[] = {
        {"CopyNote", run}, {"Sleep", run}, {"RelayNote", run}, {"StreamNotes", run}, {0}};
    static const struct rpc_stream_handler wrong[] = {{"StreamNotes", stream}, {"Sleep", stream}, {0}};
    the_streams = no_streams;
    assert_refused(files, handlers, "StreamNotes: has neither");
    assert_refused(with_file, handlers, "takes a handler, not a file");
    assert_refused(files, with_handler, "StreamNotes: answers with a stream");
    the_streams = wrong;
    assert_refused(files, handlers + 1, "Sleep: has two handlers");
    the_streams = streams;
}

/* A worker prepares what its lane runs; the exclusive lane runs everything. */
static void statements_are_split_by_lane(void **state UNUSED)
{
    struct err err;
    struct rpc_methods *methods CLEANUP(rpc_methods_freep) = methods_of(files, handlers, &err);
    assert_non_null(methods);
    unsigned counts[RPC_LANE_COUNT];
    for (enum rpc_lane lane = 0; lane < RPC_LANE_COUNT; lane++)
        rpc_methods_statements(methods, lane, &counts[lane]);
    assert_int_equal(counts[RPC_READ], STATEMENT_CONTEXT_COUNT + 2);
    assert_int_equal(counts[RPC_WRITE], STATEMENT_CONTEXT_COUNT + 4); /* with what answers repeats */
    assert_int_equal(counts[RPC_EXCLUSIVE], STATEMENT_CONTEXT_COUNT + 6);
    assert_false(rpc_methods_are_ready(methods)); /* nothing was compared with a database */
}

static void missing_and_double_are_named(void **state UNUSED)
{
    assert_refused(files + 1, handlers, "GetNote: has neither");
    assert_refused(files, handlers + 1, "CopyNote: has neither");
    const struct rpc_handler twice[] = {
        {"CopyNote", run}, {"Sleep", run}, {"RelayNote", run}, {"Sleep", run}, {0}};
    assert_refused(files, twice, "Sleep: has two handlers");
    const struct rpc_handler unknown[] = {
        {"CopyNote", run}, {"Sleep", run}, {"RelayNote", run}, {"Snore", run}, {0}};
    assert_refused(files, unknown, "Snore has no rpc");
}

static void files_must_fit(void **state UNUSED)
{
    const struct sql_text wrong_field[] = {
        {"GetNote", "select id from probe.note where tenant_id = :tenant and x = :nope"},
        files[1], files[2], files[3], {0}};
    assert_refused(wrong_field, handlers, "nope");
    const struct sql_text no_types[] = {files[0], files[1], files[2], files[3], {"Inner", "select 1"}, {0}};
    assert_refused(no_types, handlers, "Inner");
    const struct sql_text no_answer[] = {
        files[0], files[1], files[3],
        {"CreateNote", "insert into probe.note (tenant_id, id, title) values (:tenant, :new_id, :title)"
                       " returning id, title"},
        {0}};
    assert_refused(no_answer, handlers, "--@answer");
}

static int setup(void **state UNUSED)
{
    struct err err = {0};
    log_init("test", LOG_LEVEL_ERROR + 1, LOG_FORMAT_JSON); /* what is refused is logged as well */
    return descriptors_new(&probe_descriptors_source, &descriptors, &err);
}

static int teardown(void **state UNUSED)
{
    descriptors_free(descriptors);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_service_is_accepted),
        cmocka_unit_test(streams_take_handlers_of_their_own),
        cmocka_unit_test(statements_are_split_by_lane),
        cmocka_unit_test(missing_and_double_are_named),
        cmocka_unit_test(files_must_fit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
