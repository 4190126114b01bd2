/* sql_file.c: directives into a list of pieces, pieces into variants.
 *
 * First the file and its includes become pieces of text, each knowing where it came from and under which
 * conditions it stands (a bit mask of `if` fields that must hold, one of those that must not, an order, a
 * part). A variant is then the text of the pieces that its choice lets through, run through the lexer once to
 * turn names into $n. Nesting needs no tree that way, and an error always finds its line. */
#include <isms/proto/sql_file.h>

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <isms/base/buf.h>

#include "sql_lexer.h"

enum { ARENA_MAX = 32 * 1024 * 1024, PIECES_MAX = 4096, BLOCKS_MAX = 16, INCLUDE_DEPTH_MAX = 8, NO_ORDER = -1 };

enum part { PART_CHANGE, PART_ANSWER, PART_ONCE };

/* When a piece is part of a statement. */
struct guard {
    unsigned with;    /* conditions that must hold */
    unsigned without; /* and must not */
    int order;        /* NO_ORDER: any */
    enum part part;
};

/* Lines of text under one guard. */
struct piece {
    struct guard guard;
    struct slice text;
    const char *file;
    unsigned line;
};

/* An open --@if, --@order or --@once. */
struct block {
    enum { BLOCK_IF, BLOCK_ELSE, BLOCK_ORDER, BLOCK_ONCE } kind;
    struct guard outside;
    unsigned condition;
    unsigned orders_seen;
    unsigned line;
};

struct compiler {
    struct sql_file *file;
    const struct sql_text *files;
    struct piece *pieces;
    unsigned piece_count;
    struct block blocks[BLOCKS_MAX];
    unsigned block_count;
    unsigned include_depth;
    struct guard guard;
    bool orders_known; /* the first order block is complete */
    const char *answer_cte;
    const char *source; /* the file and line being read */
    unsigned line;
    struct err *err;
};

static int PRINTF_LIKE(4, 5)
    fail_at(struct compiler *compiler, const char *file, unsigned line, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_setf(compiler->err, ERR_INTERNAL, "%s.sql:%u: %s", file, line, text);
}

#define fail(compiler, ...) fail_at((compiler), (compiler)->source, (compiler)->line, __VA_ARGS__)

static char *name_copy(struct compiler *compiler, struct slice name)
{
    return arena_strndup(&compiler->file->arena, name.data, name.length);
}

/* The next word of a directive's rest; "quoted text" is one word, without the quotes. */
static struct slice word_next(struct slice *rest)
{
    while (rest->length && isspace((unsigned char)*rest->data)) {
        rest->data++;
        rest->length--;
    }
    struct slice word = {.data = rest->data, .length = 0};
    if (rest->length && *rest->data == '"') {
        const char *end = memchr(rest->data + 1, '"', rest->length - 1);
        if (!end)
            return (struct slice){0};
        word = (struct slice){.data = rest->data + 1, .length = (size_t)(end - rest->data - 1)};
        rest->length -= (size_t)(end + 1 - rest->data);
        rest->data = end + 1;
        return word;
    }
    while (word.length < rest->length && !isspace((unsigned char)rest->data[word.length]))
        word.length++;
    rest->data += word.length;
    rest->length -= word.length;
    return word;
}

static bool is_field_path(struct slice word)
{
    for (size_t i = 0; i < word.length; i++)
        if (!isalnum((unsigned char)word.data[i]) && word.data[i] != '_' && word.data[i] != '.')
            return false;
    return word.length > 0;
}

static int block_open(struct compiler *compiler, struct block block)
{
    if (compiler->block_count == BLOCKS_MAX)
        return fail(compiler, "blocks are nested more than %d deep", BLOCKS_MAX);
    block.outside = compiler->guard;
    block.line = compiler->line;
    compiler->blocks[compiler->block_count++] = block;
    return 0;
}

static struct block *block_top(struct compiler *compiler)
{
    return compiler->block_count ? &compiler->blocks[compiler->block_count - 1] : NULL;
}

static int if_read(struct compiler *compiler, struct slice field)
{
    struct sql_file *file = compiler->file;
    if (!is_field_path(field))
        return fail(compiler, "--@if needs the name of a request field");
    unsigned index = 0;
    while (index < file->condition_count && !slice_equals(field, file->conditions[index].field))
        index++;
    if (index == SQL_CONDITIONS_MAX)
        return fail(compiler, "more than %d different --@if fields", SQL_CONDITIONS_MAX);
    if (index == file->condition_count)
        file->conditions[file->condition_count++] = (struct sql_condition){
            .field = name_copy(compiler, field), .file = compiler->source, .line = compiler->line};
    if (block_open(compiler, (struct block){.kind = BLOCK_IF, .condition = 1u << index}) < 0)
        return -1;
    compiler->guard.with |= 1u << index;
    return 0;
}

static int else_read(struct compiler *compiler)
{
    struct block *block = block_top(compiler);
    if (!block || block->kind != BLOCK_IF)
        return fail(compiler, "--@else without --@if");
    block->kind = BLOCK_ELSE;
    compiler->guard = block->outside;
    compiler->guard.without |= block->condition;
    return 0;
}

static int order_read(struct compiler *compiler, struct slice name)
{
    struct sql_file *file = compiler->file;
    struct block *block = block_top(compiler);
    if (!name.length)
        return fail(compiler, "--@order needs a quoted name");
    if (!block || block->kind != BLOCK_ORDER) {
        if (compiler->guard.order != NO_ORDER)
            return fail(compiler, "--@order inside --@order");
        if (block_open(compiler, (struct block){.kind = BLOCK_ORDER}) < 0)
            return -1;
        block = block_top(compiler);
    }
    unsigned index = 0;
    while (index < file->order_count && !slice_equals(name, file->orders[index]))
        index++;
    if (index == file->order_count) {
        if (compiler->orders_known)
            return fail(compiler, "the order \"%.*s\" is not one of the first --@order block", (int)name.length,
                        name.data);
        if (index == SQL_ORDERS_MAX)
            return fail(compiler, "more than %d orders", SQL_ORDERS_MAX);
        file->orders[file->order_count++] = name_copy(compiler, name);
    }
    if (block->orders_seen & 1u << index)
        return fail(compiler, "the order \"%.*s\" comes twice", (int)name.length, name.data);
    block->orders_seen |= 1u << index;
    compiler->guard = block->outside;
    compiler->guard.order = (int)index;
    return 0;
}

static int end_read(struct compiler *compiler)
{
    struct block *block = block_top(compiler);
    if (!block)
        return fail(compiler, "--@end without a block");
    if (block->kind == BLOCK_ORDER) {
        if (block->orders_seen != (1u << compiler->file->order_count) - 1)
            return fail(compiler, "this --@order block leaves out an order that another one has");
        compiler->orders_known = true;
    }
    compiler->guard = block->outside;
    compiler->block_count--;
    return 0;
}

static int once_read(struct compiler *compiler)
{
    if (compiler->guard.part != PART_ANSWER)
        return fail(compiler, "--@once belongs behind --@answer");
    if (block_open(compiler, (struct block){.kind = BLOCK_ONCE}) < 0)
        return -1;
    compiler->guard.part = PART_ONCE;
    return 0;
}

static int answer_read(struct compiler *compiler, struct slice table, struct slice cte)
{
    if (compiler->file->answer_table)
        return fail(compiler, "a second --@answer");
    if (compiler->block_count)
        return fail(compiler, "--@answer inside a block");
    if (!is_field_path(table) || !memchr(table.data, '.', table.length) || !is_field_path(cte))
        return fail(compiler, "--@answer needs schema.table and the name of a CTE");
    compiler->file->answer_table = name_copy(compiler, table);
    compiler->answer_cte = name_copy(compiler, cte);
    compiler->guard.part = PART_ANSWER;
    return 0;
}

static int type_read(struct compiler *compiler, const char **type, struct slice name)
{
    if (*type)
        return fail(compiler, "the directive comes twice");
    if (!is_field_path(name))
        return fail(compiler, "the directive needs the full name of a message");
    *type = name_copy(compiler, name);
    return 0;
}

static int text_read(struct compiler *compiler, const char *name);

static int directive_read(struct compiler *compiler, struct slice line)
{
    struct slice rest = {.data = line.data + strlen("--@"), .length = line.length - strlen("--@")};
    struct slice word = word_next(&rest);
    struct slice first = word_next(&rest);
    struct slice second = word_next(&rest);
    bool takes_two = slice_equals(word, "answer");
    if (word_next(&rest).length || (second.length && !takes_two))
        return fail(compiler, "unexpected text behind --@%.*s", (int)word.length, word.data);
    if (takes_two)
        return answer_read(compiler, first, second);
    if (slice_equals(word, "if"))
        return if_read(compiler, first);
    if (slice_equals(word, "order"))
        return order_read(compiler, first);
    if (slice_equals(word, "request"))
        return type_read(compiler, &compiler->file->request, first);
    if (slice_equals(word, "response"))
        return type_read(compiler, &compiler->file->response, first);
    if (slice_equals(word, "include")) {
        char *name = name_copy(compiler, first);
        return name && *name ? text_read(compiler, name) : fail(compiler, "--@include needs a name");
    }
    if (first.length)
        return fail(compiler, "unexpected text behind --@%.*s", (int)word.length, word.data);
    if (slice_equals(word, "else"))
        return else_read(compiler);
    if (slice_equals(word, "end"))
        return end_read(compiler);
    if (slice_equals(word, "once"))
        return once_read(compiler);
    return fail(compiler, "there is no directive --@%.*s", (int)word.length, word.data);
}

static int line_add(struct compiler *compiler, struct slice line)
{
    if (compiler->piece_count == PIECES_MAX)
        return fail(compiler, "the file has more than %d lines", PIECES_MAX);
    compiler->pieces[compiler->piece_count++] = (struct piece){
        .guard = compiler->guard, .text = line, .file = compiler->source, .line = compiler->line};
    return 0;
}

static const char *text_find(const struct sql_text *files, const char *name)
{
    for (; files->name; files++)
        if (strcmp(files->name, name) == 0)
            return files->text;
    return NULL;
}

/* Reads a file line by line, and what it includes in between. */
static int text_read(struct compiler *compiler, const char *name)
{
    const char *text = text_find(compiler->files, name);
    if (!text && compiler->include_depth == 0)
        return err_setf(compiler->err, ERR_INTERNAL, "%s.sql: there is no such file", name);
    if (!text)
        return fail(compiler, "there is no file %s.sql to include", name);
    if (compiler->include_depth == INCLUDE_DEPTH_MAX)
        return fail(compiler, "includes are nested more than %d deep", INCLUDE_DEPTH_MAX);

    const char *outer_source = compiler->source;
    unsigned outer_line = compiler->line;
    unsigned outer_blocks = compiler->block_count;
    compiler->include_depth++;
    compiler->source = name;
    compiler->line = 0;
    while (*text) {
        const char *newline = strchr(text, '\n');
        size_t length = newline ? (size_t)(newline - text) + 1 : strlen(text);
        struct slice line = {.data = text, .length = length};
        compiler->line++;
        bool directive = length >= 4 && memcmp(text, "--@", 3) == 0;
        if (directive) {
            struct slice trimmed = line;
            while (trimmed.length && isspace((unsigned char)trimmed.data[trimmed.length - 1]))
                trimmed.length--;
            line = trimmed;
        }
        if ((directive ? directive_read(compiler, line) : line_add(compiler, line)) < 0)
            return -1;
        text += length;
    }
    if (compiler->block_count != outer_blocks)
        return fail_at(compiler, name, compiler->block_count ? block_top(compiler)->line : compiler->line,
                       "this block has no --@end in its file");
    compiler->include_depth--;
    compiler->source = outer_source;
    compiler->line = outer_line;
    return 0;
}

/* The choice that a variant, or its replay, stands for. */
struct choice {
    unsigned conditions;
    int order;
    bool replay;
};

static bool piece_is_chosen(const struct piece *piece, const struct choice *choice)
{
    const struct guard *guard = &piece->guard;
    if ((guard->with & ~choice->conditions) || (guard->without & choice->conditions))
        return false;
    if (guard->order != NO_ORDER && guard->order != choice->order)
        return false;
    return !choice->replay || guard->part == PART_ANSWER;
}

/* Where a place in a statement's text came from. */
struct origin {
    size_t start;
    const char *file;
    unsigned line;
};

static struct origin origin_find(const struct origin *origins, unsigned count, size_t at)
{
    struct origin found = origins[0];
    for (unsigned i = 1; i < count && origins[i].start <= at; i++)
        found = origins[i];
    return found;
}

static int parameter_number(struct compiler *compiler, struct sql_parameter *parameters, unsigned *count,
                            struct slice name, struct origin origin)
{
    for (unsigned i = 0; i < *count; i++)
        if (slice_equals(name, parameters[i].name))
            return (int)i + 1;
    if (*count == SQL_PARAMETERS_MAX)
        return fail_at(compiler, origin.file, origin.line, "more than %d parameters", SQL_PARAMETERS_MAX);
    parameters[*count] =
        (struct sql_parameter){.name = name_copy(compiler, name), .file = origin.file, .line = origin.line};
    return (int)++*count;
}

/* Text with names into text with numbers. Comments are left out: they would only be sent and parsed again. */
static int statement_make(struct compiler *compiler, const char *text, const struct origin *origins,
                          unsigned origin_count, struct sql_statement *ret_statement)
{
    struct arena *arena = &compiler->file->arena;
    struct sql_parameter *parameters = ARENA_ARRAY(arena, SQL_PARAMETERS_MAX, struct sql_parameter);
    unsigned count = 0;
    struct buf sql;
    buf_init_arena(&sql, arena, SQL_TEXT_MAX);
    if (!parameters)
        return err_set(compiler->err, ERR_INTERNAL);
    struct sql_lexer lexer = {.text = text};
    bool ended = false;
    for (;;) {
        struct sql_token token = sql_lexer_next(&lexer);
        struct origin origin = origin_find(origins, origin_count, token.at);
        if (token.kind == SQL_END)
            break;
        if (token.kind == SQL_COMMENT) {
            buf_char(&sql, ' ');
            continue;
        }
        bool blank = token.kind == SQL_TEXT && isspace((unsigned char)*token.text.data);
        if (ended && !blank)
            return fail_at(compiler, origin.file, origin.line, "a second statement behind ';'");
        if (token.kind == SQL_POSITIONAL)
            return fail_at(compiler, origin.file, origin.line, "parameters have names here, not numbers ($1)");
        if (token.kind == SQL_UNTERMINATED)
            return fail_at(compiler, origin.file, origin.line, "a string, identifier or comment has no end");
        ended |= token.kind == SQL_SEMICOLON;
        if (token.kind == SQL_TEXT)
            buf_append(&sql, token.text.data, token.text.length);
        if (token.kind != SQL_PARAMETER)
            continue;
        int number = parameter_number(compiler, parameters, &count, token.text, origin);
        if (number < 0)
            return -1;
        buf_printf(&sql, "$%d", number);
    }
    if (sql.failed)
        return err_setf(compiler->err, ERR_INTERNAL, "%s.sql: the statement is too long", compiler->file->name);
    *ret_statement =
        (struct sql_statement){.sql = sql.data, .parameter_count = count, .parameters = parameters};
    return 0;
}

/* What stands in for the change when its answer is repeated: the rows as core.change has kept them. */
static void replay_begin(const struct compiler *compiler, struct buf *text)
{
    buf_printf(text,
               "with %s as (select r.* from core.change c "
               "cross join lateral jsonb_populate_record(null::%s, c.content::jsonb) r "
               "where c.tenant_id = :tenant and c.sequence = :replay.sequence and c.table_name = '%s')\n",
               compiler->answer_cte, compiler->file->answer_table, compiler->file->answer_table);
}

static int choice_compile(struct compiler *compiler, const struct choice *choice,
                          struct sql_statement *ret_statement)
{
    struct arena *arena = &compiler->file->arena;
    struct origin *origins = ARENA_ARRAY(arena, compiler->piece_count + 1, struct origin);
    unsigned origin_count = 0;
    struct buf text;
    buf_init_arena(&text, arena, SQL_TEXT_MAX);
    if (!origins)
        return err_set(compiler->err, ERR_INTERNAL);
    origins[origin_count++] = (struct origin){.file = compiler->file->name, .line = 1};
    if (choice->replay)
        replay_begin(compiler, &text);
    for (unsigned i = 0; i < compiler->piece_count; i++) {
        const struct piece *piece = &compiler->pieces[i];
        if (!piece_is_chosen(piece, choice))
            continue;
        origins[origin_count++] =
            (struct origin){.start = text.length, .file = piece->file, .line = piece->line};
        buf_append(&text, piece->text.data, piece->text.length);
    }
    if (text.failed)
        return err_setf(compiler->err, ERR_INTERNAL, "%s.sql: the statement is too long", compiler->file->name);
    return statement_make(compiler, text.data, origins, origin_count, ret_statement);
}

static int variants_compile(struct compiler *compiler)
{
    struct sql_file *file = compiler->file;
    unsigned orders = file->order_count ? file->order_count : 1;
    file->variant_count = orders << file->condition_count;
    if (file->variant_count > SQL_VARIANTS_MAX)
        return err_setf(compiler->err, ERR_INTERNAL,
                        "%s.sql: %u orders and %u conditions make more than %d variants", file->name,
                        file->order_count, file->condition_count, SQL_VARIANTS_MAX);
    struct sql_variant *variants = ARENA_ARRAY(&file->arena, file->variant_count, struct sql_variant);
    if (!variants)
        return err_set(compiler->err, ERR_INTERNAL);
    for (unsigned i = 0; i < file->variant_count; i++) {
        struct choice choice = {.conditions = i & ((1u << file->condition_count) - 1),
                                .order = file->order_count ? (int)(i >> file->condition_count) : NO_ORDER};
        if (choice_compile(compiler, &choice, &variants[i].statement) < 0)
            return -1;
        choice.replay = true;
        if (file->answer_table && choice_compile(compiler, &choice, &variants[i].replay) < 0)
            return -1;
    }
    file->variants = variants;
    return 0;
}

int sql_file_compile(const struct sql_text *files, const char *name, struct sql_file **ret_file,
                     struct err *err)
{
    struct sql_file *file CLEANUP(sql_file_freep) = calloc(1, sizeof(*file));
    if (!file)
        return err_set(err, ERR_INTERNAL);
    arena_init(&file->arena, ARENA_MAX);
    file->name = arena_strdup(&file->arena, name);
    struct arena scratch CLEANUP(arena_release);
    arena_init(&scratch, ARENA_MAX);
    struct compiler compiler = {.file = file,
                                .files = files,
                                .pieces = ARENA_ARRAY(&scratch, PIECES_MAX, struct piece),
                                .guard = {.order = NO_ORDER},
                                .err = err};
    if (!file->name || !compiler.pieces)
        return err_set(err, ERR_INTERNAL);
    if (text_read(&compiler, file->name) < 0)
        return -1;
    if (!file->request != !file->response)
        return err_setf(err, ERR_INTERNAL, "%s.sql: --@request and --@response come together", name);
    if (variants_compile(&compiler) < 0)
        return -1;
    *ret_file = file;
    file = NULL;
    return 0;
}

void sql_file_free(struct sql_file *file)
{
    if (!file)
        return;
    arena_release(&file->arena);
    free(file);
}

void sql_file_freep(struct sql_file **file)
{
    sql_file_free(*file);
}

static int file_read(const char *path, struct arena *arena, char **ret_text, struct err *err)
{
    FILE *stream = fopen(path, "re");
    if (!stream)
        return err_setf(err, ERR_INTERNAL, "%s: %m", path);
    struct stat status;
    size_t size =
        fstat(fileno(stream), &status) == 0 && status.st_size <= SQL_TEXT_MAX ? (size_t)status.st_size : 0;
    char *text = arena_alloc(arena, size + 1); /* zeroed, hence terminated */
    bool fine = text && size > 0 && fread(text, 1, size, stream) == size && !memchr(text, 0, size);
    fclose(stream);
    if (!fine)
        return err_setf(err, ERR_INTERNAL, "%s: cannot be read, is empty, too long or holds a NUL", path);
    *ret_text = text;
    return 0;
}

int sql_folder_read(const char *folder, struct arena *arena, struct sql_text **ret_files, struct err *err)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        return err_setf(err, ERR_INTERNAL, "%s: %m", folder);
    struct sql_text *files = ARENA_ARRAY(arena, (size_t)count + 1, struct sql_text);
    int result = files ? 0 : err_set(err, ERR_INTERNAL);
    unsigned found = 0;
    for (int i = 0; i < count; i++) {
        const char *suffix = strrchr(entries[i]->d_name, '.');
        if (result == 0 && suffix && strcmp(suffix, ".sql") == 0) {
            char *path = arena_printf(arena, "%s/%s", folder, entries[i]->d_name);
            char *text = NULL;
            result = path ? file_read(path, arena, &text, err) : err_set(err, ERR_INTERNAL);
            files[found].name = arena_strndup(arena, entries[i]->d_name, (size_t)(suffix - entries[i]->d_name));
            files[found++].text = text;
        }
        free(entries[i]);
    }
    free(entries);
    if (result == 0)
        *ret_files = files;
    return result;
}
