/* binding_parameters.c: from parameter names to places in the request, and what SQL types may stand there. */
#include "binding_internal.h"

#include <stdio.h>
#include <string.h>

/* Types and what they are called, for messages. */
static const struct {
    uint32_t type;
    const char *name;
} type_names[] = {
    {DB_BOOL, "boolean"}, {DB_BYTEA, "bytea"}, {DB_INT2, "smallint"}, {DB_INT4, "integer"}, {DB_INT8, "bigint"},
    {DB_TEXT, "text"}, {DB_VARCHAR, "varchar"}, {TYPE_BPCHAR, "char"}, {TYPE_NAME, "name"}, {DB_JSON, "json"},
    {DB_JSONB, "jsonb"}, {DB_FLOAT4, "real"}, {DB_FLOAT8, "double precision"}, {DB_NUMERIC, "numeric"},
    {DB_DATE, "date"}, {DB_TIMESTAMPTZ, "timestamptz"}, {DB_UUID, "uuid"}, {TYPE_INTERVAL, "interval"},
    {DB_TEXT_ARRAY, "text[]"}, {TYPE_VARCHAR_ARRAY, "varchar[]"}, {DB_INT4_ARRAY, "integer[]"},
    {TYPE_INT2_ARRAY, "smallint[]"}, {DB_INT8_ARRAY, "bigint[]"}, {DB_FLOAT8_ARRAY, "double precision[]"},
    {TYPE_FLOAT4_ARRAY, "real[]"}, {DB_BOOL_ARRAY, "boolean[]"}, {DB_UUID_ARRAY, "uuid[]"},
    {DB_DATE_ARRAY, "date[]"}, {DB_TIMESTAMPTZ_ARRAY, "timestamptz[]"}, {TYPE_NUMERIC_ARRAY, "numeric[]"},
    {TYPE_BYTEA_ARRAY, "bytea[]"},
};

const char *type_name(uint32_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
        if (type_names[i].type == type)
            return type_names[i].name;
    return "another type";
}

/* --- names to places --- */

static int PRINTF_LIKE(3, 4) fail(const struct sql_parameter *source, struct err *err, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_setf(err, ERR_INTERNAL, "%s.sql:%u: :%s %s", source->file, source->line, source->name, text);
}

/* The oneof's name as the message type has it (it outlives a name on a stack); NULL: there is none. */
static const char *oneof_name(const struct message_type *type, const char *name)
{
    for (unsigned i = 0; i < type->field_count; i++)
        if (type->fields[i].oneof && strcmp(type->fields[i].oneof, name) == 0)
            return type->fields[i].oneof;
    return NULL;
}

const char *location_resolve(const struct message_type *root, const char *path, struct location *ret_location)
{
    struct location location = {.parent = root};
    char name[128];
    for (;;) {
        size_t length = strcspn(path, ".");
        if (length == 0 || length >= sizeof(name))
            return "is not a path";
        memcpy(name, path, length);
        name[length] = '\0';
        location.field = message_type_field(location.parent, name);
        if (!path[length])
            break;
        if (!location.field)
            return "is not a field";
        if (!location.field->message || field_is_repeated(location.field))
            return "goes through a field that is not a single message";
        if (location.hop_count == HOPS_MAX)
            return "is too deep";
        location.hops[location.hop_count++] = location.field;
        location.parent = location.field->message;
        path += length + 1;
    }
    if (!location.field)
        location.oneof = oneof_name(location.parent, name);
    if (!location.field && !location.oneof)
        return "is not a field";
    *ret_location = location;
    return NULL;
}

const ProtobufCMessage *location_find(const struct location *location, const ProtobufCMessage *root)
{
    for (unsigned i = 0; root && i < location->hop_count; i++)
        root =
            field_is_set(location->hops[i], root) ? *MEMBER(root, location->hops[i], ProtobufCMessage *) : NULL;
    return root;
}

static bool is_under(const char *name, const char *prefix, const char **ret_rest)
{
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0 || name[length] != '.')
        return false;
    *ret_rest = name + length + 1;
    return true;
}

/* ".2" → 1; nothing → 0. -1: neither. */
static int ordinal(const char *text, unsigned max)
{
    if (strlen(text) != 1 || *text < '1' || *text > (char)('0' + max))
        return -1;
    return *text - '1';
}

static int mask_compile(struct binding *binding, struct parameter *parameter, const char *path, struct err *err)
{
    const struct sql_parameter *source = parameter->source;
    if (!binding->mask || !binding->resource)
        return fail(source, err, "needs a request with an update_mask and a single message");
    const char *fault = location_resolve(binding->resource->message, path, &parameter->location);
    if (fault)
        return fail(source, err, "%s of %s", fault, binding->resource->message->name);
    const struct location *location = &parameter->location;
    bool whole =
        location->oneof || (location->field->message && location->field->message->kind == MESSAGE_PLAIN &&
                            !field_is_repeated(location->field));
    if (parameter->kind == PARAMETER_PATCH && !whole)
        return fail(source, err, "is neither a message nor a oneof, so it cannot be patched in parts");
    const char *end = location->oneof ? strrchr(path, '.') : path + strlen(path);
    parameter->path = end ? arena_strndup(&binding->arena, path, (size_t)(end - path)) : "";
    if (!parameter->path)
        return err_set(err, ERR_INTERNAL);
    for (unsigned i = 0; i < binding->mask_parameter_count; i++) /* of another variant */
        if (strcmp(binding->mask_parameters[i]->source->name, source->name) == 0)
            return 0;
    if (binding->mask_parameter_count == MASK_PARAMETERS_MAX)
        return fail(source, err, "is one mask parameter too many");
    binding->mask_parameters[binding->mask_parameter_count++] = parameter;
    return 0;
}

static int page_compile(struct binding *binding, struct parameter *parameter, const char *rest, struct err *err)
{
    if (strcmp(rest, "limit") == 0) {
        if (!binding->page_size)
            return fail(parameter->source, err, "needs a request with an int32 page_size");
        parameter->kind = PARAMETER_PAGE_LIMIT;
        binding->pages = true;
        return 0;
    }
    int index = ordinal(rest, PAGE_KEYS_MAX);
    if (index < 0)
        return fail(parameter->source, err, "is neither :page.limit nor :page.1 to :page.%d", PAGE_KEYS_MAX);
    if (!binding->page_token || !binding->options.secret)
        return fail(parameter->source, err,
                    "needs a request with a page_token, and a secret to make them with");
    parameter->kind = PARAMETER_PAGE_KEY;
    parameter->index = (unsigned)index;
    return 0;
}

static int field_compile(struct binding *binding, struct parameter *parameter, struct err *err)
{
    const char *name = parameter->source->name;
    const char *fault = location_resolve(binding->request, name, &parameter->location);
    if (!fault) {
        parameter->kind = parameter->location.oneof ? PARAMETER_ONEOF : PARAMETER_FIELD;
        binding->mask_whole |= parameter->location.field && parameter->location.field == binding->mask;
        return 0;
    }
    char path[256];
    size_t length = strlen(name);
    if (length > 5 && length < sizeof(path) && strcmp(name + length - 5, ".case") == 0) {
        memcpy(path, name, length - 5);
        path[length - 5] = '\0';
        if (!location_resolve(binding->request, path, &parameter->location) && parameter->location.oneof) {
            parameter->kind = PARAMETER_ONEOF_CASE;
            return 0;
        }
    }
    return fail(parameter->source, err, "%s of %s", fault, binding->request->name);
}

static int parameter_compile(struct binding *binding, struct parameter *parameter, bool replay, struct err *err)
{
    const char *name = parameter->source->name;
    const char *rest;
    if (strcmp(name, "tenant") == 0)
        parameter->kind = PARAMETER_TENANT;
    else if (strcmp(name, "actor") == 0)
        parameter->kind = PARAMETER_ACTOR;
    else if (strcmp(name, "now") == 0)
        parameter->kind = PARAMETER_NOW;
    else if (strcmp(name, "new_id") == 0)
        parameter->kind = PARAMETER_NEW_ID;
    else if (is_under(name, "new_id", &rest)) {
        int index = ordinal(rest, BINDING_NEW_IDS_MAX);
        if (index < 0)
            return fail(parameter->source, err, "is not one of :new_id.1 to :new_id.%d", BINDING_NEW_IDS_MAX);
        parameter->kind = PARAMETER_NEW_ID;
        parameter->index = (unsigned)index;
    } else if (is_under(name, "mask", &rest)) {
        parameter->kind = PARAMETER_MASK;
        return mask_compile(binding, parameter, rest, err);
    } else if (is_under(name, "patch", &rest)) {
        parameter->kind = PARAMETER_PATCH;
        return mask_compile(binding, parameter, rest, err);
    } else if (is_under(name, "page", &rest))
        return page_compile(binding, parameter, rest, err);
    else if (replay && strcmp(name, "replay.sequence") == 0)
        parameter->kind = PARAMETER_REPLAY_SEQUENCE;
    else
        return field_compile(binding, parameter, err);
    return 0;
}

int parameters_compile(struct binding *binding, struct bound_statement *bound, struct err *err)
{
    unsigned count = bound->sql->parameter_count;
    bool replay = bound >= binding->bound + binding->options.file->variant_count;
    bound->parameters = ARENA_ARRAY(&binding->arena, count, struct parameter);
    if (!bound->parameters)
        return err_set(err, ERR_INTERNAL);
    for (unsigned i = 0; i < count; i++) {
        bound->parameters[i].source = &bound->sql->parameters[i];
        if (parameter_compile(binding, &bound->parameters[i], replay, err) < 0)
            return -1;
    }
    return 0;
}

/* --- types --- */

/* What may stand where a value of the field is bound; ended by 0. */
static const uint32_t *scalar_types(const struct field_type *field, bool array)
{
    static const uint32_t text[] = {DB_TEXT,    DB_VARCHAR, DB_UUID, DB_DATE, DB_TIMESTAMPTZ,
                                    DB_NUMERIC, DB_INT8,    DB_INT4, 0};
    static const uint32_t texts[] = {DB_TEXT_ARRAY, TYPE_VARCHAR_ARRAY, DB_UUID_ARRAY, DB_DATE_ARRAY,
                                     DB_TIMESTAMPTZ_ARRAY, TYPE_NUMERIC_ARRAY, 0};
    static const uint32_t names[] = {DB_TEXT, DB_VARCHAR, 0};
    static const uint32_t names_array[] = {DB_TEXT_ARRAY, TYPE_VARCHAR_ARRAY, 0};
    static const uint32_t integers[] = {DB_INT4, DB_INT8, DB_INT2, DB_NUMERIC, DB_FLOAT8, 0};
    static const uint32_t integers_array[] = {DB_INT4_ARRAY, DB_INT8_ARRAY, TYPE_INT2_ARRAY, TYPE_NUMERIC_ARRAY,
                                              0};
    static const uint32_t reals[] = {DB_FLOAT8, DB_FLOAT4, DB_NUMERIC, 0};
    static const uint32_t reals_array[] = {DB_FLOAT8_ARRAY, TYPE_FLOAT4_ARRAY, TYPE_NUMERIC_ARRAY, 0};
    static const uint32_t booleans[] = {DB_BOOL, 0};
    static const uint32_t booleans_array[] = {DB_BOOL_ARRAY, 0};
    static const uint32_t bytes[] = {DB_BYTEA, 0};
    static const uint32_t bytes_array[] = {TYPE_BYTEA_ARRAY, 0};
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING:
        return array ? texts : text;
    case PROTOBUF_C_TYPE_ENUM:
        return array ? names_array : names;
    case PROTOBUF_C_TYPE_BOOL:
        return array ? booleans_array : booleans;
    case PROTOBUF_C_TYPE_BYTES:
        return array ? bytes_array : bytes;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return array ? reals_array : reals;
    default:
        return array ? integers_array : integers;
    }
}

static const uint32_t *field_types(const struct field_type *field)
{
    static const uint32_t json[] = {DB_JSONB, DB_JSON, 0};
    static const uint32_t time[] = {DB_TIMESTAMPTZ, 0};
    static const uint32_t times[] = {DB_TIMESTAMPTZ_ARRAY, 0};
    static const uint32_t interval[] = {TYPE_INTERVAL, 0};
    static const uint32_t texts[] = {DB_TEXT_ARRAY, 0};
    bool array = field_is_repeated(field);
    if (!field->message)
        return scalar_types(field, array);
    switch (field->message->kind) {
    case MESSAGE_TIMESTAMP:
        return array ? times : time;
    case MESSAGE_DURATION:
        return array ? json : interval;
    case MESSAGE_FIELD_MASK:
        return array ? json : texts;
    case MESSAGE_WRAPPER:
        return array ? json : scalar_types(&field->message->fields[0], false);
    case MESSAGE_PLAIN:
    default:
        return json;
    }
}

/* NULL: any type. */
static const uint32_t *parameter_types(const struct parameter *parameter)
{
    static const uint32_t json[] = {DB_JSONB, DB_JSON, 0};
    static const uint32_t text[] = {DB_TEXT, DB_VARCHAR, 0};
    static const uint32_t id[] = {DB_UUID, DB_TEXT, 0};
    static const uint32_t time[] = {DB_TIMESTAMPTZ, 0};
    static const uint32_t boolean[] = {DB_BOOL, 0};
    static const uint32_t integer[] = {DB_INT8, DB_INT4, 0};
    switch (parameter->kind) {
    case PARAMETER_FIELD:
        return field_types(parameter->location.field);
    case PARAMETER_ONEOF:
    case PARAMETER_PATCH:
        return json;
    case PARAMETER_ONEOF_CASE:
        return text;
    case PARAMETER_TENANT:
    case PARAMETER_ACTOR:
    case PARAMETER_NEW_ID:
        return id;
    case PARAMETER_NOW:
        return time;
    case PARAMETER_MASK:
        return boolean;
    case PARAMETER_PAGE_LIMIT:
    case PARAMETER_REPLAY_SEQUENCE:
        return integer;
    case PARAMETER_PAGE_KEY:
    default:
        return NULL;
    }
}

int parameters_describe(struct bound_statement *bound, const struct db_description *description,
                        struct err *err)
{
    for (unsigned i = 0; i < bound->sql->parameter_count; i++) {
        struct parameter *parameter = &bound->parameters[i];
        uint32_t type = i < description->parameter_count ? description->parameter_types[i] : 0;
        const uint32_t *accepted = parameter_types(parameter);
        bool fits = !accepted;
        char names[160];
        struct buf expected;
        buf_init_fixed(&expected, names, sizeof(names));
        for (; accepted && *accepted; accepted++) {
            buf_printf(&expected, "%s%s", expected.length ? ", " : "", type_name(*accepted));
            fits |= *accepted == type;
        }
        if (!fits)
            return fail(parameter->source, err, "is used as %s, but fits only: %s", type_name(type), names);
        __atomic_store_n(&parameter->type, type, __ATOMIC_RELAXED);
    }
    return 0;
}
