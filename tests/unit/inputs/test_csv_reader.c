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
static int row_print(void *context, const struct table_row *row)
{
    struct buf *buf = context;
    buf_printf(buf, "%d:%d:", row->line, row->number);
    for (int i = 0; i < row->count; i++)
        buf_printf(buf, "%s%.*s", i ? "|" : "", (int)row->cells[i].length, row->cells[i].data);
    buf_char(buf, ';');
    return 0;
}

/* In pieces of that size. */
static int pieces_read(const char *file, size_t length, size_t piece, const struct table_place *place, struct buf *buf,
                       struct table_fault *fault)
{
    struct csv_reader *reader = csv_reader_new(place, row_print, buf);
    int result = reader ? 0 : -1;
    for (size_t start = 0; result == 0 && start < length; start += piece)
        result = csv_reader_feed(reader, file + start, length - start < piece ? length - start : piece, fault);
    if (result == 0)
        result = csv_reader_end(reader, fault);
    csv_reader_free(reader);
    return result;
}

static int csv_read(const char *file, size_t length, struct buf *buf, struct table_fault *fault)
{
    return pieces_read(file, length, length + 1, NULL, buf, fault);
}

static void assert_rows(const char *file, const char *expected)
{
    char storage[1000];
    struct buf buf;
    struct table_fault fault;
    buf_init_fixed(&buf, storage, sizeof(storage));
    assert_int_equal(csv_read(file, strlen(file), &buf, &fault), 0);
    assert_string_equal(buf.data, expected);
    for (size_t piece = 1; piece < 4; piece++) {
        buf_clear(&buf);
        assert_int_equal(pieces_read(file, strlen(file), piece, NULL, &buf, &fault), 0);
        assert_string_equal(buf.data, expected);
    }
}

static void the_table_may_be_a_part_of_the_file(void **state)
{
    (void)state;
    static const char file[] = "A report\nof, three, cells\n\na,b\n1,2\n3,4\nsum\n";
    char storage[1000];
    struct buf buf;
    struct table_fault fault;
    struct table_place place = {.sheet = "", .header_line = 4, .last_line = 6};
    buf_init_fixed(&buf, storage, sizeof(storage));
    assert_int_equal(pieces_read(file, strlen(file), 5, &place, &buf, &fault), 0);
    assert_string_equal(buf.data, "4:0:a|b;5:1:1|2;6:2:3|4;");
}

static struct table_fault read_fault(const char *file, size_t length)
{
    char storage[1000];
    struct buf buf;
    struct table_fault fault = {0};
    buf_init_fixed(&buf, storage, sizeof(storage));
    assert_int_equal(csv_read(file, length, &buf, &fault), -1);
    assert_true(fault.message[0]);
    return fault;
}

static void assert_fault(const char *file, int line, int row, int column)
{
    struct table_fault fault = read_fault(file, strlen(file));
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
    struct table_fault fault = read_fault("a,b\n1,x\0y\n", 10);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.column, 1);
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    size_t size = TABLE_CELL_MAX + 100;
    char *file = malloc(size);
    memset(file, 'x', size);
    assert_int_equal(read_fault(file, size).line, 1);
    memset(file, ',', size);
    assert_int_equal(read_fault(file, size).row, 0);
    free(file);
}

static int row_refuse(void *context, const struct table_row *row)
{
    (*(int *)context)++;
    return row->number == 1 ? -1 : 0;
}

static void a_reader_may_give_up(void **state)
{
    (void)state;
    int calls = 0;
    struct table_fault fault = {.message = "old"};
    struct csv_reader *reader = csv_reader_new(NULL, row_refuse, &calls);
    assert_int_equal(csv_reader_feed(reader, "a\n1\n2\n3\n", 8, &fault), -1);
    csv_reader_free(reader);
    assert_int_equal(calls, 2);
    assert_string_equal(fault.message, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_may_be_a_part_of_the_file),
        cmocka_unit_test(cells_come_as_written),
        cmocka_unit_test(rows_know_their_line),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(a_reader_may_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
