/* table.c: the columns are found by walking the descriptors once, so that a new field is a new column without a line of
 * code here. */
#include "table.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <isms/proto/json.h>

enum { CELL_MAX = 64 << 20 };

static bool is_list(const struct field_type *field)
{
    return field->descriptor->label == PROTOBUF_C_LABEL_REPEATED;
}

static int column_add(struct table *table, const struct table_column *column, struct err *err)
{
    if (table->column_count == TABLE_COLUMNS_MAX)
        return err_setf(err, ERR_INTERNAL, "There are more than %d columns.", TABLE_COLUMNS_MAX);
    table->columns[table->column_count++] = *column;
    return 0;
}

/* The columns of a message's fields, below those that lead to it; of a oneof, those of `member` alone. */
static int columns_add(struct table *table, const struct message_type *type, const struct table_column *above,
                       const char *member, struct arena *arena, struct err *err)
{
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *field = &type->fields[i];
        struct table_column column = *above;
        if (field->oneof && strcmp(field->name, member) != 0)
            continue;
        if (column.step_count == TABLE_STEPS_MAX)
            return err_setf(err, ERR_INTERNAL, "%s is nested too deep for a table.", above->path);
        column.path = arena_printf(arena, "%s%s%s", above->path, *above->path ? "." : "", field->name);
        column.steps[column.step_count++] = field;
        column.is_given = above->is_given && !field->rules->output_only;
        if (!column.path)
            return err_set(err, ERR_MESSAGE_TOO_LARGE);
        bool has_columns = field->message && field->message->kind == MESSAGE_PLAIN && !is_list(field);
        if ((has_columns ? columns_add(table, field->message, &column, "", arena, err)
                         : column_add(table, &column, err)) < 0)
            return -1;
    }
    return 0;
}

/* "FINDING", "INPUT_KIND_FINDING": what the oneof calls it. NULL: there is no such kind. */
static const char *member_of(const struct message_type *type, const char *kind)
{
    static const char prefix[] = "INPUT_KIND_";
    if (strncmp(kind, prefix, strlen(prefix)) == 0)
        kind += strlen(prefix);
    for (unsigned i = 0; i < type->field_count; i++)
        if (type->fields[i].oneof && strcasecmp(type->fields[i].name, kind) == 0)
            return type->fields[i].name;
    return NULL;
}

int table_init(struct table *table, const struct descriptors *descriptors, const char *kind, struct arena *arena,
               struct err *err)
{
    const struct message_type *type =
        descriptors_message(descriptors, kind ? "isms.inputs.v1.Input" : "isms.inputs.v1.Measurement");
    const struct table_column root = {.path = arena_strdup(arena, ""), .is_given = true};
    const char *member = kind ? member_of(type, kind) : "";
    if (!root.path)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (!member)
        return err_setf(err, ERR_FIELD_INVALID, "There is no kind '%s' of input; docs/inputs.md lists them.", kind);
    table->column_count = 0;
    return columns_add(table, type, &root, member, arena, err);
}

const struct table_column *table_column_find(const struct table *table, struct slice path)
{
    for (unsigned i = 0; i < table->column_count; i++)
        if (strlen(table->columns[i].path) == path.length &&
            strncmp(table->columns[i].path, path.data, path.length) == 0)
            return &table->columns[i];
    return NULL;
}

/* --- a cell --------------------------------------------------------------------------------------------- */

static const void *member_at(const ProtobufCMessage *message, const struct field_type *field)
{
    return (const char *)message + field->descriptor->offset;
}

static size_t count_of(const ProtobufCMessage *message, const struct field_type *field)
{
    return *(const size_t *)(const void *)((const char *)message + field->descriptor->quantifier_offset);
}

/* The message that the last step is a field of; NULL where one on the way is not set. */
static const ProtobufCMessage *holder_of(const struct table_column *column, const ProtobufCMessage *message)
{
    for (unsigned i = 0; message && i + 1 < column->step_count; i++) {
        const struct field_type *step = column->steps[i];
        bool is_other = step->oneof && *(const uint32_t *)(const void *)((const char *)message +
                                            step->descriptor->quantifier_offset) != step->descriptor->id;
        message = is_other ? NULL : *(ProtobufCMessage *const *)member_at(message, step);
    }
    return message;
}

/* Whether cutting the list at its separators gives the texts again. */
static bool is_plain(char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(texts[i]);
        if (length == 0 || texts[i][0] == '[' || strpbrk(texts[i], ",;\r\n") ||
            isspace((unsigned char)texts[i][0]) || isspace((unsigned char)texts[i][length - 1]))
            return false;
    }
    return true;
}

static int list_append(const struct field_type *field, const ProtobufCMessage *holder, struct buf *cell,
                       struct err *err)
{
    size_t count = count_of(holder, field);
    if (count == 0)
        return 0;
    if (field->descriptor->type == PROTOBUF_C_TYPE_STRING) {
        char *const *texts = *(char **const *)member_at(holder, field);
        if (is_plain(texts, count)) {
            for (size_t i = 0; i < count; i++)
                buf_printf(cell, "%s%s", i > 0 ? "; " : "", texts[i]);
            return 0;
        }
    }
    return json_write_field(field, holder, json_style_stored, cell, err);
}

/* As in JSON, without the quotes that numbers of 64 bits, times and names of enums have there. */
static int value_append(const struct field_type *field, const ProtobufCMessage *holder, struct buf *cell,
                        struct err *err)
{
    char text[64];
    struct buf json;
    buf_init_fixed(&json, text, sizeof(text));
    if (json_write_field(field, holder, json_style_stored, &json, err) < 0)
        return -1;
    if (json.failed)
        return err_set(err, ERR_INTERNAL);
    bool is_quoted = json.length >= 2 && json.data[0] == '"';
    buf_append(cell, json.data + is_quoted, json.length - 2 * (size_t)is_quoted);
    return 0;
}

static int cell_append(const struct table_column *column, const ProtobufCMessage *message, struct buf *cell,
                       struct err *err)
{
    const struct field_type *field = column->steps[column->step_count - 1];
    const ProtobufCMessage *holder = holder_of(column, message);
    if (!holder)
        return 0;
    if (is_list(field))
        return list_append(field, holder, cell, err);
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING:
        buf_text(cell, *(char *const *)member_at(holder, field));
        return 0;
    case PROTOBUF_C_TYPE_ENUM:
        return *(const int *)member_at(holder, field) == 0 ? 0 : value_append(field, holder, cell, err);
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)member_at(holder, field) ? value_append(field, holder, cell, err) : 0;
    default:
        return value_append(field, holder, cell, err);
    }
}

/* --- a line --------------------------------------------------------------------------------------------- */

static void cell_quote(const struct buf *cell, struct buf *csv)
{
    if (!strpbrk(cell->data, ",\"\r\n")) {
        buf_append(csv, cell->data, cell->length);
        return;
    }
    buf_char(csv, '"');
    for (size_t i = 0; i < cell->length; i++) {
        if (cell->data[i] == '"')
            buf_char(csv, '"');
        buf_char(csv, cell->data[i]);
    }
    buf_char(csv, '"');
}

void table_header(const struct table *table, struct buf *csv)
{
    for (unsigned i = 0; i < table->column_count; i++)
        buf_printf(csv, "%s%s", i > 0 ? "," : "", table->columns[i].path);
    buf_text(csv, "\r\n");
}

int table_line(const struct table *table, const ProtobufCMessage *message, struct buf *csv, struct err *err)
{
    CLEANUP(buf_release) struct buf cell;
    buf_init(&cell, CELL_MAX);
    for (unsigned i = 0; i < table->column_count; i++) {
        if (i > 0)
            buf_char(csv, ',');
        buf_clear(&cell);
        if (cell_append(&table->columns[i], message, &cell, err) < 0)
            return -1;
        if (cell.failed)
            return err_set(err, ERR_MESSAGE_TOO_LARGE);
        if (cell.length > 0)
            cell_quote(&cell, csv);
    }
    buf_text(csv, "\r\n");
    return 0;
}
