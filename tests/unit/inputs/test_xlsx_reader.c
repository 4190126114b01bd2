/* test_xlsx_reader.c: small workbooks that would be large in memory are refused before they are, and are told apart
 * from ordinary ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <zip.h>

#include <isms/base/buf.h>

#include "xlsx_directory.h"
#include "xlsx_package.h"
#include "xlsx_reader.h"

enum { MIB = 1024 * 1024, SHEET_MAX = 96 * MIB, FILE_MAX = 8 * MIB, REPEATS = 64, NAMES = 600 * 1000 };

#define CROWDED "has more parts than a workbook would"
#define REFERENCES "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define MARKUP "has more markup than a workbook would: open it in an office program and save it as XLSX anew"

/* --- workbooks ------------------------------------------------------------------------------------------ */

static void part_add(zip_t *archive, const char *name, const char *text, size_t length, zip_int32_t compression)
{
    zip_source_t *source = zip_source_buffer(archive, text, length, 0);
    assert_non_null(source);
    zip_int64_t index = zip_file_add(archive, name, source, 0);
    assert_true(index >= 0);
    assert_int_equal(zip_set_file_compression(archive, (zip_uint64_t)index, compression, 1), 0);
}

static void text_add(zip_t *archive, const char *name, const char *text)
{
    part_add(archive, name, text, strlen(text), ZIP_CM_DEFLATE);
}

/* A workbook of that one sheet and so many pictures without content, appended to `file`. */
static void workbook_make(const struct buf *sheet, zip_int32_t compression, int pictures, struct buf *file)
{
    char name[60];
    char piece[4096];
    zip_int64_t length;
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
    assert_non_null(source);
    zip_source_keep(source);
    zip_t *archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    assert_non_null(archive);
    text_add(archive, "_rels/.rels",
             "<Relationships><Relationship Id='a' Type='" REFERENCES "/officeDocument' Target='xl/workbook.xml'/>"
             "</Relationships>");
    text_add(archive, "xl/_rels/workbook.xml.rels",
             "<Relationships><Relationship Id='b' Type='" REFERENCES "/worksheet' Target='sheet.xml'/>"
             "</Relationships>");
    text_add(archive, "xl/workbook.xml",
             "<workbook xmlns:r='" REFERENCES "'><sheets><sheet name='Risks' r:id='b'/></sheets></workbook>");
    assert_false(sheet->failed);
    part_add(archive, "xl/sheet.xml", sheet->data, sheet->length, compression);
    for (int i = 0; i < pictures; i++) {
        snprintf(name, sizeof(name), "xl/media/an ordinary name of an image %d.png", i);
        part_add(archive, name, "", 0, ZIP_CM_STORE);
    }
    assert_int_equal(zip_close(archive), 0);
    assert_int_equal(zip_source_open(source), 0);
    while ((length = zip_source_read(source, piece, sizeof(piece))) > 0)
        buf_append(file, piece, (size_t)length);
    assert_int_equal(length, 0);
    assert_false(file->failed);
    zip_source_close(source);
    zip_source_free(source);
    zip_error_fini(&error);
}

static int64_t file_part(void *context, int64_t offset, void *into, size_t size)
{
    const struct buf *file = context;
    size_t rest = offset < (int64_t)file->length ? file->length - (size_t)offset : 0;
    memcpy(into, file->data + offset, rest < size ? rest : size);
    return (int64_t)(rest < size ? rest : size);
}

static int row_count(void *context, const struct table_row *row)
{
    int *rows = context;
    (void)row;
    (*rows)++;
    return 0;
}

static int workbook_read(const struct buf *sheet, zip_int32_t compression, int pictures, int *ret_rows,
                         struct table_fault *ret_fault)
{
    struct buf file CLEANUP(buf_release) = {0};
    struct import_source source = {.read = file_part, .context = &file};
    struct table_place place = {.sheet = ""};
    buf_init(&file, FILE_MAX);
    workbook_make(sheet, compression, pictures, &file);
    source.length = (int64_t)file.length;
    *ret_rows = 0;
    return xlsx_read(&source, &place, row_count, ret_rows, ret_fault);
}

static int sheet_read(const struct buf *sheet, zip_int32_t compression, int *ret_rows, struct table_fault *ret_fault)
{
    return workbook_read(sheet, compression, 0, ret_rows, ret_fault);
}

/* The refusal, and that the parser came close to its limit, which is thus counted, but not beyond. */
static void assert_refused(struct buf *sheet)
{
    struct table_fault fault = {0};
    int rows;
    assert_int_equal(sheet_read(sheet, ZIP_CM_DEFLATE, &rows, &fault), 1);
    assert_string_equal(fault.message, MARKUP);
    assert_in_range(xlsx_memory_most(), XLSX_MEMORY_MAX / 4, XLSX_MEMORY_MAX);
}

static void megabytes_append(struct buf *sheet)
{
    static char megabyte[MIB];
    memset(megabyte, 'x', sizeof(megabyte));
    for (int i = 0; i < REPEATS; i++)
        buf_append(sheet, megabyte, sizeof(megabyte));
}

/* --- archives of many parts ----------------------------------------------------------------------------- */

enum { PART_SIZE = 46, END_SIZE = 22, END_64_SIZE = 56 + 20 + END_SIZE };

/* So many parts without name and content, and the end of the directory, or more than one. */
struct crowd {
    int64_t parts;
    unsigned char end[END_64_SIZE + 2 * END_SIZE];
    size_t end_size;
    int64_t served; /* bytes, so far */
};

static int64_t crowd_part(void *context, int64_t offset, void *into, size_t size)
{
    static const char part[PART_SIZE] = {'P', 'K', 1, 2};
    struct crowd *crowd = context;
    int64_t length = crowd->parts * PART_SIZE + (int64_t)crowd->end_size;
    size_t i;
    for (i = 0; i < size && offset < length; i++, offset++) {
        int64_t behind = offset - crowd->parts * PART_SIZE;
        ((char *)into)[i] = behind < 0 ? part[offset % PART_SIZE] : (char)crowd->end[behind];
    }
    crowd->served += (int64_t)i;
    return (int64_t)i;
}

static void number_put(unsigned char *bytes, int64_t number, int size)
{
    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
}

/* As programs write it that do not know the 64-bit record: the count by its last 16 bits. */
static void end_append(struct crowd *crowd)
{
    unsigned char *end = crowd->end + crowd->end_size;
    memcpy(end, "PK\5\6", 4);
    number_put(end + 8, crowd->parts & 0xFFFF, 2);
    number_put(end + 10, crowd->parts & 0xFFFF, 2);
    number_put(end + 12, crowd->parts * PART_SIZE, 4);
    crowd->end_size += END_SIZE;
}

static void end_64_append(struct crowd *crowd)
{
    unsigned char *end = crowd->end + crowd->end_size;
    memcpy(end, "PK\6\6", 4);
    number_put(end + 4, 44, 8);
    number_put(end + 24, crowd->parts, 8);
    number_put(end + 32, crowd->parts, 8);
    number_put(end + 40, crowd->parts * PART_SIZE, 8);
    memcpy(end + 56, "PK\6\7", 4);
    number_put(end + 64, crowd->parts * PART_SIZE + (int64_t)crowd->end_size, 8);
    number_put(end + 72, 1, 4);
    memcpy(end + 76, "PK\5\6", 4);
    memset(end + 84, 0xFF, 12);
    crowd->end_size += END_64_SIZE;
}

/* The refusal, and that no more than so much of the archive was looked at. */
static void assert_crowded(struct crowd *crowd, int64_t served_max)
{
    struct import_source source = {
        .length = crowd->parts * PART_SIZE + (int64_t)crowd->end_size, .read = crowd_part, .context = crowd};
    struct table_place place = {.sheet = ""};
    struct table_fault fault = {0};
    int rows = 0;
    assert_int_equal(xlsx_read(&source, &place, row_count, &rows, &fault), 1);
    assert_string_equal(fault.message, CROWDED);
    assert_in_range(crowd->served, 1, served_max);
}

static void a_million_empty_parts_are_refused_before_they_are_read(void **state)
{
    struct crowd crowd = {.parts = 1000 * 1000};
    (void)state;
    end_append(&crowd);
    assert_crowded(&crowd, XLSX_DIRECTORY_MAX + MIB);
}

static void a_million_announced_parts_are_refused_before_there_is_room_for_them(void **state)
{
    struct crowd crowd = {.parts = 1000 * 1000};
    struct crowd hidden = {.parts = 1000 * 1000};
    (void)state;
    end_64_append(&crowd);
    assert_crowded(&crowd, MIB / 4);
    end_64_append(&hidden); /* before another end */
    end_append(&hidden);
    end_append(&hidden);
    assert_crowded(&hidden, MIB / 4);
}

/* --- tests ---------------------------------------------------------------------------------------------- */

static void an_ordinary_large_sheet_needs_little_of_the_limit(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    struct table_fault fault = {0};
    int rows;
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><sheetData>");
    for (int i = 1; i <= 20000; i++)
        buf_printf(&sheet, "<row r='%d'><c t='inlineStr'><is><t>a risk</t></is></c><c r='B%d'><v>%d</v></c></row>", i,
                   i, i);
    buf_text(&sheet, "</sheetData></worksheet>");
    assert_int_equal(sheet_read(&sheet, ZIP_CM_DEFLATE, &rows, &fault), 0);
    assert_int_equal(rows, 20000);
    assert_in_range(xlsx_memory_most(), 1, XLSX_MEMORY_MAX / 64);
}

static void an_attribute_of_megabytes_is_refused(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet a='");
    megabytes_append(&sheet);
    buf_text(&sheet, "'><sheetData/></worksheet>");
    assert_refused(&sheet);
}

static void a_comment_of_megabytes_is_refused(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><!--");
    megabytes_append(&sheet);
    buf_text(&sheet, "--><sheetData/></worksheet>");
    assert_refused(&sheet);
}

static void elements_of_ever_new_names_are_refused(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><sheetData/>");
    for (int i = 0; i < NAMES; i++)
        buf_printf(&sheet, "<e%x/>", i);
    buf_text(&sheet, "</worksheet>");
    assert_refused(&sheet);
}

static void attributes_of_ever_new_names_are_refused(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><sheetData/>");
    for (int i = 0; i < NAMES; i++)
        buf_printf(&sheet, "<e a%x=''/>", i);
    buf_text(&sheet, "</worksheet>");
    assert_refused(&sheet);
}

/* What one file was refused is not held against the next. */
static void after_a_refusal_an_ordinary_sheet_is_read(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    struct table_fault fault = {0};
    int rows;
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><sheetData><row r='1'><c r='A1'><v>1</v></c></row></sheetData></worksheet>");
    assert_int_equal(sheet_read(&sheet, ZIP_CM_DEFLATE, &rows, &fault), 0);
    assert_int_equal(rows, 1);
    buf_text(&sheet, "<");
    assert_int_equal(sheet_read(&sheet, ZIP_CM_DEFLATE, &rows, &fault), 1);
    assert_string_equal(fault.message, "has a part that is no well-formed XML");
}

static void a_part_that_is_not_deflated_is_refused(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    struct table_fault fault = {0};
    int rows;
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><sheetData/></worksheet>");
    for (int i = 0; i < 100; i++)
        buf_text(&sheet, "          "); /* or it is stored, being shorter */
    assert_int_equal(sheet_read(&sheet, ZIP_CM_BZIP2, &rows, &fault), 1);
    assert_string_equal(fault.message,
                        "is compressed as no workbook is: open it in an office program and save it as XLSX anew");
}

static void a_workbook_of_thousands_of_parts_is_read(void **state)
{
    struct buf sheet CLEANUP(buf_release) = {0};
    struct table_fault fault = {0};
    int rows;
    (void)state;
    buf_init(&sheet, SHEET_MAX);
    buf_text(&sheet, "<worksheet><sheetData><row r='1'><c r='A1'><v>1</v></c></row></sheetData></worksheet>");
    assert_int_equal(workbook_read(&sheet, ZIP_CM_DEFLATE, XLSX_PARTS_MAX - 4, &rows, &fault), 0);
    assert_int_equal(rows, 1);
    assert_int_equal(workbook_read(&sheet, ZIP_CM_DEFLATE, XLSX_PARTS_MAX - 3, &rows, &fault), 1);
    assert_string_equal(fault.message, CROWDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_large_sheet_needs_little_of_the_limit),
        cmocka_unit_test(an_attribute_of_megabytes_is_refused),
        cmocka_unit_test(a_comment_of_megabytes_is_refused),
        cmocka_unit_test(elements_of_ever_new_names_are_refused),
        cmocka_unit_test(attributes_of_ever_new_names_are_refused),
        cmocka_unit_test(after_a_refusal_an_ordinary_sheet_is_read),
        cmocka_unit_test(a_part_that_is_not_deflated_is_refused),
        cmocka_unit_test(a_million_empty_parts_are_refused_before_they_are_read),
        cmocka_unit_test(a_million_announced_parts_are_refused_before_there_is_room_for_them),
        cmocka_unit_test(a_workbook_of_thousands_of_parts_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
