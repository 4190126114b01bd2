/* binding.c: what a binding is made of, and the choice of its variant.
 *
 * The request's own fields steer it by their names (AIP-158, AIP-132, AIP-134): page_size, page_token, order_by
 * and the FieldMask. Mask paths that no parameter of the statement speaks of are refused rather than
 * ignored: the caller would believe that something was changed. */
#include "binding_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/proto/mask.h>
#include <isms/proto/message.h>

enum { ARENA_MAX = 16 * 1024 * 1024 };

static int PRINTF_LIKE(3, 4) fail(const struct binding *binding, struct err *err, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_setf(err, ERR_INTERNAL, "%s.sql: %s", binding->options.file->name, text);
}

static int types_find(struct binding *binding, struct err *err)
{
    const struct binding_options *options = &binding->options;
    const struct sql_file *file = options->file;
    if (options->request && file->request)
        return fail(binding, err,
                    "implements a method, whose types are the method's: remove --@request and --@response");
    binding->request = options->request;
    binding->response = options->response;
    if (!options->request) {
        if (!file->request)
            return fail(binding, err,
                        "is no method of the service, so it must begin with --@request and --@response");
        binding->request = descriptors_message(options->descriptors, file->request);
        binding->response = descriptors_message(options->descriptors, file->response);
    }
    if (!binding->request || !binding->response)
        return fail(binding, err, "there is no message %s", binding->request ? file->response : file->request);
    return 0;
}

static const struct field_type *field_of(const struct message_type *type, const char *name,
                                         ProtobufCType scalar)
{
    const struct field_type *field = message_type_field(type, name);
    return field && field->descriptor->type == scalar && !field_is_repeated(field) ? field : NULL;
}

/* A list response: one repeated message, and beside it nothing but the token and the total. */
static void response_look(struct binding *binding)
{
    const struct message_type *type = binding->response;
    binding->is_empty = strcmp(type->name, "google.protobuf.Empty") == 0;
    binding->next_page_token = field_of(type, "next_page_token", PROTOBUF_C_TYPE_STRING);
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *field = &type->fields[i];
        if (field == binding->next_page_token)
            continue;
        if (strcmp(field->name, "total") == 0 || strcmp(field->name, "total_size") == 0) {
            binding->total = field_is_repeated(field) || field->message ? NULL : field;
            continue;
        }
        bool items = field_is_repeated(field) && field->message && !field->is_map && !binding->list;
        if (!items) {
            binding->list = NULL;
            break;
        }
        binding->list = field;
    }
    if (!binding->list)
        binding->total = NULL;
}

static void request_look(struct binding *binding)
{
    const struct message_type *type = binding->request;
    binding->order_by = field_of(type, "order_by", PROTOBUF_C_TYPE_STRING);
    binding->page_size = field_of(type, "page_size", PROTOBUF_C_TYPE_INT32);
    binding->page_token = field_of(type, "page_token", PROTOBUF_C_TYPE_STRING);
    binding->mask = request_mask(type);
    binding->resource = request_resource(type);
}

static int conditions_compile(struct binding *binding, struct err *err)
{
    const struct sql_file *file = binding->options.file;
    for (unsigned i = 0; i < file->condition_count; i++) {
        const struct sql_condition *condition = &file->conditions[i];
        const char *fault = location_resolve(binding->request, condition->field, &binding->conditions[i]);
        if (fault)
            return err_setf(err, ERR_INTERNAL, "%s.sql:%u: --@if %s %s of %s", condition->file, condition->line,
                            condition->field, fault, binding->request->name);
    }
    if (file->order_count && !binding->order_by)
        return fail(binding, err, "has --@order, but %s has no string order_by", binding->request->name);
    return 0;
}

static int statements_compile(struct binding *binding, struct err *err)
{
    const struct sql_file *file = binding->options.file;
    unsigned replays = file->answer_table ? file->variant_count : 0;
    binding->statement_count = file->variant_count + replays;
    binding->bound = ARENA_ARRAY(&binding->arena, binding->statement_count, struct bound_statement);
    binding->statements = ARENA_ARRAY(&binding->arena, binding->statement_count, struct db_statement);
    if (!binding->bound || !binding->statements)
        return err_set(err, ERR_INTERNAL);
    for (unsigned i = 0; i < binding->statement_count; i++) {
        bool replay = i >= file->variant_count;
        const struct sql_variant *variant = &file->variants[replay ? i - file->variant_count : i];
        struct bound_statement *bound = &binding->bound[i];
        bound->sql = replay ? &variant->replay : &variant->statement;
        binding->statements[i].sql = bound->sql->sql;
        binding->statements[i].name = arena_printf(
            &binding->arena, "%s.%s.%u%s", binding->options.prefix ? binding->options.prefix : "sql",
            file->name, replay ? i - file->variant_count : i, replay ? ".replay" : "");
        if (!binding->statements[i].name)
            return err_set(err, ERR_INTERNAL);
        if (parameters_compile(binding, bound, err) < 0)
            return -1;
    }
    if (binding->mask && binding->mask_parameter_count == 0 && !binding->mask_whole)
        return fail(binding, err, "has a request with an update mask, but no parameter that takes it");
    if (binding->pages && binding->list && binding->next_page_token && !binding->options.secret)
        return fail(binding, err, "needs a secret to make page tokens with");
    return 0;
}

int binding_new(const struct binding_options *options, struct binding **ret_binding, struct err *err)
{
    struct binding *binding CLEANUP(binding_freep) = calloc(1, sizeof(*binding));
    if (!binding)
        return err_set(err, ERR_INTERNAL);
    arena_init(&binding->arena, ARENA_MAX);
    binding->options = *options;
    if (types_find(binding, err) < 0)
        return -1;
    response_look(binding);
    request_look(binding);
    if (conditions_compile(binding, err) < 0 || statements_compile(binding, err) < 0)
        return -1;
    *ret_binding = binding;
    binding = NULL;
    return 0;
}

void binding_free(struct binding *binding)
{
    if (!binding)
        return;
    for (unsigned i = 0; binding->bound && i < binding->statement_count; i++)
        columns_free(&binding->bound[i]);
    arena_release(&binding->arena);
    free(binding);
}

void binding_freep(struct binding **binding)
{
    binding_free(*binding);
}

const struct db_statement *binding_statements(const struct binding *binding, unsigned *ret_count)
{
    *ret_count = binding->statement_count;
    return binding->statements;
}

const struct db_statement *binding_statement(const struct binding *binding, const struct binding_call *call)
{
    return &binding->statements[call->variant];
}

const struct db_statement *binding_replay(const struct binding *binding, const struct binding_call *call)
{
    const struct sql_file *file = binding->options.file;
    return file->answer_table ? &binding->statements[file->variant_count + call->variant] : NULL;
}

static struct bound_statement *bound_of(const struct binding *binding, bool replay,
                                        const struct binding_call *call)
{
    return &binding->bound[call->variant + (replay ? binding->options.file->variant_count : 0)];
}

int binding_describe(struct binding *binding, unsigned index, const struct db_description *description,
                     struct err *err)
{
    struct bound_statement *bound = &binding->bound[index];
    if (parameters_describe(bound, description, err) < 0)
        return -1;
    return columns_describe(binding, bound, description, err);
}

int binding_describe_all(struct binding *binding, struct db_connection *connection, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, ARENA_MAX);
    for (unsigned i = 0; i < binding->statement_count; i++) {
        struct db_description description;
        arena_clear(&arena);
        if (db_describe(connection, &binding->statements[i], &arena, &description, err) < 0 ||
            binding_describe(binding, i, &description, err) < 0)
            return -1;
    }
    return 0;
}

/* --- the choice --- */

int page_scope_make(const struct binding *binding, const ProtobufCMessage *request,
                    const struct binding_call *call, struct arena *arena, struct page_scope *ret_scope,
                    struct err *err)
{
    struct page_scope scope = {.tenant = call->tenant,
                               .method = binding->options.scope ? binding->options.scope
                                                                : binding->options.file->name,
                               .now_us = call->now_us};
    if (message_hash(binding->request, request, arena, &scope.query, err) < 0)
        return -1;
    *ret_scope = scope;
    return 0;
}

static bool condition_holds(const struct location *location, const ProtobufCMessage *request)
{
    const ProtobufCMessage *parent = location_find(location, request);
    if (!parent)
        return false;
    if (location->field)
        return field_is_set(location->field, parent);
    for (unsigned i = 0; i < location->parent->field_count; i++) {
        const struct field_type *field = &location->parent->fields[i];
        if (field->oneof && strcmp(field->oneof, location->oneof) == 0 && field_is_set(field, parent))
            return true;
    }
    return false;
}

static int order_choose(const struct binding *binding, const ProtobufCMessage *request, unsigned *ret_order,
                        struct err *err)
{
    const struct sql_file *file = binding->options.file;
    const char *wanted = binding->order_by ? *MEMBER(request, binding->order_by, char *) : NULL;
    if (!wanted || !*wanted) {
        *ret_order = 0;
        return 0;
    }
    for (unsigned i = 0; i < file->order_count; i++)
        if (strcmp(file->orders[i], wanted) == 0) {
            *ret_order = i;
            return 0;
        }
    err_set(err, ERR_ORDER_UNSUPPORTED);
    for (unsigned i = 0; i < file->order_count; i++) {
        char key[24];
        snprintf(key, sizeof(key), "order.%u", i + 1);
        err_fact(err, key, "%s", file->orders[i]);
    }
    return -1;
}

static int page_choose(const struct binding *binding, const ProtobufCMessage *request,
                       struct binding_call *call, struct arena *arena, struct err *err)
{
    int size = binding->page_size ? *MEMBER(request, binding->page_size, int32_t) : 0;
    if (size < 0)
        return err_field(err, "page_size", "is negative");
    call->page_limit = size == 0 ? BINDING_PAGE_DEFAULT : size < BINDING_PAGE_MAX ? size : BINDING_PAGE_MAX;
    call->page.count = 0;
    const char *token = binding->page_token ? *MEMBER(request, binding->page_token, char *) : NULL;
    if (!token || !*token)
        return 0;
    if (!binding->options.secret)
        return err_set(err, ERR_PAGE_TOKEN_INVALID);
    struct page_scope scope;
    if (page_scope_make(binding, request, call, arena, &scope, err) < 0)
        return -1;
    return page_token_check(binding->options.secret, &scope, token, arena, &call->page, err);
}

/* `above` ends where the rest of `path` begins; NULL: the path does not lie within. */
static const char *rest_within(const char *path, const char *above)
{
    size_t length = strlen(above);
    if (length == 0)
        return path;
    if (strncmp(path, above, length) != 0 || (path[length] && path[length] != '.'))
        return NULL;
    return path[length] ? path + length + 1 : path + length;
}

/* The parameter brings the change of `path` into the statement, and no more than it. */
static bool parameter_serves(const struct parameter *parameter, const char *path)
{
    const char *rest = rest_within(path, parameter->path);
    if (parameter->location.oneof) {
        const struct field_type *member =
            rest && *rest ? message_type_field(parameter->location.parent, rest) : NULL;
        return member && member->oneof && strcmp(member->oneof, parameter->location.oneof) == 0;
    }
    if (rest && !*rest)
        return true;
    if (rest)
        return parameter->kind == PARAMETER_PATCH && !strchr(rest, '.');
    return rest_within(parameter->path, path) != NULL;
}

static int mask_choose(const struct binding *binding, const ProtobufCMessage *request, struct err *err)
{
    if (!binding->mask || !binding->resource)
        return 0;
    const Google__Protobuf__FieldMask *mask = *MEMBER(request, binding->mask, Google__Protobuf__FieldMask *);
    if (mask_check(binding->resource->message, mask, "update_mask", err) < 0)
        return -1;
    for (size_t i = 0; !mask_is_all(mask) && i < mask->n_paths; i++) {
        bool served = binding->mask_whole;
        for (unsigned j = 0; !served && j < binding->mask_parameter_count; j++)
            served = parameter_serves(binding->mask_parameters[j], mask->paths[i]);
        if (served)
            continue;
        err_set(err, ERR_FIELD_INVALID);
        err_field(err, "update_mask", "'%s' cannot be changed on its own here", mask->paths[i]);
        err->reason = ERR_MASK_INVALID;
        snprintf(err->message, sizeof(err->message), "%s", err_reason_text(ERR_MASK_INVALID));
        return -1;
    }
    return 0;
}

int binding_select(const struct binding *binding, const ProtobufCMessage *request, struct binding_call *call,
                   struct arena *arena, struct err *err)
{
    unsigned order;
    struct err found = {0};
    if (order_choose(binding, request, &order, &found) < 0 ||
        page_choose(binding, request, call, arena, &found) < 0 || mask_choose(binding, request, &found) < 0) {
        *err = found;
        return -1;
    }
    unsigned conditions = 0;
    for (unsigned i = 0; i < binding->options.file->condition_count; i++)
        if (condition_holds(&binding->conditions[i], request))
            conditions |= 1u << i;
    call->variant = order << binding->options.file->condition_count | conditions;
    return 0;
}

int binding_encode(const struct binding *binding, bool replay, const ProtobufCMessage *request,
                   struct binding_call *call, struct arena *arena, struct db_value **ret_values, int *ret_count,
                   struct err *err)
{
    const struct bound_statement *bound = bound_of(binding, replay, call);
    struct db_value *values = ARENA_ARRAY(arena, bound->sql->parameter_count, struct db_value);
    if (!values)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (parameters_encode(binding, bound, request, call, arena, values, err) < 0)
        return -1;
    *ret_values = values;
    *ret_count = (int)bound->sql->parameter_count;
    return 0;
}

int binding_decode(const struct binding *binding, bool replay, const ProtobufCMessage *request,
                   const struct binding_call *call, const struct db_result *result, struct arena *arena,
                   ProtobufCMessage **ret_response, struct err *err)
{
    return columns_decode(binding, bound_of(binding, replay, call), request, call, result, arena, ret_response,
                          err);
}

const struct sql_file *binding_file(const struct binding *binding)
{
    return binding->options.file;
}

const struct message_type *binding_request(const struct binding *binding)
{
    return binding->request;
}

const struct message_type *binding_response(const struct binding *binding)
{
    return binding->response;
}
