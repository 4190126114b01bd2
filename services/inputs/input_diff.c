/* input_diff.c: a walk down two JSON values at once.
 *
 * The walk ends at single values; their texts are compared, and where they differ the path is written out. An absent
 * value, null and "" are one here, as they are in proto3. */
#include "input_diff.h"

#include <string.h>

#include <jansson.h>

#include <isms/base/buf.h>
#include <isms/base/canonical.h>

enum { FIELDS_MAX = 20000, PATH_MAX_BYTES = 1000 };

/* Changed by every write, or told by the operation. */
static const char *const unsaid[] = {"tenant_id",   "revision",    "create_time", "update_time",
                                     "delete_time", "detail",      NULL};

struct walk {
    struct arena *arena;
    Isms__Inputs__V1__FieldChange **fields;
    size_t count;
    size_t capacity;
    char path[PATH_MAX_BYTES];
    struct err *err;
};

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "A change is too large to be told field by field.");
}

static void json_release(json_t **value)
{
    json_decref(*value);
}

/* A single value as text; "" for what is not there. */
static char *text_of(struct walk *walk, const json_t *value)
{
    if (!value || json_is_null(value))
        return arena_strdup(walk->arena, "");
    if (json_is_string(value))
        return arena_strndup(walk->arena, json_string_value(value), json_string_length(value));
    char text[64];
    struct buf buf;
    buf_init_fixed(&buf, text, sizeof(text));
    return canonical_append(&buf, value, walk->err) < 0 ? NULL : arena_strndup(walk->arena, buf.data, buf.length);
}

static int field_add(struct walk *walk, const json_t *before, const json_t *after)
{
    char *from = text_of(walk, before);
    char *to = text_of(walk, after);
    if (!from || !to)
        return walk->err->reason ? -1 : no_memory(walk->err);
    if (strcmp(from, to) == 0)
        return 0;
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity ? walk->capacity * 2 : 16;
        Isms__Inputs__V1__FieldChange **fields =
            ARENA_ARRAY(walk->arena, capacity, Isms__Inputs__V1__FieldChange *);
        if (!fields || capacity > FIELDS_MAX)
            return no_memory(walk->err);
        if (walk->count)
            memcpy(fields, walk->fields, walk->count * sizeof(*fields));
        walk->fields = fields;
        walk->capacity = capacity;
    }
    Isms__Inputs__V1__FieldChange *field = ARENA_NEW(walk->arena, Isms__Inputs__V1__FieldChange);
    char *path = arena_strdup(walk->arena, walk->path);
    if (!field || !path)
        return no_memory(walk->err);
    isms__inputs__v1__field_change__init(field);
    field->path = path;
    field->from = from;
    field->to = to;
    walk->fields[walk->count++] = field;
    return 0;
}

static int value_walk(struct walk *walk, const json_t *before, const json_t *after);

/* value_walk() one step further down; the path is as it was afterwards. */
static int PRINTF_LIKE(4, 5)
    step_walk(struct walk *walk, const json_t *before, const json_t *after, const char *format, ...)
{
    size_t length = strlen(walk->path);
    struct buf buf;
    buf_init_fixed(&buf, walk->path + length, sizeof(walk->path) - length);
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(&buf, format, arguments);
    va_end(arguments);
    int result = value_walk(walk, before, after);
    walk->path[length] = '\0';
    return result;
}

static int member_walk(struct walk *walk, const char *name, const json_t *before, const json_t *after)
{
    return step_walk(walk, before, after, *walk->path ? ".%s" : "%s", name);
}

static int object_walk(struct walk *walk, const json_t *before, const json_t *after)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)after, name, value)
        if (member_walk(walk, name, json_object_get(before, name), value) < 0)
            return -1;
    json_object_foreach((json_t *)(uintptr_t)before, name, value)
        if (!json_object_get(after, name) && member_walk(walk, name, value, NULL) < 0)
            return -1;
    return 0;
}

static int array_walk(struct walk *walk, const json_t *before, const json_t *after)
{
    size_t before_count = json_array_size(before);
    size_t after_count = json_array_size(after);
    size_t least = before_count < after_count ? before_count : after_count;
    size_t head = 0;
    size_t tail = 0;
    while (head < least && json_equal(json_array_get(before, head), json_array_get(after, head)))
        head++;
    while (tail < least - head && json_equal(json_array_get(before, before_count - 1 - tail),
                                             json_array_get(after, after_count - 1 - tail)))
        tail++;
    for (size_t i = head; i < before_count - tail || i < after_count - tail; i++) {
        const json_t *old_item = i < before_count - tail ? json_array_get(before, i) : NULL;
        const json_t *new_item = i < after_count - tail ? json_array_get(after, i) : NULL;
        if (step_walk(walk, old_item, new_item, "[%zu]", i) < 0)
            return -1;
    }
    return 0;
}

static bool is_single(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

/* Either may be NULL: nothing there. Values of different sorts are what was removed and what was added. */
static int value_walk(struct walk *walk, const json_t *before, const json_t *after)
{
    if (is_single(before) && is_single(after))
        return field_add(walk, before, after);
    if (before && after && json_typeof(before) != json_typeof(after))
        return value_walk(walk, before, NULL) < 0 ? -1 : value_walk(walk, NULL, after);
    return json_is_object(before ? before : after) ? object_walk(walk, before, after)
                                                   : array_walk(walk, before, after);
}

static json_t *row_read(const char *content, struct err *err)
{
    json_t *row = json_loads(content, 0, NULL);
    if (!json_is_object(row)) {
        json_decref(row);
        err_set(err, ERR_DATA_CORRUPT);
        return NULL;
    }
    return row;
}

static bool is_deleted(const json_t *row)
{
    const json_t *time = json_object_get(row, "delete_time");
    return time && !json_is_null(time);
}

static Isms__Inputs__V1__InputChange__Operation operation_of(const json_t *before, const json_t *after)
{
    if (!before)
        return ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_CREATED;
    if (is_deleted(before) == is_deleted(after))
        return ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_UPDATED;
    return is_deleted(after) ? ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_DELETED
                             : ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_UNDELETED;
}

/* The row's columns without those that are not told; the detail's member stands among them, as it does in an Input. */
static json_t *told_part(json_t *row)
{
    json_t *told = json_copy(row);
    json_t *detail = json_object_get(row, "detail");
    if (!told || (detail && json_object_update(told, detail) < 0)) {
        json_decref(told);
        return NULL;
    }
    for (const char *const *name = unsaid; *name; name++)
        json_object_del(told, *name);
    return told;
}

int input_diff(const char *before, const char *after, struct arena *arena, struct input_diff *ret_diff,
               struct err *err)
{
    CLEANUP(json_release) json_t *old_row = *before ? row_read(before, err) : NULL;
    CLEANUP(json_release) json_t *new_row = row_read(after, err);
    if ((*before && !old_row) || !new_row)
        return -1;
    CLEANUP(json_release) json_t *old_told = old_row ? told_part(old_row) : NULL;
    CLEANUP(json_release) json_t *new_told = told_part(new_row);
    if ((old_row && !old_told) || !new_told)
        return no_memory(err);
    struct walk walk = {.arena = arena, .err = err};
    if (object_walk(&walk, old_told, new_told) < 0)
        return -1;
    *ret_diff = (struct input_diff){
        .operation = operation_of(old_row, new_row), .count = walk.count, .fields = walk.fields};
    return 0;
}
