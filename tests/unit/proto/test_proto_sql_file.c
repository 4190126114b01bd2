/* The compiler for SQL files: what it makes, and where it says a mistake is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <isms/proto/sql_file.h>

static struct err err;

static struct sql_file *compile(const char *text)
{
    const struct sql_text files[] = {{"Get", text},         {"columns", "a,\nb as \"b:x\" -- :no\n"},
                                     {"bad", "x\n$1\n"},    {"loop", "--@include loop\n"},
                                     {"open", "--@if a\n"}, {0}};
    struct sql_file *file = NULL;
    memset(&err, 0, sizeof(err));
    return sql_file_compile(files, "Get", &file, &err) == 0 ? file : NULL;
}

static void refused(const char *text, const char *expected)
{
    if (compile(text))
        fail_msg("accepted: %s", text);
    if (!strstr(err.message, expected))
        fail_msg("expected '%s' in: %s", expected, err.message);
}

static void becomes(const char *text, const char *expected)
{
    struct sql_file *file CLEANUP(sql_file_freep) = compile(text);
    if (!file)
        fail_msg("%s", err.message);
    assert_int_equal(file->variant_count, 1);
    assert_string_equal(file->variants[0].statement.sql, expected);
}

static void test_parameters_become_numbers(void **state)
{
    (void)state;
    struct sql_file *file CLEANUP(sql_file_freep) = compile("select :a,\n:b.c::text, :a where x = :page.1;\n");
    assert_non_null(file);
    const struct sql_statement *statement = &file->variants[0].statement;
    assert_string_equal(statement->sql, "select $1,\n$2::text, $1 where x = $3\n");
    assert_int_equal(statement->parameter_count, 3);
    assert_string_equal(statement->parameters[1].name, "b.c");
    assert_int_equal(statement->parameters[1].line, 2);
    assert_string_equal(statement->parameters[2].name, "page.1");
}

static void test_parameters_are_not_seen_where_there_are_none(void **state)
{
    (void)state;
    becomes("select ':a', \":b\", ''':c', e'\\':d', $$:e$$, $x$:f $$ $x$, a[1:2], x::y, f(a := 1)",
            "select ':a', \":b\", ''':c', e'\\':d', $$:e$$, $x$:f $$ $x$, a[1:2], x::y, f(a := 1)");
    becomes("select 1 -- :a\n, 2 /* :b /* :c */ :d */, :e. from t", "select 1  \n, 2  , $1. from t");
    becomes("select a$b$c, :a||:b", "select a$b$c, $1||$2");
    becomes("--@include columns\nfrom t", "a,\nb as \"b:x\"  \nfrom t");
}

static void test_every_combination_is_a_variant(void **state)
{
    (void)state;
    struct sql_file *file CLEANUP(sql_file_freep) = compile("s\n"
                                                            "--@if owner\no=:owner\n--@else\nall\n--@end\n"
                                                            "--@order \"a\"\n"
                                                            "--@if token\na>:page.1\n--@end\n"
                                                            "by a\n"
                                                            "--@order \"b desc\"\n"
                                                            "by b\n--@end\n"
                                                            "limit :n\n");
    if (!file)
        fail_msg("%s", err.message);
    assert_int_equal(file->condition_count, 2);
    assert_string_equal(file->conditions[0].field, "owner");
    assert_int_equal(file->conditions[1].line, 8);
    assert_int_equal(file->order_count, 2);
    assert_string_equal(file->orders[1], "b desc");
    assert_int_equal(file->variant_count, 8);
    assert_string_equal(file->variants[0].statement.sql, "s\nall\nby a\nlimit $1\n");
    assert_string_equal(file->variants[1].statement.sql, "s\no=$1\nby a\nlimit $2\n");
    assert_string_equal(file->variants[3].statement.sql, "s\no=$1\na>$2\nby a\nlimit $3\n");
    assert_string_equal(file->variants[4 + 3].statement.sql, "s\no=$1\nby b\nlimit $2\n");
    assert_string_equal(file->variants[4 + 3].statement.parameters[1].name, "n");
}

static void test_an_answer_can_be_repeated(void **state)
{
    (void)state;
    struct sql_file *file CLEANUP(sql_file_freep) = compile("with new as (insert :a)\n"
                                                            "--@answer lib.book new\n"
                                                            "select id, :b\n"
                                                            "--@once\n, 'x' as outcome\n--@end\n"
                                                            "from new\n");
    if (!file)
        fail_msg("%s", err.message);
    const struct sql_variant *variant = &file->variants[0];
    assert_string_equal(variant->statement.sql,
                        "with new as (insert $1)\nselect id, $2\n, 'x' as outcome\nfrom new\n");
    assert_non_null(strstr(variant->replay.sql, "with new as (select r.* from core.change c "));
    assert_non_null(strstr(variant->replay.sql, "jsonb_populate_record(null::lib.book, "));
    assert_non_null(strstr(
        variant->replay.sql,
        "c.tenant_id = $1 and c.sequence = $2 and c.table_name = 'lib.book')\nselect id, $3\nfrom new\n"));
    assert_string_equal(variant->replay.parameters[1].name, "replay.sequence");
    struct sql_file *plain CLEANUP(sql_file_freep) = compile("select 1");
    assert_null(plain->variants[0].replay.sql);
}

static void test_types_are_named(void **state)
{
    (void)state;
    struct sql_file *file CLEANUP(sql_file_freep) = compile("--@request a.B\n--@response a.C\nselect 1");
    assert_string_equal(file->request, "a.B");
    assert_string_equal(file->response, "a.C");
    refused("--@request a.B\nselect 1", "come together");
}

static void test_mistakes_are_located(void **state)
{
    (void)state;
    refused("a\nb 'c\nd", "Get.sql:2: a string");
    refused("a\n/* b /* */", "Get.sql:2: a string, identifier or comment has no end");
    refused("a;\nb", "Get.sql:2: a second statement");
    refused("a\n$2", "Get.sql:2: parameters have names");
    refused("a\n--@include bad\n", "bad.sql:2: parameters have names");
    refused("\n--@include nothing", "Get.sql:2: there is no file nothing.sql");
    refused("--@include loop\n", "nested more than");
    refused("--@include open\n--@end", "open.sql:1: this block has no --@end");
    refused("--@if a\nx", "Get.sql:1: this block has no --@end");
    refused("x\n--@end", "Get.sql:2: --@end without a block");
    refused("--@else", "Get.sql:1: --@else without --@if");
    refused("--@fi", "Get.sql:1: there is no directive --@fi");
    refused("--@if a b\n--@end", "Get.sql:1: unexpected text behind --@if");
    refused("--@if\n--@end", "Get.sql:1: --@if needs");
    refused("--@order \"a\"\n--@order \"a\"\n--@end", "Get.sql:2: the order \"a\" comes twice");
    refused("--@order \"a\"\n--@end\n--@order \"b\"\n--@end", "Get.sql:3: the order \"b\" is not one");
    refused("--@order \"a\"\n--@order \"b\"\n--@end\n--@order \"b\"\n--@end",
            "Get.sql:5: this --@order block leaves out");
    refused("--@once\n--@end", "Get.sql:1: --@once belongs");
    refused("--@answer book new", "Get.sql:1: --@answer needs schema.table");
    refused("--@if a\n--@end\n--@if b\n--@end\n--@if c\n--@end\n--@order \"1\"\n--@order \"2\"\n--@order "
            "\"3\"\n--@end",
            "more than 16 variants");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_become_numbers),
        cmocka_unit_test(test_parameters_are_not_seen_where_there_are_none),
        cmocka_unit_test(test_every_combination_is_a_variant),
        cmocka_unit_test(test_an_answer_can_be_repeated),
        cmocka_unit_test(test_types_are_named),
        cmocka_unit_test(test_mistakes_are_located),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
