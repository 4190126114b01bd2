/* import_map.c: every row is written as the proto JSON of its message and read back by the JSON reader, so
 * that types, nesting and rules are those of the proto file and nothing here knows a field by name but the
 * few that identify. */
#include "import_map.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/json_text.h>
#include <isms/proto/json.h>
#include <isms/proto/validate.h>

#include "import_keys.h"
#include "import_value.h"

enum {
    ROW_JSON_MAX = 4 * 1024 * 1024,
    MAPPER_MEMORY_MAX = 4 * 1024 * 1024,
    FIELD_NAME_SIZE = 64,
    COLUMNS_OF_NAME_MAX = 200
};

/* Where the cells of one column go. */
struct import_target {
    const Isms__Inputs__V1__ColumnMapping *mapping;
    const char *path;
    const char *name;   /* its last step */
    const struct field_type *field;
    int count;    /* columns of the file; more than one of repeated ones alone */
    int *columns; /* room for COLUMNS_OF_NAME_MAX */
};

struct import_mapper {
    const struct descriptors *descriptors;
    const Isms__Inputs__V1__Import *import;
    const struct message_type *type;
    const char *member;  /* of the oneof, as the kind says; "" for measurements */
    struct arena memory; /* as long as the mapper */
    struct arena *arena; /* of the items */
    struct import_errors *errors;
    import_item_fn *on_item;
    void *context;
    struct import_target *targets; /* sorted by path, which brings siblings together */
    size_t target_count;
    char **paths;
    bool has_external_id;
    bool is_wide; /* measurements of several metrics in a row */
    bool failed;
    int rows;
    int items;
    struct import_keys *keys;
    struct buf json;
    struct buf joined;       /* the cells of repeated columns */
    const char *local_times; /* of what `json` says; see struct import_item */
};

static bool is_measurement(const struct import_mapper *mapper)
{
    return !*mapper->member;
}

/* Notes an error about a field, by the name of the column that is mapped to it. */
static void mapper_error(struct import_mapper *mapper, const struct table_row *row, const char *field,
                         const char *message)
{
    char text[1200];
    const char *column = NULL;
    for (size_t i = 0; row->number > 0 && i < mapper->target_count; i++)
        if (strcmp(mapper->targets[i].path, field) == 0)
            column = mapper->targets[i].mapping->column;
    if (!column && row->number > 0 && *field)
        snprintf(text, sizeof(text), "%s %s, and no column is mapped to it", field, message);
    else
        snprintf(text, sizeof(text), "%s", message);
    import_errors_add(mapper->errors, row->line, row->number, column ? column : field, text);
}

/* --- the mapping ---------------------------------------------------------------------------------------- */

/* The field that the path's steps lead to; the last step's name. NULL: they lead nowhere. */
static const struct field_type *path_resolve(const struct message_type *type, const char *path, const char **ret_name)
{
    const struct field_type *field = NULL;
    for (const char *step = path; type; step = strchr(step, '.') + 1) {
        char name[FIELD_NAME_SIZE];
        size_t length = strcspn(step, ".");
        if (length >= sizeof(name))
            return NULL;
        memcpy(name, step, length);
        name[length] = '\0';
        field = message_type_field(type, name);
        *ret_name = step;
        if (!step[length] || !field)
            return field;
        bool has_fields = field->message && field->message->kind == MESSAGE_PLAIN &&
                          field->descriptor->label != PROTOBUF_C_LABEL_REPEATED;
        if (!has_fields || field->rules->output_only)
            return NULL;
        type = field->message;
    }
    return NULL;
}

static bool path_begins(const char *path, const char *first)
{
    size_t length = strlen(first);
    return strncmp(path, first, length) == 0 && (!path[length] || path[length] == '.');
}

/* What is wrong with the path, or NULL. */
static const char *target_resolve(const struct import_mapper *mapper, struct import_target *target)
{
    static const char *const own[] = {"etag", "source"};
    const bool is_value = is_measurement(mapper) && strcmp(target->path, "value") == 0;
    char first[FIELD_NAME_SIZE];
    if (*target->mapping->metric_id && !is_value)
        return "names a metric, which only columns of measured values may";
    if (is_value && (*target->mapping->metric_id != '\0') != mapper->is_wide)
        return "has to name its metric, as another column does";
    if (path_begins(target->path, "metric_id") && (*mapper->import->metric_id || mapper->is_wide))
        return "is mapped to the metric, which is named already";
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (path_begins(target->path, own[i]))
            return "is mapped to a field that the import itself sets";
    const struct field_type *field = path_resolve(mapper->type, target->path, &target->name);
    if (!field)
        return "is mapped to a field that does not exist";
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(target->path, "."), target->path);
    if (message_type_field(mapper->type, first)->oneof && !path_begins(target->path, mapper->member))
        return "is mapped to a field of another kind of input";
    if (field->rules->output_only)
        return "is mapped to a field that the service sets";
    if (!import_value_accepts(field))
        return "is mapped to a field that one cell cannot hold";
    target->field = field;
    return NULL;
}

static int target_compare(const void *a, const void *b)
{
    const struct import_target *left = a;
    const struct import_target *right = b;
    int order = strcmp(left->path, right->path);
    return order != 0 ? order : strcmp(left->mapping->metric_id, right->mapping->metric_id);
}

static bool same_target(const struct import_target *a, const struct import_target *b)
{
    return strcmp(a->path, b->path) == 0 && strcmp(a->mapping->metric_id, b->mapping->metric_id) == 0;
}

static void mapping_check(struct import_mapper *mapper)
{
    bool has_metric = *mapper->import->metric_id != '\0' || mapper->is_wide || !is_measurement(mapper);
    for (size_t i = 0; i < mapper->target_count; i++) {
        struct import_target *target = &mapper->targets[i];
        const char *fault = target_resolve(mapper, target);
        if (!fault && i > 0 && same_target(target, &target[-1]))
            fault = "is mapped to a field that another column is mapped to";
        if (fault)
            import_errors_add(mapper->errors, 1, 0, target->mapping->column, fault);
        mapper->has_external_id |= strcmp(target->path, "external_id") == 0;
        has_metric |= strcmp(target->path, "metric_id") == 0;
    }
    if (!has_metric)
        import_errors_add(mapper->errors, 1, 0, "metric_id", "is named by no column, nor by the import");
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

static void header_take(struct import_mapper *mapper, const struct table_row *row)
{
    for (size_t i = 0; i < mapper->target_count; i++) {
        struct import_target *target = &mapper->targets[i];
        for (int j = 0; j < row->count; j++)
            if (slice_is(slice_trim(row->cells[j]), target->mapping->column) && target->count < COLUMNS_OF_NAME_MAX)
                target->columns[target->count++] = j;
        if (target->count == 0 && !target->mapping->optional)
            mapper_error(mapper, row, target->mapping->column, "is not a column of the file");
        if (target->count > 1 && !target->mapping->repeated)
            mapper_error(mapper, row, target->mapping->column, "is the name of several columns of the file");
    }
}

/* --- rows ----------------------------------------------------------------------------------------------- */

static struct slice cell_value(const struct import_target *target, struct slice cell)
{
    cell = slice_trim(cell);
    for (size_t i = 0; i < target->mapping->n_values; i++)
        if (slice_is(cell, target->mapping->values[i]->key))
            return slice_trim(slice_of(target->mapping->values[i]->value));
    return cell;
}

/* What the row has for the target; of several columns, all of it. Valid until the next. */
static struct slice value_of(struct import_mapper *mapper, const struct import_target *target,
                             const struct table_row *row)
{
    if (target->count == 0)
        return (struct slice){.data = ""};
    if (target->count == 1)
        return cell_value(target, row->cells[target->columns[0]]);
    bool is_list = target->field->descriptor->label == PROTOBUF_C_LABEL_REPEATED;
    buf_clear(&mapper->joined);
    for (int i = 0; i < target->count; i++) {
        struct slice value = cell_value(target, row->cells[target->columns[i]]);
        if (value.length > 0 && mapper->joined.length > 0)
            buf_text(&mapper->joined, is_list ? "\n" : "\n\n");
        buf_append(&mapper->joined, value.data, value.length);
    }
    return (struct slice){.data = mapper->joined.data, .length = mapper->joined.length};
}

static void comma_append(struct buf *json)
{
    if (json->length > 0 && json->data[json->length - 1] != '{')
        buf_char(json, ',');
}

/* Leaves the messages that `from` is in and `to` is not, and enters those that `to` is in. Paths are sorted, so each
 * message is entered once. */
static void messages_enter(struct buf *json, const char *from, const char *to)
{
    size_t common = 0; /* what both have of whole steps, the dot included */
    for (size_t i = 0; from[i] && from[i] == to[i]; i++)
        if (from[i] == '.')
            common = i + 1;
    for (const char *dot = strchr(from + common, '.'); dot; dot = strchr(dot + 1, '.'))
        buf_char(json, '}');
    const char *step = to + common;
    for (const char *dot = strchr(step, '.'); dot; dot = strchr(step, '.')) {
        comma_append(json);
        buf_printf(json, "\"%.*s\":{", (int)(dot - step), step);
        step = dot + 1;
    }
}

static void local_time_note(struct import_mapper *mapper, const char *path)
{
    const char *separator = *mapper->local_times ? "," : "";
    const char *noted = arena_printf(mapper->arena, "%s%s%s", mapper->local_times, separator, path);
    mapper->failed |= !noted;
    mapper->local_times = noted ? noted : "";
}

/* Writes the row's JSON; false where a cell has an error. A message without a value is left out, but for the one that
 * makes the input the kind it is. Of the columns of values, `only` this one (NULL: there are not several). */
static bool row_write(struct import_mapper *mapper, const struct table_row *row, const struct import_target *only)
{
    struct buf *json = &mapper->json;
    const char *path = "";
    bool has_member = !*mapper->member;
    int before = mapper->errors->count;
    mapper->local_times = "";
    buf_clear(json);
    buf_char(json, '{');
    for (size_t i = 0; i < mapper->target_count; i++) {
        const struct import_target *target = &mapper->targets[i];
        if (only && *target->mapping->metric_id && target != only)
            continue;
        struct slice value = value_of(mapper, target, row);
        if (value.length == 0)
            continue;
        messages_enter(json, path, target->path);
        path = target->path;
        has_member |= path_begins(path, mapper->member);
        comma_append(json);
        buf_printf(json, "\"%s\":", target->name);
        bool is_local;
        const char *fault = import_value_append(target->field, value, json, mapper->arena, &is_local);
        if (fault)
            mapper_error(mapper, row, target->path, fault);
        else if (is_local)
            local_time_note(mapper, path);
    }
    messages_enter(json, path, "");
    if (!has_member) {
        comma_append(json);
        buf_printf(json, "\"%s\":{}", mapper->member);
    }
    buf_char(json, '}');
    return mapper->errors->count == before;
}

static void violations_note(struct import_mapper *mapper, const struct table_row *row, const struct err *err)
{
    if (err->violation_count == 0)
        mapper_error(mapper, row, "", err->message);
    for (unsigned i = 0; i < err->violation_count; i++) {
        if (i >= ERR_VIOLATIONS_MAX) {
            mapper->errors->count++;
            continue;
        }
        char path[sizeof(err->violations[i].field)];
        size_t length = strcspn(err->violations[i].field, "["); /* an item of a list: the list's column */
        memcpy(path, err->violations[i].field, length);
        path[length] = '\0';
        mapper_error(mapper, row, path, err->violations[i].description);
    }
}

/* What row_write() has written, as a message. */
static ProtobufCMessage *row_read(struct import_mapper *mapper, struct err *err)
{
    const struct buf *json = &mapper->json;
    ProtobufCMessage *message = NULL;
    if (json->failed)
        err_setf(err, ERR_MESSAGE_TOO_LARGE, "is too long");
    else if (json_read(mapper->type, json->data, json->length, false, mapper->arena, &message, err) < 0)
        return NULL;
    return message;
}

/* --- what rows are known by ----------------------------------------------------------------------------- */

/* Counts the key; an error where the row is the same as an earlier one. */
static bool key_is_new(struct import_mapper *mapper, const struct table_row *row, const char *key, const char *field)
{
    char text[100];
    int first_line;
    int before = import_keys_add(mapper->keys, slice_of(key), row->line, &first_line);
    mapper->failed |= before < 0;
    if (before <= 0)
        return before == 0;
    snprintf(text, sizeof(text), "is the same as in line %d", first_line);
    mapper_error(mapper, row, field, text);
    return false;
}

/* An id that the same content has in every file: the rows that have it are counted. */
static bool id_make(struct import_mapper *mapper, const struct table_row *row, Isms__Inputs__V1__Input *input)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_of(mapper->json.data, mapper->json.length);
    int first_line;
    hex_encode(hash.bytes, sizeof(hash.bytes), hex);
    int before = import_keys_add(mapper->keys, slice_of(hex), row->line, &first_line);
    if (before >= 0)
        input->external_id = before == 0 ? arena_printf(mapper->arena, "row:%s", hex)
                                         : arena_printf(mapper->arena, "row:%s:%d", hex, before + 1);
    mapper->failed |= before < 0 || !input->external_id;
    return !mapper->failed;
}

static bool input_identify(struct import_mapper *mapper, const struct table_row *row, Isms__Inputs__V1__Input *input)
{
    input->source = mapper->import->source;
    if (!mapper->has_external_id)
        return id_make(mapper, row, input);
    if (*input->external_id)
        return key_is_new(mapper, row, input->external_id, "external_id");
    mapper_error(mapper, row, "external_id", "is empty");
    return false;
}

static bool measurement_identify(struct import_mapper *mapper, const struct table_row *row,
                                 const Isms__Inputs__V1__Measurement *measurement)
{
    const Google__Protobuf__Timestamp *time = measurement->observed_time;
    const char *id = *measurement->corrects_id ? measurement->corrects_id : measurement->external_id;
    /* A local time is compared with others of its sort alone: the database, which knows the place, compares all. */
    char *key = arena_printf(mapper->arena, "%s %lld.%d %s %s", measurement->metric_id,
                             time ? (long long)time->seconds : 0LL, time ? (int)time->nanos : 0,
                             mapper->local_times, id);
    mapper->failed |= key == NULL;
    return key && key_is_new(mapper, row, key, "observed_time");
}

/* --- a row as a whole ----------------------------------------------------------------------------------- */

static void metric_name(const struct import_mapper *mapper, const struct import_target *only,
                        Isms__Inputs__V1__Measurement *measurement)
{
    if (only)
        measurement->metric_id = only->mapping->metric_id;
    else if (*mapper->import->metric_id)
        measurement->metric_id = mapper->import->metric_id;
}

/* The row, or the part of it with that column of values, as an item; -1 ends the reading. */
static int item_make(struct import_mapper *mapper, const struct table_row *row, const struct import_target *only)
{
    struct err err = {0};
    if (!row_write(mapper, row, only))
        return 0;
    ProtobufCMessage *message = row_read(mapper, &err);
    if (message && is_measurement(mapper))
        metric_name(mapper, only, (Isms__Inputs__V1__Measurement *)message);
    else if (message)
        ((Isms__Inputs__V1__Input *)message)->source = mapper->import->source;
    if (!message || message_validate(mapper->type, message, &err) < 0) {
        mapper->failed |= arena_exhausted(mapper->arena);
        if (!mapper->failed)
            violations_note(mapper, row, &err);
        return mapper->failed ? -1 : 0;
    }
    bool known = is_measurement(mapper)
                     ? measurement_identify(mapper, row, (Isms__Inputs__V1__Measurement *)message)
                     : input_identify(mapper, row, (Isms__Inputs__V1__Input *)message);
    if (mapper->failed)
        return -1;
    if (!known || mapper->errors->count > 0)
        return 0;
    if (mapper->items == IMPORT_ROWS_TOTAL_MAX) {
        mapper_error(mapper, row, "", "is beyond the 1000000 measurements that one import may have");
        return -1;
    }
    mapper->items++;
    struct import_item item = {.message = message, .line = row->line, .row = row->number, .references = "",
                               .local_times = mapper->local_times};
    mapper->failed = mapper->on_item(mapper->context, &item) < 0;
    return mapper->failed ? -1 : 0;
}

static int items_make(struct import_mapper *mapper, const struct table_row *row)
{
    if (!mapper->is_wide)
        return item_make(mapper, row, NULL);
    for (size_t i = 0; i < mapper->target_count; i++) {
        const struct import_target *target = &mapper->targets[i];
        if (*target->mapping->metric_id && value_of(mapper, target, row).length > 0 &&
            item_make(mapper, row, target) < 0)
            return -1;
    }
    return 0;
}

int import_mapper_row(void *context, const struct table_row *row)
{
    struct import_mapper *mapper = context;
    if (row->number == 0) {
        header_take(mapper, row);
        return mapper->errors->count > 0 ? -1 : 0;
    }
    if (row->number > IMPORT_ROWS_MAX) {
        mapper_error(mapper, row, "", "is beyond the 100000 rows that one import may have");
        return -1;
    }
    mapper->rows = row->number;
    struct arena_mark mark = arena_mark(mapper->arena);
    int items = mapper->items;
    int result = items_make(mapper, row);
    if (mapper->items == items)
        arena_rewind(mapper->arena, &mark); /* nobody was given anything of it */
    return result;
}

void import_mapper_fault(struct import_mapper *mapper, const struct table_fault *fault)
{
    const char *column = "";
    char text[200];
    snprintf(text, sizeof(text), "%s", fault->message);
    for (size_t i = 0; i < mapper->target_count; i++)
        for (int j = 0; j < mapper->targets[i].count; j++)
            if (fault->column >= 0 && mapper->targets[i].columns[j] == fault->column)
                column = mapper->targets[i].mapping->column;
    if (fault->column >= 0 && !*column)
        snprintf(text, sizeof(text), "cell %d %s", fault->column + 1, fault->message);
    import_errors_add(mapper->errors, fault->line, fault->row, column, text);
}

void import_mapper_end(struct import_mapper *mapper)
{
    if (mapper->rows == 0 && mapper->errors->count == 0)
        import_errors_add(mapper->errors, 1, 0, "", "has no rows below a header");
}

/* --- its life ------------------------------------------------------------------------------------------- */

static const char *member_of(struct import_mapper *mapper)
{
    if (mapper->import->kind == ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_UNSPECIFIED)
        return "";
    const struct message_type *type = descriptors_message(mapper->descriptors, "isms.inputs.v1.Input");
    const struct enum_type *kinds = message_type_field(type, "kind")->enumeration;
    const char *kind = enum_short_name(kinds, (int)mapper->import->kind);
    char *member = arena_strdup(&mapper->memory, kind ? kind : "");
    for (char *c = member; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return member;
}

static int targets_init(struct import_mapper *mapper)
{
    const Isms__Inputs__V1__Import *import = mapper->import;
    mapper->targets = ARENA_ARRAY(&mapper->memory, import->n_columns, struct import_target);
    mapper->paths = ARENA_ARRAY(&mapper->memory, import->n_columns, char *);
    if (!mapper->targets || !mapper->paths)
        return -1;
    for (size_t i = 0; i < import->n_columns; i++) {
        mapper->targets[i] = (struct import_target){
            .mapping = import->columns[i],
            .path = import->columns[i]->field,
            .columns = ARENA_ARRAY(&mapper->memory, COLUMNS_OF_NAME_MAX, int),
        };
        if (!mapper->targets[i].columns)
            return -1;
        mapper->is_wide |= *import->columns[i]->metric_id != '\0';
    }
    mapper->target_count = import->n_columns;
    if (mapper->target_count > 0)
        qsort(mapper->targets, mapper->target_count, sizeof(*mapper->targets), target_compare);
    return 0;
}

struct import_mapper *import_mapper_new(const struct descriptors *descriptors,
                                        const Isms__Inputs__V1__Import *import, struct arena *arena,
                                        struct import_errors *errors, import_item_fn *on_item, void *context,
                                        struct err *err)
{
    struct import_mapper *mapper = calloc(1, sizeof(*mapper));
    if (!mapper) {
        err_set(err, ERR_MESSAGE_TOO_LARGE);
        return NULL;
    }
    *mapper = (struct import_mapper){.descriptors = descriptors, .import = import, .arena = arena, .errors = errors,
                                     .on_item = on_item, .context = context};
    arena_init(&mapper->memory, MAPPER_MEMORY_MAX);
    buf_init(&mapper->json, ROW_JSON_MAX);
    buf_init(&mapper->joined, TABLE_ROW_MAX + 2 * TABLE_COLUMNS_MAX);
    mapper->keys = import_keys_new(IMPORT_ROWS_TOTAL_MAX);
    mapper->member = member_of(mapper);
    if (!mapper->keys || !mapper->member || targets_init(mapper) < 0) {
        err_set(err, ERR_MESSAGE_TOO_LARGE);
        import_mapper_free(mapper);
        return NULL;
    }
    mapper->type =
        descriptors_message(descriptors, is_measurement(mapper) ? "isms.inputs.v1.Measurement"
                                                                : "isms.inputs.v1.Input");
    mapping_check(mapper);
    return mapper;
}

void import_mapper_free(struct import_mapper *mapper)
{
    if (!mapper)
        return;
    import_keys_free(mapper->keys);
    buf_release(&mapper->json);
    buf_release(&mapper->joined);
    arena_release(&mapper->memory);
    free(mapper);
}

bool import_mapper_failed(const struct import_mapper *mapper)
{
    return mapper->failed;
}

int import_mapper_rows(const struct import_mapper *mapper)
{
    return mapper->rows;
}

size_t import_mapper_paths(struct import_mapper *mapper, char ***ret_paths)
{
    size_t count = 0;
    for (size_t i = 0; i < mapper->target_count; i++)
        if (mapper->targets[i].count > 0 && strcmp(mapper->targets[i].path, "external_id") != 0)
            mapper->paths[count++] = mapper->targets[i].mapping->field;
    *ret_paths = mapper->paths;
    return count;
}
