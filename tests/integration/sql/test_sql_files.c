/* test_sql_files.c: every SQL file of every service, against the proto files and a migrated database.
 *
 * What a service would notice at its start, in every variant and every repetition: parameters and columns that
 * the messages do not have, types that do not fit, tables and columns that are not there. And what it would
 * notice only at the first call: a right that the service's own role lacks (EXPLAIN checks rights as
 * execution does). Beside that the rules no compiler knows: each table is reached by its tenant. */
#include "database.h"

#include <glob.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/proto/binding.h>

enum { FILES_MAX = 256, MEMORY_MAX = 32 * 1024 * 1024 };

struct service_files {
    const char *name;
    struct arena arena;
    struct sql_text *texts;
    unsigned count;
    struct sql_file *files[FILES_MAX];
    struct binding *bindings[FILES_MAX];
    unsigned problems;
};

static struct service_files services[] = {
    {.name = "inputs"}, {.name = "reviews"}, {.name = "actions"}, {.name = "reporting"},
};
/* What the jobs run across organisations, as a role that only a few tables' policies name. */
static const char *const across_tenants[] = {"ListIssuances", "ListUnsealed", "ListEvidenceLeftovers",
                                               "ListRunningImports", "ListImportLeftovers"};

static struct descriptors *descriptors;
static const struct page_secret secret;

static unsigned PRINTF_LIKE(2, 3) problem(const struct service_files *service, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", service->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return 1;
}

/* --- the files ------------------------------------------------------------------------------------------ */

static const struct method *method_of(const struct service_files *service, const char *name)
{
    char package[64];
    unsigned count;
    const struct method *methods = descriptors_methods(descriptors, &count);
    snprintf(package, sizeof(package), "isms.%s.v1", service->name);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(methods[i].package, package) == 0 && strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static void file_compile(struct service_files *service, const struct sql_text *text)
{
    struct err err = {0};
    struct sql_file *file = NULL;
    struct binding *binding = NULL;
    if (sql_file_compile(service->texts, text->name, &file, &err) < 0) {
        service->problems += problem(service, "%s", err.message);
        return;
    }
    const struct method *method = file->request ? NULL : method_of(service, text->name);
    struct binding_options options = {
        .descriptors = descriptors,
        .file = file,
        .request = method ? method->request : NULL,
        .response = method ? method->response : NULL,
        .scope = text->name,
        .prefix = service->name,
        .secret = &secret,
    };
    if (binding_new(&options, &binding, &err) < 0) {
        service->problems += problem(service, "%s", err.message);
        sql_file_free(file);
        return;
    }
    service->files[service->count] = file;
    service->bindings[service->count++] = binding;
}

static void service_load(struct service_files *service)
{
    char folder[512];
    struct err err = {0};
    arena_init(&service->arena, MEMORY_MAX);
    snprintf(folder, sizeof(folder), "%s/services/%s/sql", ISMS_SOURCE_DIR, service->name);
    if (sql_folder_read(folder, &service->arena, &service->texts, &err) < 0) {
        service->problems += problem(service, "%s", err.message);
        return;
    }
    for (const struct sql_text *text = service->texts; text->name; text++)
        if (!strchr(text->name, '.') && service->count < FILES_MAX) /* "action.columns" is for including */
            file_compile(service, text);
}

static void service_unload(struct service_files *service)
{
    for (unsigned i = 0; i < service->count; i++) {
        binding_free(service->bindings[i]);
        sql_file_free(service->files[i]);
    }
    arena_release(&service->arena);
}

/* The statements of a file: each variant's own and its repetition's. */
static const struct sql_statement *statement_of(const struct sql_file *file, unsigned index)
{
    const struct sql_variant *variant = &file->variants[index / 2];
    return index % 2 ? &variant->replay : &variant->statement;
}

/* --- the tests ------------------------------------------------------------------------------------------ */

static void files_fit_the_messages(void **state)
{
    const struct service_files *service = *state;
    assert_int_equal(service->problems, 0);
    assert_true(service->count > 0);
}

static void database_is_migrated(void **state UNUSED)
{
    database_migrate();
}

static unsigned schema_problems(const struct service_files *service)
{
    CONNECTION connection = connect_as(service->name);
    unsigned problems = 0;
    for (unsigned i = 0; i < service->count; i++) {
        struct err err = {0};
        if (binding_describe_all(service->bindings[i], connection, &err) < 0)
            problems += problem(service, "%s (%s)", err.message, db_connection_problem(connection));
    }
    return problems;
}

static void files_fit_the_schema(void **state)
{
    assert_int_equal(schema_problems(*state), 0);
}

static unsigned statement_explain(const struct service_files *service, struct db_connection *connection,
                                  const char *name, const struct sql_statement *statement)
{
    struct db_failure failure = {0};
    struct err err = {0};
    struct buf sql CLEANUP(buf_release);
    buf_init(&sql, SQL_TEXT_MAX * 2);
    buf_printf(&sql, "set plan_cache_mode = force_generic_plan; prepare it as %s\n; explain execute it",
               statement->sql);
    for (unsigned i = 0; i < statement->parameter_count; i++)
        buf_text(&sql, i == 0 ? "(null" : ", null");
    buf_text(&sql, statement->parameter_count > 0 ? "); deallocate it" : "; deallocate it");
    if (db_execute_script(connection, sql.data, &failure, &err) == 0)
        return 0;
    return problem(service, "%s.sql: %s", name, failure.message);
}

static unsigned right_problems(const struct service_files *service)
{
    CONNECTION connection = connect_as(service->name);
    unsigned problems = 0;
    for (unsigned i = 0; i < service->count; i++) {
        const struct sql_file *file = service->files[i];
        for (unsigned j = 0; j < 2 * file->variant_count; j++) {
            const struct sql_statement *statement = statement_of(file, j);
            if (statement->sql)
                problems += statement_explain(service, connection, file->name, statement);
        }
    }
    return problems;
}

static void role_may_run_them(void **state)
{
    assert_int_equal(right_problems(*state), 0);
}

/* How many tables the statement names, as "from actions.action" and so on. */
static unsigned tables_count(const char *sql)
{
    static const char pattern[] = "\\b(from|join|update|into)\\s+"
                                  "(core|inputs|reviews|actions|reporting)\\.[a-z_]+\\b[^(]";
    regex_t table;
    regmatch_t match;
    unsigned count = 0;
    assert_int_equal(regcomp(&table, pattern, REG_EXTENDED), 0);
    for (; regexec(&table, sql, 1, &match, 0) == 0; sql += match.rm_eo)
        count++;
    regfree(&table);
    return count;
}

static unsigned occurrences(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static bool names_parameter(const struct sql_statement *statement, const char *name)
{
    for (unsigned i = 0; i < statement->parameter_count; i++)
        if (strcmp(statement->parameters[i].name, name) == 0)
            return true;
    return false;
}

/* "select *" outside of parentheses: what it answers would change with the table. */
static bool answers_everything(const char *sql)
{
    int depth = 0;
    for (; *sql; sql++) {
        depth += (*sql == '(') - (*sql == ')');
        if (depth == 0 && strncmp(sql, "select *", strlen("select *")) == 0)
            return true;
    }
    return false;
}

static bool is_across_tenants(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(across_tenants); i++)
        if (strcmp(name, across_tenants[i]) == 0)
            return true;
    return false;
}

static unsigned statement_lint(const struct service_files *service, const struct sql_file *file,
                               const struct sql_statement *statement)
{
    /* What would change who the statement acts for, or run text as SQL. */
    static const char *const banned[] = {"set_config(", "set role", "query_to_xml"};
    unsigned problems = 0;
    unsigned tables = is_across_tenants(file->name) ? 0 : tables_count(statement->sql);
    if (answers_everything(statement->sql))
        problems += problem(service, "%s.sql answers with \"select *\"", file->name);
    if (tables > 0 && !names_parameter(statement, "tenant"))
        problems += problem(service, "%s.sql does not name :tenant", file->name);
    if (tables > occurrences(statement->sql, "tenant_id"))
        problems += problem(service, "%s.sql reaches %u tables and names fewer tenant_id", file->name, tables);
    for (size_t i = 0; i < ARRAY_SIZE(banned); i++)
        if (strstr(statement->sql, banned[i]))
            problems += problem(service, "%s.sql has \"%s\"", file->name, banned[i]);
    return problems;
}

static void files_keep_the_rules(void **state)
{
    const struct service_files *service = *state;
    unsigned problems = 0;
    for (unsigned i = 0; i < service->count; i++)
        for (unsigned j = 0; j < service->files[i]->variant_count; j++)
            problems += statement_lint(service, service->files[i], statement_of(service->files[i], 2 * j));
    assert_int_equal(problems, 0);
}

/* Where the connection is out of a service's sight, it can run its files only, and build no SQL. */
static void code_has_no_sql(void **state)
{
    const struct service_files *service = *state;
    char pattern[512];
    glob_t found;
    unsigned problems = 0;
    snprintf(pattern, sizeof(pattern), "%s/services/%s/*.[ch]", ISMS_SOURCE_DIR, service->name);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "re");
        char line[1024];
        assert_non_null(file);
        while (fgets(line, sizeof(line), file))
            if (strstr(line, "#include <isms/db/connection.h>") || strstr(line, "libpq"))
                problems += problem(service, "%s: %s", found.gl_pathv[i], line);
        fclose(file);
    }
    globfree(&found);
    assert_int_equal(problems, 0);
}

static int load(void **state)
{
    struct err err = {0};
    if (descriptors_new(&isms_descriptors_source, &descriptors, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        service_load(&services[i]);
    return fixture_create(state);
}

static int unload(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        service_unload(&services[i]);
    descriptors_free(descriptors);
    return fixture_destroy(state);
}

#define TESTS_OF(index, name) \
    {name ": files fit the messages", files_fit_the_messages, NULL, NULL, &services[index]}, \
    {name ": files keep the rules", files_keep_the_rules, NULL, NULL, &services[index]}, \
    {name ": code has no SQL", code_has_no_sql, NULL, NULL, &services[index]}, \
    {name ": files fit the schema", files_fit_the_schema, NULL, NULL, &services[index]}, \
    {name ": the role may run them", role_may_run_them, NULL, NULL, &services[index]}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(database_is_migrated), TESTS_OF(0, "inputs"),    TESTS_OF(1, "reviews"),
        TESTS_OF(2, "actions"),                 TESTS_OF(3, "reporting"),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
