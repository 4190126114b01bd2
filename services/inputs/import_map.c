/* import_map.c: every row is written as the proto JSON of its message and read back by the JSON reader, so
 * that types, nesting and rules are those of the proto file and nothing here knows a field by name but the
 * few that identify. */
#include "import_map.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>
#include <isms/base/crypto.h>
#include <isms/base/json_text.h>
#include <isms/proto/json.h>
#include <isms/proto/validate.h>

#include "csv_reader.h"
#include "import_value.h"

enum { ROW_JSON_MAX = 4 * 1024 * 1024, FIRST_ROOM = 256 };

/* Where the cells of one column go. */
struct import_target {
    const Isms__Inputs__V1__ColumnMapping *mapping;
    const char *path;
    const char *parent; /* "finding" of "finding.reference"; "": a field of the message itself */
    const struct field_type *field;
    int column; /* of the file; -1: not found */
};

struct mapper {
    const struct descriptors *descriptors;
    const Isms__Inputs__V1__Import *import;
    const struct message_type *type;
    const char *member; /* of the oneof, as the kind says; "" for measurements */
    struct arena *arena;
    struct import_target *targets; /* sorted by path, which brings siblings together */
    size_t target_count;
    bool has_external_id;
    size_t room;
    struct buf json;
    struct import_rows rows;
};

static bool is_measurement(const struct mapper *mapper)
{
    return mapper->import->metric_id[0] != '\0';
}

static const char *column_of(const struct import_rows *rows, const char *path)
{
    for (size_t i = 0; i < rows->target_count; i++)
        if (strcmp(rows->targets[i].path, path) == 0)
            return rows->targets[i].mapping->column;
    return NULL;
}

void import_error_add(struct import_rows *rows, struct arena *arena, int line, int row, const char *field,
                      const char *message)
{
    rows->error_count++;
    if (rows->error_listed == IMPORT_ERRORS_MAX)
        return;
    Isms__Inputs__V1__ImportError *error = ARENA_NEW(arena, Isms__Inputs__V1__ImportError);
    if (!error)
        return;
    isms__inputs__v1__import_error__init(error);
    const char *column = row > 0 ? column_of(rows, field) : NULL;
    error->line = line;
    error->row = row;
    error->column = arena_strdup(arena, column ? column : field);
    error->message = column || row == 0 || !*field
                         ? arena_strdup(arena, message)
                         : arena_printf(arena, "%s %s, and no column is mapped to it", field, message);
    if (error->column && error->message)
        rows->errors[rows->error_listed++] = error;
}

static void mapper_error(struct mapper *mapper, const struct csv_row *row, const char *field,
                         const char *message)
{
    import_error_add(&mapper->rows, mapper->arena, row->line, row->number, field, message);
}

/* --- the mapping ---------------------------------------------------------------------------------------- */

/* What is wrong with the path, or NULL. */
static const char *target_resolve(const struct mapper *mapper, struct import_target *target)
{
    static const char *const own[] = {"etag", "source", "metric_id"};
    size_t length = strcspn(target->path, ".");
    char *first = arena_strndup(mapper->arena, target->path, length);
    const struct field_type *field = first ? message_type_field(mapper->type, first) : NULL;
    if (!field)
        return "is mapped to a field that does not exist";
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strcmp(first, own[i]) == 0)
            return "is mapped to a field that the import itself sets";
    if (field->oneof && strcmp(first, mapper->member) != 0)
        return "is mapped to a field of another kind of input";
    target->parent = "";
    if (target->path[length]) {
        bool has_fields = field->message && field->message->kind == MESSAGE_PLAIN &&
                          field->descriptor->label != PROTOBUF_C_LABEL_REPEATED;
        target->parent = first;
        field = has_fields ? message_type_field(field->message, target->path + length + 1) : NULL;
        if (!field)
            return "is mapped to a field that does not exist";
    }
    if (field->rules->output_only)
        return "is mapped to a field that the service sets";
    if (!import_value_accepts(field))
        return "is mapped to a field that one cell cannot hold";
    target->field = field;
    return NULL;
}

static int target_compare(const void *a, const void *b)
{
    return strcmp(((const struct import_target *)a)->path, ((const struct import_target *)b)->path);
}

static void mapping_check(struct mapper *mapper)
{
    for (size_t i = 0; i < mapper->target_count; i++) {
        struct import_target *target = &mapper->targets[i];
        const char *fault = target_resolve(mapper, target);
        if (!fault && i > 0 && strcmp(target->path, target[-1].path) == 0)
            fault = "is mapped to a field that another column is mapped to";
        if (fault)
            import_error_add(&mapper->rows, mapper->arena, 1, 0, target->mapping->column, fault);
        mapper->has_external_id |= strcmp(target->path, "external_id") == 0;
    }
}

static struct slice slice_trim(struct slice text)
{
    while (text.length > 0 && isspace((unsigned char)*text.data)) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && isspace((unsigned char)text.data[text.length - 1]))
        text.length--;
    return text;
}

static bool slice_is(struct slice slice, const char *text)
{
    struct slice other = slice_trim(slice_of(text));
    return slice.length == other.length && strncasecmp(slice.data, other.data, other.length) == 0;
}

static void header_take(struct mapper *mapper, const struct csv_row *row)
{
    for (size_t i = 0; i < mapper->target_count; i++) {
        struct import_target *target = &mapper->targets[i];
        const char *fault = "is not a column of the file";
        for (int j = 0; j < row->count; j++) {
            if (!slice_is(slice_trim(row->cells[j]), target->mapping->column))
                continue;
            fault = target->column < 0 ? NULL : "is the name of several columns of the file";
            target->column = j;
        }
        if (fault)
            mapper_error(mapper, row, target->mapping->column, fault);
    }
}

/* --- rows ----------------------------------------------------------------------------------------------- */

static struct slice value_of(const struct import_target *target, struct slice cell)
{
    cell = slice_trim(cell);
    for (size_t i = 0; i < target->mapping->n_values; i++)
        if (slice_is(cell, target->mapping->values[i]->key))
            return slice_trim(slice_of(target->mapping->values[i]->value));
    return cell;
}

static void comma_append(struct buf *json)
{
    if (json->length > 0 && json->data[json->length - 1] != '{')
        buf_char(json, ',');
}

/* Writes the row's JSON; false where a cell has an error. */
static bool row_write(struct mapper *mapper, const struct csv_row *row)
{
    struct buf *json = &mapper->json;
    const char *parent = "";
    bool has_member = !*mapper->member;
    int before = mapper->rows.error_count;
    buf_clear(json);
    buf_char(json, '{');
    for (size_t i = 0; i < mapper->target_count; i++) {
        const struct import_target *target = &mapper->targets[i];
        if (strcmp(target->parent, parent) != 0) {
            buf_text(json, *parent ? "}" : "");
            if (*target->parent) {
                comma_append(json);
                buf_printf(json, "\"%s\":{", target->parent);
            }
            parent = target->parent;
            has_member |= strcmp(parent, mapper->member) == 0;
        }
        struct slice value = value_of(target, row->cells[target->column]);
        if (value.length == 0)
            continue;
        comma_append(json);
        buf_printf(json, "\"%s\":", target->field->name);
        const char *fault = import_value_append(target->field, value, json, mapper->arena);
        if (fault)
            mapper_error(mapper, row, target->path, fault);
    }
    buf_text(json, *parent ? "}" : "");
    if (!has_member) {
        comma_append(json);
        buf_printf(json, "\"%s\":{}", mapper->member);
    }
    buf_char(json, '}');
    return mapper->rows.error_count == before;
}

static void violations_note(struct mapper *mapper, const struct csv_row *row, const struct err *err)
{
    if (err->violation_count == 0)
        mapper_error(mapper, row, "", err->message);
    for (unsigned i = 0; i < err->violation_count; i++) {
        if (i >= ERR_VIOLATIONS_MAX) {
            mapper->rows.error_count++;
            continue;
        }
        char path[sizeof(err->violations[i].field)];
        size_t length = strcspn(err->violations[i].field, "["); /* an item of a list: the list's column */
        memcpy(path, err->violations[i].field, length);
        path[length] = '\0';
        mapper_error(mapper, row, path, err->violations[i].description);
    }
}

/* The texts that identify a row, set where the file does not say them. */
static int row_identify(struct mapper *mapper, ProtobufCMessage *message)
{
    if (is_measurement(mapper)) {
        ((Isms__Inputs__V1__Measurement *)message)->metric_id = mapper->import->metric_id;
        return 0;
    }
    Isms__Inputs__V1__Input *input = (Isms__Inputs__V1__Input *)message;
    input->source = mapper->import->source;
    if (mapper->has_external_id)
        return 0;
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_of(mapper->json.data, mapper->json.length);
    hex_encode(hash.bytes, sizeof(hash.bytes), hex);
    input->external_id = arena_printf(mapper->arena, "row:%s", hex);
    return input->external_id ? 0 : -1;
}

static int row_keep(struct mapper *mapper, const struct csv_row *row, ProtobufCMessage *message)
{
    struct import_rows *rows = &mapper->rows;
    if (rows->count == mapper->room) {
        size_t room = mapper->room ? 2 * mapper->room : FIRST_ROOM;
        ProtobufCMessage **messages = ARENA_ARRAY(mapper->arena, room, ProtobufCMessage *);
        struct import_place *places = ARENA_ARRAY(mapper->arena, room, struct import_place);
        if (!messages || !places)
            return -1;
        if (rows->count > 0) {
            memcpy(messages, rows->rows, rows->count * sizeof(*messages));
            memcpy(places, rows->places, rows->count * sizeof(*places));
        }
        rows->rows = messages;
        rows->places = places;
        mapper->room = room;
    }
    rows->places[rows->count] = (struct import_place){.line = row->line, .number = row->number};
    rows->rows[rows->count++] = message;
    return 0;
}

/* What row_write() has written, as a valid message. */
static int row_read(struct mapper *mapper, ProtobufCMessage **ret_message, struct err *err)
{
    const struct buf *json = &mapper->json;
    if (json->failed)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    ProtobufCMessage *message;
    if (json_read(mapper->type, json->data, json->length, false, mapper->arena, &message, err) < 0 ||
        row_identify(mapper, message) < 0 || message_validate(mapper->type, message, err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}

static int row_take(void *context, const struct csv_row *row)
{
    struct mapper *mapper = context;
    if (row->number == 0) {
        header_take(mapper, row);
        return mapper->rows.error_count > 0 ? -1 : 0;
    }
    if (row->number > IMPORT_ROWS_MAX) {
        mapper_error(mapper, row, "", "is beyond the 10000 rows that one import may have");
        return -1;
    }
    mapper->rows.row_count = row->number;
    if (!row_write(mapper, row))
        return 0;
    struct err err = {0};
    ProtobufCMessage *message = NULL;
    if (row_read(mapper, &message, &err) == 0)
        return row_keep(mapper, row, message);
    if (arena_exhausted(mapper->arena))
        return -1;
    violations_note(mapper, row, &err);
    return 0;
}

/* --- rows that would be one ------------------------------------------------------------------------------ */

struct row_key {
    int64_t time_us; /* of a measurement */
    const char *text;
    size_t row;
};

static int key_compare_values(const struct row_key *left, const struct row_key *right)
{
    if (left->time_us != right->time_us)
        return left->time_us > right->time_us ? 1 : -1;
    return strcmp(left->text, right->text);
}

static int key_compare(const void *a, const void *b)
{
    const struct row_key *left = a;
    const struct row_key *right = b;
    int order = key_compare_values(left, right);
    return order ? order : (left->row > right->row) - (left->row < right->row);
}

static struct row_key key_of(const struct mapper *mapper, size_t row)
{
    const ProtobufCMessage *message = mapper->rows.rows[row];
    if (!is_measurement(mapper))
        return (struct row_key){.text = ((const Isms__Inputs__V1__Input *)message)->external_id, .row = row};
    const Isms__Inputs__V1__Measurement *measurement = (const Isms__Inputs__V1__Measurement *)message;
    const Google__Protobuf__Timestamp *time = measurement->observed_time;
    return (struct row_key){
        .time_us = time->seconds * 1000000 + time->nanos / 1000,
        .text = *measurement->corrects_id ? measurement->corrects_id : measurement->external_id,
        .row = row,
    };
}

/* Says that the row is the same as an earlier one, or (`first` NULL) has nothing to be known by. */
static void repeat_note(struct mapper *mapper, size_t row, const struct row_key *first)
{
    struct import_rows *rows = &mapper->rows;
    const char *message = "is empty";
    if (first)
        message = arena_printf(mapper->arena, "is the same as in line %d", rows->places[first->row].line);
    import_error_add(rows, mapper->arena, rows->places[row].line, rows->places[row].number,
                     is_measurement(mapper) ? "observed_time" : "external_id", message ? message : "");
}

/* Only rows without an error take part: those with one have been named already. */
static int repeats_settle(struct mapper *mapper)
{
    bool made = !is_measurement(mapper) && !mapper->has_external_id;
    struct import_rows *rows = &mapper->rows;
    struct row_key *keys = ARENA_ARRAY(mapper->arena, rows->count, struct row_key);
    if (!keys)
        return -1;
    for (size_t i = 0; i < rows->count; i++)
        keys[i] = key_of(mapper, i);
    qsort(keys, rows->count, sizeof(*keys), key_compare);
    for (size_t i = 0, first = 0; i < rows->count; i++) {
        if (i == 0 || key_compare_values(&keys[i], &keys[first]) != 0)
            first = i;
        size_t row = keys[i].row;
        if (i > first && made) {
            Isms__Inputs__V1__Input *input = (Isms__Inputs__V1__Input *)rows->rows[row];
            input->external_id = arena_printf(mapper->arena, "%s:%zu", keys[first].text, i - first + 1);
        } else if (!is_measurement(mapper) && !*keys[i].text) {
            repeat_note(mapper, row, NULL);
        } else if (i > first) {
            repeat_note(mapper, row, &keys[first]);
        }
    }
    return arena_exhausted(mapper->arena) ? -1 : 0;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static int mapper_init(struct mapper *mapper)
{
    const Isms__Inputs__V1__Import *import = mapper->import;
    struct arena *arena = mapper->arena;
    mapper->type = descriptors_message(
        mapper->descriptors, is_measurement(mapper) ? "isms.inputs.v1.Measurement" : "isms.inputs.v1.Input");
    mapper->member = "";
    if (!is_measurement(mapper)) {
        const struct enum_type *kinds = message_type_field(mapper->type, "kind")->enumeration;
        const char *kind = enum_short_name(kinds, (int)import->kind);
        char *member = arena_strdup(arena, kind ? kind : "");
        for (char *c = member; c && *c; c++)
            *c = (char)tolower((unsigned char)*c);
        mapper->member = member;
    }
    mapper->targets = ARENA_ARRAY(arena, import->n_columns, struct import_target);
    mapper->rows.paths = ARENA_ARRAY(arena, import->n_columns, char *);
    mapper->rows.errors = ARENA_ARRAY(arena, IMPORT_ERRORS_MAX, Isms__Inputs__V1__ImportError *);
    if (!mapper->targets || !mapper->rows.paths || !mapper->rows.errors || !mapper->member)
        return -1;
    for (size_t i = 0; i < import->n_columns; i++) {
        mapper->targets[i] = (struct import_target){
            .mapping = import->columns[i], .path = import->columns[i]->field, .parent = "", .column = -1};
        if (strcmp(import->columns[i]->field, "external_id") != 0)
            mapper->rows.paths[mapper->rows.path_count++] = import->columns[i]->field;
    }
    mapper->target_count = import->n_columns;
    qsort(mapper->targets, mapper->target_count, sizeof(*mapper->targets), target_compare);
    mapper->rows.targets = mapper->targets;
    mapper->rows.target_count = mapper->target_count;
    return 0;
}

static void file_read(struct mapper *mapper, struct slice file)
{
    struct csv_fault fault = {.column = -1};
    if (csv_read(file.data, file.length, row_take, mapper, &fault) == 0 || !fault.message[0]) {
        if (mapper->rows.row_count == 0 && mapper->rows.error_count == 0)
            import_error_add(&mapper->rows, mapper->arena, 1, 0, "", "has no rows below a header");
        return;
    }
    const char *column = "";
    for (size_t i = 0; i < mapper->target_count; i++)
        if (fault.column >= 0 && mapper->targets[i].column == fault.column)
            column = mapper->targets[i].path;
    if (fault.column >= 0 && !*column) {
        char *text = arena_printf(mapper->arena, "cell %d %s", fault.column + 1, fault.message);
        import_error_add(&mapper->rows, mapper->arena, fault.line, fault.row, "", text ? text : fault.message);
    } else {
        import_error_add(&mapper->rows, mapper->arena, fault.line, fault.row, column, fault.message);
    }
}

int import_map(const struct descriptors *descriptors, const Isms__Inputs__V1__Import *import, struct slice file,
               struct arena *arena, struct import_rows *ret_rows, struct err *err)
{
    struct mapper mapper = {.descriptors = descriptors, .import = import, .arena = arena};
    if (mapper_init(&mapper) < 0)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    mapping_check(&mapper);
    if (mapper.rows.error_count == 0) {
        buf_init(&mapper.json, ROW_JSON_MAX);
        file_read(&mapper, file);
        buf_release(&mapper.json);
    }
    if (arena_exhausted(arena) || (mapper.rows.count > 0 && repeats_settle(&mapper) < 0))
        return err_setf(err, ERR_MESSAGE_TOO_LARGE,
                        "The file needs more memory than a call may use: import it in parts.");
    *ret_rows = mapper.rows;
    return 0;
}
