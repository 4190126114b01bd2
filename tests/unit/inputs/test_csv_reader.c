/* test_csv_reader.c: what spreadsheets write, and where a broken file is said to be broken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>

#include "csv_reader.h"

/* Rows as text: line:number:cell|cell; */
static int row_print(void *context, const struct csv_row *row)
{
    struct buf *buf = context;
    buf_printf(buf, "%d:%d:", row->line, row->number);
    for (int i = 0; i < row->count; i++)
        buf_printf(buf, "%s%.*s", i ? "|" : "", (int)row->cells[i].length, row->cells[i].data);
    buf_char(buf, ';');
    return 0;
}

static void assert_rows(const char *file, const char *expected)
{
    char storage[1000];
    struct buf buf;
    struct csv_fault fault;
    buf_init_fixed(&buf, storage, sizeof(storage));
    assert_int_equal(csv_read(file, strlen(file), row_print, &buf, &fault), 0);
    assert_string_equal(buf.data, expected);
}

static struct csv_fault read_fault(const char *file, size_t length)
{
    char storage[1000];
    struct buf buf;
    struct csv_fault fault = {0};
    buf_init_fixed(&buf, storage, sizeof(storage));
    assert_int_equal(csv_read(file, length, row_print, &buf, &fault), -1);
    assert_true(fault.message[0]);
    return fault;
}

static void assert_fault(const char *file, int line, int row, int column)
{
    struct csv_fault fault = read_fault(file, strlen(file));
    assert_int_equal(fault.line, line);
    assert_int_equal(fault.row, row);
    assert_int_equal(fault.column, column);
}

static void cells_come_as_written(void **state)
{
    (void)state;
    assert_rows("a,b\n1,2\n", "1:0:a|b;2:1:1|2;");
    assert_rows("\xEF\xBB\xBF" "a,b\r\n1,\r\n,2", "1:0:a|b;2:1:1|;3:2:|2;");
    assert_rows("\xEF\xBB\xBF\"a\",b\r1,2\r", "1:0:a|b;2:1:1|2;");
    assert_rows("\"a\"\"b\", c ,\"x,y\"\n", "1:0:a\"b|c|x,y;");
    assert_rows("a\n\xCE\xA3 \xE4\xBD\xA0\n", "1:0:a;2:1:\xCE\xA3 \xE4\xBD\xA0;");
    assert_rows("", "");
}

static void rows_know_their_line(void **state)
{
    (void)state;
    assert_rows("a,b\n\n\"one\ntwo\n\nthree\",x\n \ny,z\n", "1:0:a|b;3:1:one\ntwo\n\nthree|x;8:2:y|z;");
}

static void faults_have_a_place(void **state)
{
    (void)state;
    assert_fault("a,b\n1,2\n1,2,3\n", 3, 2, -1);
    assert_fault("a,b\n1\n", 2, 1, -1);
    assert_fault("a,b\n1,\"2\n3\n4", 2, 1, 1);
    assert_fault("a,b\n1,2\nx\"y,2\n", 3, 2, 0);
    assert_fault("a,b\n1,\"2\"x\n", 2, 1, 1);
    assert_fault("a,b\n1,2\n3,\xC3\x28\n", 3, 2, 1);
    struct csv_fault fault = read_fault("a,b\n1,x\0y\n", 10);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.column, 1);
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    size_t size = CSV_CELL_MAX + 100;
    char *file = malloc(size);
    memset(file, 'x', size);
    assert_int_equal(read_fault(file, size).line, 1);
    memset(file, ',', size);
    assert_int_equal(read_fault(file, size).row, 0);
    free(file);
}

static int row_refuse(void *context, const struct csv_row *row)
{
    (*(int *)context)++;
    return row->number == 1 ? -1 : 0;
}

static void a_reader_may_give_up(void **state)
{
    (void)state;
    int calls = 0;
    struct csv_fault fault = {.message = "old"};
    assert_int_equal(csv_read("a\n1\n2\n3\n", 8, row_refuse, &calls, &fault), -1);
    assert_int_equal(calls, 2);
    assert_string_equal(fault.message, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_come_as_written),
        cmocka_unit_test(rows_know_their_line),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(a_reader_may_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
