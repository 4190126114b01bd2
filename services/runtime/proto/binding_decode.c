/* binding_decode.c: rows into a response, by the plan made for the statement. */
#include "binding_plan.h"

#include <string.h>

#include <isms/obs/log.h>
#include <isms/proto/json.h>
#include <isms/proto/message.h>

struct decoder {
    const struct binding *binding;
    const struct column_plan *plan;
    const struct db_result *result;
    struct arena *arena;
    struct err *err;
};

static int misfit(struct decoder *decoder, const struct column *column)
{
    if (arena_exhausted(decoder->arena))
        return err_set(decoder->err, ERR_MESSAGE_TOO_LARGE);
    return err_setf(decoder->err, ERR_INTERNAL, "A stored value of %s does not fit the answer's %s.",
                    decoder->binding->response->name, column->name);
}

/* The message that holds the column's field, made where it is not there; NULL: not this oneof case. */
static ProtobufCMessage *parent_make(struct decoder *decoder, const struct column *column,
                                     ProtobufCMessage *message, bool *ret_skip)
{
    const struct location *location = &column->location;
    *ret_skip = false;
    for (unsigned i = 0; i <= location->hop_count; i++) {
        const struct field_type *next = i < location->hop_count ? location->hops[i] : location->field;
        if (column->guarded & 1u << i && *QUANTIFIER(message, next, uint32_t) != next->descriptor->id) {
            *ret_skip = true;
            return NULL;
        }
        if (i == location->hop_count)
            break;
        message = field_submessage(next, message, decoder->arena);
        if (!message)
            return NULL;
    }
    return message;
}

/* A one-dimensional array in binary form; NULL elements are left out. */
static int array_read(struct decoder *decoder, const struct column *column, const char *data, size_t length,
                      ProtobufCMessage *parent)
{
    if (length < 12)
        return -1;
    uint64_t dimensions = number_of(data, 4);
    if (dimensions == 0)
        return 0;
    if (dimensions != 1 || length < 20)
        return -1;
    size_t count = (size_t)number_of(data + 12, 4);
    const char *at = data + 20;
    size_t left = length - 20;
    if (count > left / 4) /* every element has a length of four bytes */
        return -1;
    size_t size = field_size(column->field);
    char *items = arena_alloc_array(decoder->arena, count, size);
    size_t used = 0;
    for (size_t i = 0; items && i < count; i++) {
        if (left < 4)
            return -1;
        int64_t element = integer_of(at, 4);
        at += 4;
        left -= 4;
        if (element < 0)
            continue;
        if ((size_t)element > left ||
            column->read(column->field, at, (size_t)element, decoder->arena, items + used++ * size) < 0)
            return -1;
        at += element;
        left -= (size_t)element;
    }
    if (!items)
        return -1;
    *MEMBER(parent, column->field, void *) = items;
    *QUANTIFIER(parent, column->field, size_t) = used;
    return 0;
}

static int json_column_read(struct decoder *decoder, const struct column *column, const char *data,
                            size_t length, ProtobufCMessage *parent)
{
    struct err problem = {0};
    if (column->type == DB_JSONB) { /* a version byte first */
        if (length < 1 || *data != 1)
            return -1;
        data++;
        length--;
    }
    int result =
        column->kind == COLUMN_JSON
            ? json_read_field(column->location.field, parent, data, length, true, decoder->arena, &problem)
            : json_read_into(column->location.parent, parent, data, length, true, decoder->arena, &problem);
    if (result < 0 && problem.violation_count > 0) /* what it says is about the form, and holds nothing of the value */
        LOG(ERROR, "a stored value does not fit", LOG_STR("message", decoder->binding->response->name),
            LOG_STR("field", problem.violations[0].field), LOG_STR("problem", problem.violations[0].description));
    return result;
}

static int case_read(struct decoder *decoder, const struct column *column, const char *data, size_t length,
                     ProtobufCMessage *parent)
{
    const struct message_type *type = column->location.parent;
    if (length == 0)
        return 0;
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *field = &type->fields[i];
        if (!field->oneof || strcmp(field->oneof, column->location.oneof) != 0 ||
            strlen(field->name) != length || memcmp(field->name, data, length) != 0)
            continue;
        if (field->message)
            return field_submessage(field, parent, decoder->arena) ? 0 : -1;
        field_choose(field, parent);
        return 0;
    }
    return -1;
}

/* A scalar, into its member or into the wrapper around it. */
static int value_read(struct decoder *decoder, const struct column *column, const char *data, size_t length,
                      ProtobufCMessage *parent)
{
    const struct field_type *field = column->location.field;
    if (column->field != field) {
        parent = field_submessage(field, parent, decoder->arena);
        return parent ? column->read(column->field, data, length, decoder->arena,
                                     MEMBER(parent, column->field, char))
                      : -1;
    }
    uint64_t slot[2] = {0}; /* a union may hold another member: read beside it */
    if (column->read(field, data, length, decoder->arena, slot) < 0)
        return -1;
    memcpy(MEMBER(parent, field, char), slot, field_size(field));
    field_choose(field, parent);
    return 0;
}

static int column_decode(struct decoder *decoder, const struct column *column, unsigned row,
                         ProtobufCMessage *message)
{
    size_t length;
    if (db_result_is_null(decoder->result, row, column->index))
        return 0;
    const char *data = db_result_data(decoder->result, row, column->index, &length);
    char *text;
    if (column->type == DB_NUMERIC) {
        if (!db_result_text(decoder->result, row, column->index, decoder->arena, &text) || !text)
            return misfit(decoder, column);
        data = text;
        length = strlen(text);
    }
    bool skip;
    ProtobufCMessage *parent = parent_make(decoder, column, message, &skip);
    if (!parent)
        return skip ? 0 : misfit(decoder, column);
    int result;
    switch (column->kind) {
    case COLUMN_ONEOF_CASE:
        result = case_read(decoder, column, data, length, parent);
        break;
    case COLUMN_ONEOF_JSON:
    case COLUMN_JSON:
        result = json_column_read(decoder, column, data, length, parent);
        break;
    case COLUMN_ARRAY:
        result = array_read(decoder, column, data, length, parent);
        break;
    case COLUMN_VALUE:
    case COLUMN_NUMERIC:
    case COLUMN_TOTAL:
    default:
        result = value_read(decoder, column, data, length, parent);
        break;
    }
    return result < 0 ? misfit(decoder, column) : 0;
}

/* `total`: the columns that belong to the list around the items, instead of those of the item. */
static int row_decode(struct decoder *decoder, unsigned row, bool total, ProtobufCMessage *message)
{
    for (unsigned i = 0; i < decoder->plan->column_count; i++) {
        const struct column *column = &decoder->plan->columns[i];
        if ((column->kind == COLUMN_TOTAL) == total && column_decode(decoder, column, row, message) < 0)
            return -1;
    }
    return 0;
}

static bool text_get(struct decoder *decoder, unsigned row, int index, char **ret_text)
{
    *ret_text = NULL;
    if (index < 0 || db_result_is_null(decoder->result, row, (unsigned)index))
        return true;
    size_t length;
    const char *data = db_result_data(decoder->result, row, (unsigned)index, &length);
    *ret_text = arena_strndup(decoder->arena, data, length);
    return *ret_text != NULL;
}

/* -1 with the outcome's reason and facts; 0: there is none. */
static int outcome_decode(struct decoder *decoder)
{
    char *name;
    if (!text_get(decoder, 0, decoder->plan->outcome, &name))
        return err_set(decoder->err, ERR_MESSAGE_TOO_LARGE);
    if (!name || !*name)
        return 0;
    enum err_reason reason = err_reason_from_name(name);
    if (reason == ERR_OK)
        return err_setf(decoder->err, ERR_INTERNAL, "There is no outcome %s.", name);
    err_set(decoder->err, reason);
    for (unsigned i = 0; i < decoder->plan->fact_count; i++) {
        char *fact;
        if (text_get(decoder, 0, (int)decoder->plan->facts[i].index, &fact) && fact)
            err_fact(decoder->err, decoder->plan->facts[i].name, "%s", fact);
    }
    return -1;
}

static int next_page_make(struct decoder *decoder, const ProtobufCMessage *request,
                          const struct binding_call *call, unsigned last_row, ProtobufCMessage *response)
{
    struct page_keys keys = {.count = decoder->plan->page_count};
    for (unsigned i = 0; i < keys.count; i++) {
        char *text;
        if (!text_get(decoder, last_row, decoder->plan->pages[i], &text))
            return err_set(decoder->err, ERR_MESSAGE_TOO_LARGE);
        keys.values[i] = text;
    }
    struct page_scope scope;
    char *token;
    if (page_scope_make(decoder->binding, request, call, decoder->arena, &scope, decoder->err) < 0 ||
        page_token_make(decoder->binding->options.secret, &scope, &keys, decoder->arena, &token, decoder->err) <
            0)
        return -1;
    *MEMBER(response, decoder->binding->next_page_token, char *) = token;
    return 0;
}

static int list_decode(struct decoder *decoder, const ProtobufCMessage *request,
                       const struct binding_call *call, ProtobufCMessage *response)
{
    const struct binding *binding = decoder->binding;
    unsigned rows = db_result_rows(decoder->result);
    unsigned shown = binding->pages && rows > (unsigned)call->page_limit ? (unsigned)call->page_limit : rows;
    ProtobufCMessage **items = ARENA_ARRAY(decoder->arena, shown, ProtobufCMessage *);
    if (!items)
        return err_set(decoder->err, ERR_MESSAGE_TOO_LARGE);
    for (unsigned i = 0; i < shown; i++) {
        items[i] = message_new(binding->list->message->descriptor, decoder->arena);
        if (!items[i])
            return err_set(decoder->err, ERR_MESSAGE_TOO_LARGE);
        if (row_decode(decoder, i, false, items[i]) < 0)
            return -1;
    }
    *MEMBER(response, binding->list, ProtobufCMessage **) = items;
    *QUANTIFIER(response, binding->list, size_t) = shown;
    if (rows > 0 && row_decode(decoder, 0, true, response) < 0)
        return -1;
    bool more = rows > shown && shown > 0 && decoder->plan->page_count > 0;
    return more ? next_page_make(decoder, request, call, shown - 1, response) : 0;
}

/* The result has the columns the plan was made for: a migration may have come in between. */
static bool plan_fits(const struct column_plan *plan, const struct db_result *result)
{
    if (!plan || db_result_columns(result) != plan->result_columns)
        return false;
    for (unsigned i = 0; i < plan->result_columns; i++)
        if (db_result_type(result, i) != plan->types[i])
            return false;
    return true;
}

int columns_decode(const struct binding *binding, const struct bound_statement *bound,
                   const ProtobufCMessage *request, const struct binding_call *call,
                   const struct db_result *result, struct arena *arena, ProtobufCMessage **ret_response,
                   struct err *err)
{
    struct decoder decoder = {.binding = binding,
                              .plan = __atomic_load_n(&bound->plan, __ATOMIC_ACQUIRE),
                              .result = result,
                              .arena = arena,
                              .err = err};
    if (!plan_fits(decoder.plan, result))
        return err_setf(err, ERR_INTERNAL, "The statement's columns are not the ones described.");
    unsigned rows = db_result_rows(result);
    if (rows > 0 && outcome_decode(&decoder) < 0)
        return -1;
    if (rows == 0 && !binding->list && !(binding->is_empty && decoder.plan->result_columns == 0))
        return err_set(err, ERR_NOT_FOUND);
    if (rows > 1 && !binding->list && !binding->is_empty)
        return err_setf(err, ERR_INTERNAL, "The statement gave more than one row.");

    ProtobufCMessage *response = message_new(binding->response->descriptor, arena);
    if (!response)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (binding->list ? list_decode(&decoder, request, call, response) < 0
                      : !binding->is_empty && row_decode(&decoder, 0, false, response) < 0)
        return -1;
    *ret_response = response;
    return 0;
}
