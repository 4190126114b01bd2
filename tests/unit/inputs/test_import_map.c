/* test_import_map.c: files as people export them, and errors as they would want to be told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <isms/base/buf.h>

#include "import_read.h"

enum { COLUMNS_MAX = 16, ITEMS_MAX = 16 };

static struct descriptors *descriptors;
static struct arena arena;
static Isms__Inputs__V1__Import import;
static Isms__Inputs__V1__ColumnMapping mappings[COLUMNS_MAX];
static Isms__Inputs__V1__ColumnMapping *columns[COLUMNS_MAX];
static struct import_errors errors;
static struct import_outcome outcome;
static struct import_item items[ITEMS_MAX];
static size_t item_count;

/* "Column=field" pairs, ended by NULL. */
static void map_columns(const char *const *pairs)
{
    isms__inputs__v1__import__init(&import);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_FINDING;
    import.source = "jira";
    import.columns = columns;
    for (size_t i = 0; pairs[i]; i++) {
        const char *equals = strchr(pairs[i], '=');
        isms__inputs__v1__column_mapping__init(&mappings[i]);
        mappings[i].column = arena_strndup(&arena, pairs[i], (size_t)(equals - pairs[i]));
        mappings[i].field = arena_strdup(&arena, equals + 1);
        columns[import.n_columns++] = &mappings[i];
    }
}

static void map_value(size_t column, const char *from, const char *to)
{
    Isms__Inputs__V1__ColumnMapping__ValuesEntry *entry =
        ARENA_NEW(&arena, Isms__Inputs__V1__ColumnMapping__ValuesEntry);
    isms__inputs__v1__column_mapping__values_entry__init(entry);
    entry->key = arena_strdup(&arena, from);
    entry->value = arena_strdup(&arena, to);
    mappings[column].values = ARENA_ARRAY(&arena, 1, Isms__Inputs__V1__ColumnMapping__ValuesEntry *);
    mappings[column].values[0] = entry;
    mappings[column].n_values = 1;
}

static int64_t file_part(void *context, int64_t offset, void *into, size_t size)
{
    const char *file = (const char *)context + offset;
    size_t length = strnlen(file, size);
    memcpy(into, file, length);
    return (int64_t)length;
}

static int item_keep(void *context, const struct import_item *item)
{
    (void)context;
    assert_true(item_count < ITEMS_MAX);
    items[item_count++] = *item;
    return 0;
}

static void map_file(const char *file)
{
    struct err err = {0};
    struct import_source source = {
        .length = (int64_t)strlen(file), .read = file_part, .context = (void *)(uintptr_t)file};
    struct import_reading reading = {.descriptors = descriptors, .import = &import, .source = &source, .arena = &arena,
                                     .on_item = item_keep};
    item_count = 0;
    import_errors_release(&errors);
    import_errors_init(&errors);
    assert_int_equal(import_read(&reading, &errors, &outcome, &err), 0);
}

static const Isms__Inputs__V1__Input *input(size_t row)
{
    assert_true(row < item_count);
    return (const Isms__Inputs__V1__Input *)items[row].message;
}

static const Isms__Inputs__V1__Measurement *measurement(size_t row)
{
    assert_true(row < item_count);
    return (const Isms__Inputs__V1__Measurement *)items[row].message;
}

static void assert_error(size_t index, int line, int row, const char *column, const char *message_part)
{
    assert_true(index < errors.listed);
    const Isms__Inputs__V1__ImportError *error = errors.errors[index];
    assert_int_equal(error->line, line);
    assert_int_equal(error->row, row);
    assert_string_equal(error->column, column);
    if (!strstr(error->message, message_part))
        fail_msg("'%s' does not say '%s'", error->message, message_part);
}

static void a_tracker_export_becomes_findings(void **state)
{
    (void)state;
    static const char *const pairs[] = {
        "Summary=title", "Issue key=external_id", "Status=state", "Priority=severity", "Created=effective_date",
        "Labels=labels", "ROOT cause=finding.response", "Reference=finding.reference", "Grade=finding.grade", NULL};
    map_columns(pairs);
    map_value(2, "Not Started", "OPEN");
    map_file("\xEF\xBB\xBFSummary,Issue key, Status ,Priority,Created,Labels,Root Cause,Reference,Grade,Unused\r\n"
             "\"Failover\r\nnot tested\",FND-4,not started,Medium,11/Jan/26 3:22 PM,"
             "\"a, b;c\",\"say \"\"why\"\"\",A.5.30,minor,x\r\n"
             " Pr\xC3\xBC" "fung ,FND-3,In Progress,,,,,,,\r\n");
    assert_int_equal(errors.count, 0);
    assert_int_equal(outcome.rows, 2);
    assert_int_equal(item_count, 2);
    assert_string_equal(input(0)->title, "Failover\r\nnot tested");
    assert_string_equal(input(0)->external_id, "FND-4");
    assert_string_equal(input(0)->source, "jira");
    assert_int_equal(input(0)->state, ISMS__INPUTS__V1__INPUT_STATE__INPUT_STATE_OPEN);
    assert_int_equal(input(0)->severity, ISMS__INPUTS__V1__SEVERITY__SEVERITY_MEDIUM);
    assert_string_equal(input(0)->effective_date, "2026-01-11");
    assert_int_equal(input(0)->n_labels, 3);
    assert_string_equal(input(0)->labels[2], "c");
    assert_int_equal(input(0)->detail_case, ISMS__INPUTS__V1__INPUT__DETAIL_FINDING);
    assert_string_equal(input(0)->finding->response, "say \"why\"");
    assert_int_equal(input(0)->finding->grade, ISMS__INPUTS__V1__GRADE__GRADE_MINOR);
    assert_string_equal(input(1)->title, "Pr\xC3\xBC" "fung");
    assert_int_equal(input(1)->state, ISMS__INPUTS__V1__INPUT_STATE__INPUT_STATE_IN_PROGRESS);
    assert_int_equal(input(1)->detail_case, ISMS__INPUTS__V1__INPUT__DETAIL_FINDING);
    assert_int_equal(outcome.path_count, 8); /* all but external_id */
}

static void rows_without_an_id_get_a_lasting_one(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", NULL};
    char first[3][100];
    map_columns(pairs);
    map_file("Title,Other\nA,1\nB,2\nA,3\n");
    assert_int_equal(errors.count, 0);
    assert_int_equal(item_count, 3);
    for (size_t i = 0; i < 3; i++)
        snprintf(first[i], sizeof(first[i]), "%s", input(i)->external_id);
    assert_string_not_equal(first[0], first[1]);
    assert_string_not_equal(first[0], first[2]);
    map_file("Title,Other\nB,changed\nA,changed\n\nA,changed\n");
    assert_string_equal(input(0)->external_id, first[1]);
    assert_string_equal(input(1)->external_id, first[0]);
    assert_string_equal(input(2)->external_id, first[2]);
}

static void every_error_is_told_with_its_place(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Key=external_id", "State=state", "Due=due_date",
                                        "Audit=finding.audit_id", NULL};
    map_columns(pairs);
    map_file("Title,Key,State,Due,Audit\n"
             "ok,1,open,2026-01-01,\n"
             ",2,opn,03/04/2026,\n"
             "\"two\nlines\",3,,,not-an-id\n"
             ",4,,,\n"
             "same,1,,,\n"
             "none,,,,\n");
    assert_int_equal(outcome.rows, 6);
    assert_int_equal(errors.count, 6);
    assert_error(0, 3, 2, "Due", "YYYY-MM-DD");
    assert_error(1, 3, 2, "State", "OPEN, IN_PROGRESS, CLOSED");
    assert_error(2, 4, 3, "Audit", "UUID");
    assert_error(3, 6, 4, "Title", "required");
    assert_error(4, 7, 5, "Key", "line 2");
    assert_error(5, 8, 6, "Key", "empty");
}

static void a_wrong_mapping_is_refused_as_such(void **state)
{
    (void)state;
    static const char *const fields[] = {"A=title", "B=nothing", "C=risk.scenario", "D=number", "E=source",
                                         "F=etag", "G=title", "H=finding", "I=finding.nothing", NULL};
    map_columns(fields);
    map_file("A,B,C,D,E,F,G,H,I\n1,2,3,4,5,6,7,8,9\n");
    assert_int_equal(errors.count, 8);
    for (size_t i = 0; i < errors.listed; i++)
        assert_int_equal(errors.errors[i]->row, 0);

    static const char *const missing[] = {"Title=title", "Gone=summary", "Twice=severity", NULL};
    map_columns(missing);
    map_file("title,Twice,twice\na,b,c\n");
    assert_int_equal(errors.count, 2);
    assert_error(0, 1, 0, "Twice", "several columns");
    assert_error(1, 1, 0, "Gone", "not a column");

    static const char *const untitled[] = {"Summary=summary", NULL};
    map_columns(untitled);
    map_file("Summary\nx\n");
    assert_error(0, 2, 1, "title", "no column is mapped to it");
}

static void a_broken_file_gives_its_place(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", NULL};
    map_columns(pairs);
    map_file("Title,Other\na,b\nc,\"d\n");
    assert_error(0, 3, 2, "", "cell 2");
    map_file("Title,Other\na\n");
    assert_error(0, 2, 1, "", "has 1 cells");
    map_file("Title,Other\n\xFF,b\n");
    assert_error(0, 2, 1, "Title", "UTF-8");
    map_file("");
    assert_error(0, 1, 0, "", "no rows");
}

static void errors_are_counted_beyond_the_list(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Due=due_date", NULL};
    struct buf file;
    buf_init_arena(&file, &arena, 100000);
    buf_text(&file, "Title,Due\n");
    for (int i = 0; i < 150; i++)
        buf_printf(&file, "row %d,never\n", i);
    map_columns(pairs);
    map_file(file.data);
    assert_int_equal(errors.count, 150);
    assert_int_equal(errors.listed, IMPORT_ERRORS_MAX);
}

static void measurements_are_read(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Date=observed_time", "TTD=value", "Note=note", NULL};
    map_columns(pairs);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_UNSPECIFIED;
    import.metric_id = "01900000-0000-7000-8000-000000000001";
    map_file("Date,TTD,Note\n2024-10-01,81,\n2025-01-01,62.5,late\n");
    assert_int_equal(errors.count, 0);
    const Isms__Inputs__V1__Measurement *second = measurement(1);
    assert_string_equal(second->metric_id, import.metric_id);
    assert_int_equal(second->observed_time->seconds, 1735689600);
    assert_true(second->value == 62.5);
    assert_string_equal(second->note, "late");

    map_file("Date,TTD,Note\n2024-10-01,81,\n2024-10-01,82,\nx,\"1,5\",\n");
    assert_int_equal(errors.count, 3);
    assert_error(0, 3, 2, "Date", "line 2");
    assert_error(1, 4, 3, "Date", "not a date");
    assert_error(2, 4, 3, "TTD", "not a number");
}

static void a_table_with_a_column_a_metric_is_read(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Month=observed_time", "TTD=value", "TTR=value", "Why=note", NULL};
    map_columns(pairs);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_UNSPECIFIED;
    mappings[1].metric_id = "01900000-0000-7000-8000-000000000001";
    mappings[2].metric_id = "01900000-0000-7000-8000-000000000002";
    map_file("Month,TTD,TTR,Why\nOct 2024,81,21,audit\nJan 2025,,17,\n");
    assert_int_equal(errors.count, 0);
    assert_int_equal(item_count, 3);
    assert_int_equal(outcome.rows, 2);
    assert_string_equal(measurement(1)->metric_id, mappings[2].metric_id);
    assert_true(measurement(1)->value == 21);
    assert_string_equal(measurement(1)->note, "audit");
    assert_int_equal(measurement(2)->observed_time->seconds, 1735689600);
    assert_true(measurement(2)->value == 17);
}

static void times_without_a_zone_are_named(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Was=incident.occurred_time", "Seen=incident.detected_time", "Day=due_date",
                                        "Title=title", NULL};
    static const char *const measured[] = {"Seen=observed_time", "Told=recorded_time", "Value=value", NULL};
    map_columns(pairs);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_INCIDENT;
    map_file("Was,Seen,Day,Title\n1/Mar/26 3:22 PM,2026-03-02,2026-03-03 23:59,2026-03-04\n"
             "2026-03-01T10:00:00Z,2026-03-02 08:00,,A\n2026-03-01T10:00:00Z,,2026-03-03T23:00:00-05:00,B\n");
    assert_int_equal(errors.count, 0);
    assert_string_equal(items[0].local_times, "incident.detected_time,incident.occurred_time");
    assert_string_equal(input(0)->due_date, "2026-03-03");
    assert_string_equal(items[1].local_times, "incident.detected_time");
    assert_string_equal(items[2].local_times, "");
    assert_string_equal(input(2)->due_date, "2026-03-03");

    map_columns(measured);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_UNSPECIFIED;
    import.metric_id = "01900000-0000-7000-8000-000000000001";
    map_file("Seen,Told,Value\nOct 2024,2024-11-01T08:00:00Z,1\n2024-10-01T00:00:00Z,2024-11-01 08:00,1\n");
    assert_int_equal(errors.count, 0); /* midnight there and midnight in UTC are two moments */
    assert_string_equal(items[0].local_times, "observed_time");
    assert_string_equal(items[1].local_times, "recorded_time");
}

static void a_column_may_name_the_metric(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Day=observed_time", "Value=value", "KPI=metric_id", NULL};
    map_columns(pairs);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_UNSPECIFIED;
    map_value(2, "TTD", "01900000-0000-7000-8000-000000000001");
    map_file("KPI,Day,Value\nTTD,2024-10-01,81\n");
    assert_int_equal(errors.count, 0);
    assert_string_equal(measurement(0)->metric_id, "01900000-0000-7000-8000-000000000001");
    map_file("KPI,Day,Value\nTTR,2024-10-01,81\n");
    assert_error(0, 2, 1, "KPI", "UUID");
}

static void fields_of_any_depth_are_reached(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Why=finding.cause.description", "How=finding.cause.method",
                                        "Sort=finding.cause.category", "Ref=finding.reference", "Labels=labels", NULL};
    map_columns(pairs);
    map_file("Title,Why,How,Sort,Ref,Labels\nA,no owner,five why,,A.5.1,x\nB,,,,,\n");
    assert_int_equal(errors.count, 0);
    assert_string_equal(input(0)->finding->cause->description, "no owner");
    assert_int_equal(input(0)->finding->cause->method, ISMS__INPUTS__V1__CAUSE_METHOD__CAUSE_METHOD_FIVE_WHY);
    assert_string_equal(input(0)->finding->reference, "A.5.1");
    assert_null(input(1)->finding->cause);
}

static void columns_of_one_name_are_put_together(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Labels=labels", "Comment=summary", "Gone=due_date", NULL};
    map_columns(pairs);
    mappings[1].repeated = mappings[2].repeated = true;
    mappings[3].optional = true;
    map_file("Title,Labels,Labels,Comment,Labels,Comment\nA,x,,first,y z,second\n");
    assert_int_equal(errors.count, 0);
    assert_int_equal(input(0)->n_labels, 2);
    assert_string_equal(input(0)->labels[1], "y z");
    assert_string_equal(input(0)->summary, "first\n\nsecond");
    assert_int_equal(outcome.path_count, 3); /* what the file lacks is not taken over */
}

static void a_list_may_be_in_json(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Labels=labels", "Evidence=evidence", NULL};
    map_columns(pairs);
    map_file("Title,Labels,Evidence\n"
             "A,\"[\"\"a, b\"\",\"\"[c]\"\"]\",\"[{\"\"title\"\":\"\"T\"\",\"\"uri\"\":\"\"urn:x\"\"}]\"\n"
             "B,\"[c], [1]\",\nC,[1],[]\n");
    assert_int_equal(errors.count, 0);
    assert_int_equal(input(0)->n_labels, 2);
    assert_string_equal(input(0)->labels[0], "a, b");
    assert_string_equal(input(0)->labels[1], "[c]");
    assert_int_equal(input(0)->n_evidence, 1);
    assert_string_equal(input(0)->evidence[0]->uri, "urn:x");
    assert_string_equal(input(1)->labels[1], "[1]");
    assert_string_equal(input(2)->labels[0], "[1]");
    assert_int_equal(input(2)->n_evidence, 0);
}

static void a_list_of_messages_has_to_be_in_json(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Evidence=evidence", NULL};
    static const struct {
        const char *cell, *says;
    } wrong[] = {{"a screenshot", "not a list in JSON"}, {"[{]", "not a list in JSON"},
                 {"{}", "not a list in JSON"}, {"[{\"\"note\"\":\"\"N\"\"}]", "required"},
                 {"[1]", ""}, {"[]},\"\"summary\"\":\"\"S\"\"", "not a list in JSON"}};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char file[200];
        map_columns(pairs);
        snprintf(file, sizeof(file), "Title,Evidence\nA,\"%s\"\n", wrong[i].cell);
        map_file(file);
        assert_int_equal(item_count, 0);
        assert_error(0, 2, 1, "Evidence", wrong[i].says);
    }
}

static void amounts_of_money_are_read(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", "Currency=treatment.cost.currency",
                                        "Cost=treatment.cost.hundredths", NULL};
    map_columns(pairs);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_TREATMENT;
    map_file("Title,Currency,Cost\nA,EUR,800000000000000\n");
    assert_int_equal(errors.count, 0);
    assert_int_equal(input(0)->treatment->cost->hundredths, 800000000000000);
    map_columns(pairs);
    import.kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_TREATMENT;
    map_file("Title,Currency,Cost\nA,EUR,99999999999999999999\nB,EUR,12.50\n");
    assert_int_equal(errors.count, 2);
    assert_error(0, 2, 1, "Cost", "whole number");
}

static int group_setup(void **state)
{
    (void)state;
    struct err err = {0};
    return descriptors_new(&isms_descriptors_source, &descriptors, &err);
}

static int group_teardown(void **state)
{
    (void)state;
    descriptors_free(descriptors);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    import_errors_release(&errors);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tracker_export_becomes_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_without_an_id_get_a_lasting_one, setup, teardown),
        cmocka_unit_test_setup_teardown(every_error_is_told_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_mapping_is_refused_as_such, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_file_gives_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_are_counted_beyond_the_list, setup, teardown),
        cmocka_unit_test_setup_teardown(measurements_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_with_a_column_a_metric_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(times_without_a_zone_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_column_may_name_the_metric, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_of_any_depth_are_reached, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_of_one_name_are_put_together, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_may_be_in_json, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_of_messages_has_to_be_in_json, setup, teardown),
        cmocka_unit_test_setup_teardown(amounts_of_money_are_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
