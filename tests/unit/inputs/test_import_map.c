/* test_import_map.c: files as people export them, and errors as they would want to be told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <isms/base/buf.h>

#include "import_map.h"

enum { COLUMNS_MAX = 16 };

static struct descriptors *descriptors;
static struct arena arena;
static Isms__Inputs__V1__Import import;
static Isms__Inputs__V1__ColumnMapping mappings[COLUMNS_MAX];
static Isms__Inputs__V1__ColumnMapping *columns[COLUMNS_MAX];
static struct import_rows rows;

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

static void map_file(const char *file)
{
    struct err err = {0};
    assert_int_equal(import_map(descriptors, &import, slice_of(file), &arena, &rows, &err), 0);
}

static const Isms__Inputs__V1__Input *input(size_t row)
{
    assert_true(row < rows.count);
    return (const Isms__Inputs__V1__Input *)rows.rows[row];
}

static void assert_error(size_t index, int line, int row, const char *column, const char *message_part)
{
    assert_true(index < rows.error_listed);
    const Isms__Inputs__V1__ImportError *error = rows.errors[index];
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
        "Labels=labels", "ROOT cause=finding.root_cause", "Reference=finding.reference", "Grade=finding.grade", NULL};
    map_columns(pairs);
    map_value(2, "Not Started", "OPEN");
    map_file("\xEF\xBB\xBFSummary,Issue key, Status ,Priority,Created,Labels,Root Cause,Reference,Grade,Unused\r\n"
             "\"Failover\r\nnot tested\",FND-4,not started,Medium,11/Jan/26 3:22 PM,"
             "\"a, b;c\",\"say \"\"why\"\"\",A.5.30,minor,x\r\n"
             " Pr\xC3\xBC" "fung ,FND-3,In Progress,,,,,,,\r\n");
    assert_int_equal(rows.error_count, 0);
    assert_int_equal(rows.row_count, 2);
    assert_int_equal(rows.count, 2);
    assert_string_equal(input(0)->title, "Failover\r\nnot tested");
    assert_string_equal(input(0)->external_id, "FND-4");
    assert_string_equal(input(0)->source, "jira");
    assert_int_equal(input(0)->state, ISMS__INPUTS__V1__INPUT_STATE__INPUT_STATE_OPEN);
    assert_int_equal(input(0)->severity, ISMS__INPUTS__V1__SEVERITY__SEVERITY_MEDIUM);
    assert_string_equal(input(0)->effective_date, "2026-01-11");
    assert_int_equal(input(0)->n_labels, 3);
    assert_string_equal(input(0)->labels[2], "c");
    assert_int_equal(input(0)->detail_case, ISMS__INPUTS__V1__INPUT__DETAIL_FINDING);
    assert_string_equal(input(0)->finding->root_cause, "say \"why\"");
    assert_int_equal(input(0)->finding->grade, ISMS__INPUTS__V1__FINDING__GRADE__GRADE_MINOR);
    assert_string_equal(input(1)->title, "Pr\xC3\xBC" "fung");
    assert_int_equal(input(1)->state, ISMS__INPUTS__V1__INPUT_STATE__INPUT_STATE_IN_PROGRESS);
    assert_int_equal(input(1)->detail_case, ISMS__INPUTS__V1__INPUT__DETAIL_FINDING);
    assert_int_equal(rows.path_count, 8); /* all but external_id */
}

static void rows_without_an_id_get_a_lasting_one(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Title=title", NULL};
    char first[3][100];
    map_columns(pairs);
    map_file("Title,Other\nA,1\nB,2\nA,3\n");
    assert_int_equal(rows.error_count, 0);
    assert_int_equal(rows.count, 3);
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
    assert_int_equal(rows.row_count, 6);
    assert_int_equal(rows.error_count, 6);
    assert_error(0, 3, 2, "Due", "YYYY-MM-DD");
    assert_error(1, 3, 2, "State", "OPEN, IN_PROGRESS, CLOSED");
    assert_error(2, 4, 3, "Audit", "UUID");
    assert_error(3, 6, 4, "Title", "required");
    assert_error(4, 8, 6, "Key", "empty");
    assert_error(5, 7, 5, "Key", "line 2");
}

static void a_wrong_mapping_is_refused_as_such(void **state)
{
    (void)state;
    static const char *const fields[] = {"A=title", "B=nothing", "C=risk.scenario", "D=number", "E=source",
                                         "F=evidence", "G=title", "H=finding", "I=finding.nothing", NULL};
    map_columns(fields);
    map_file("A,B,C,D,E,F,G,H,I\n1,2,3,4,5,6,7,8,9\n");
    assert_int_equal(rows.error_count, 8);
    for (size_t i = 0; i < rows.error_listed; i++)
        assert_int_equal(rows.errors[i]->row, 0);

    static const char *const missing[] = {"Title=title", "Gone=summary", "Twice=severity", NULL};
    map_columns(missing);
    map_file("title,Twice,twice\na,b,c\n");
    assert_int_equal(rows.error_count, 2);
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
    assert_int_equal(rows.error_count, 150);
    assert_int_equal(rows.error_listed, IMPORT_ERRORS_MAX);
}

static void measurements_are_read(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Date=observed_time", "TTD=value", "Note=note", NULL};
    map_columns(pairs);
    import.metric_id = "01900000-0000-7000-8000-000000000001";
    map_file("Date,TTD,Note\n2024-10-01,81,\n2025-01-01,62.5,late\n");
    assert_int_equal(rows.error_count, 0);
    const Isms__Inputs__V1__Measurement *second = (const Isms__Inputs__V1__Measurement *)rows.rows[1];
    assert_string_equal(second->metric_id, import.metric_id);
    assert_int_equal(second->observed_time->seconds, 1735689600);
    assert_true(second->value == 62.5);
    assert_string_equal(second->note, "late");

    map_file("Date,TTD,Note\n2024-10-01,81,\n2024-10-01,82,\nx,\"1,5\",\n");
    assert_int_equal(rows.error_count, 3);
    assert_error(0, 4, 3, "Date", "not a date");
    assert_error(1, 4, 3, "TTD", "not a number");
    assert_error(2, 3, 2, "Date", "line 2");
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
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
