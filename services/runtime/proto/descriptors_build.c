/* descriptors_build.c: joins the descriptor set with protobuf-c's tables, and checks the rules at start.
 *
 * protobuf-c knows where a field lies in its struct; only the descriptor set knows JSON names, oneofs, maps,
 * streaming and our options. The options arrive as unknown fields of the standard option messages, since
 * descriptor.proto does not declare them; their payloads are unpacked with the generated code. Both sides
 * come out of one build: where they disagree, the start fails. */
#include <isms/proto/descriptors.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

#include <isms/base/bug.h>

#include "internal.h"

enum { OPTION_NUMBER = 50301, ARENA_MAX = 64 * 1024 * 1024, PATTERNS_MAX = 512 };

typedef Google__Protobuf__FileDescriptorSet file_set;
typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Google__Protobuf__FieldDescriptorProto field_proto;
typedef Google__Protobuf__EnumDescriptorProto enum_proto;
typedef Google__Protobuf__ServiceDescriptorProto service_proto;
typedef Isms__Options__V1__FieldRules field_rules;
typedef Isms__Options__V1__MethodRules method_rules;

/* What is being read, for messages and for the growing tables. */
struct build {
    struct descriptors *descriptors;
    const struct descriptors_source *source;
    const file_set *set;
    struct proto_file *file;
    unsigned symbol_max;
    unsigned method_max;
    unsigned service_max;
    unsigned extension_max;
    struct err *err;
};

static const field_rules no_field_rules = ISMS__OPTIONS__V1__FIELD_RULES__INIT;
static const method_rules no_method_rules = ISMS__OPTIONS__V1__METHOD_RULES__INIT;

static int PRINTF_LIKE(3, 4) build_fail(struct build *build, const char *what, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_setf(build->err, ERR_INTERNAL, "%s: %s: %s", build->file ? build->file->name : "descriptors",
                    what, text);
}

static const char *name_join(struct build *build, const char *scope, const char *name)
{
    return *scope ? arena_printf(&build->descriptors->arena, "%s.%s", scope, name)
                  : arena_strdup(&build->descriptors->arena, name);
}

static void symbol_add(struct build *build, const char *name)
{
    struct descriptors *descriptors = build->descriptors;
    BUG_IF(descriptors->symbol_count == build->symbol_max);
    descriptors->symbols[descriptors->symbol_count++] = (struct symbol){.name = name, .file = build->file};
}

/* The payloads of our option among the unknown fields, one after the other: that is how protobuf merges. */
static struct slice option_payload(struct build *build, const ProtobufCMessage *options)
{
    size_t total = 0;
    for (unsigned i = 0; i < options->n_unknown_fields; i++)
        if (options->unknown_fields[i].tag == OPTION_NUMBER)
            total += options->unknown_fields[i].len;
    if (total == 0)
        return (struct slice){0};
    char *bytes = arena_alloc(&build->descriptors->arena, total);
    size_t length = 0;
    for (unsigned i = 0; bytes && i < options->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *unknown = &options->unknown_fields[i];
        if (unknown->tag != OPTION_NUMBER || unknown->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            continue;
        size_t prefix = 0;
        while (prefix < unknown->len && unknown->data[prefix] & 0x80)
            prefix++;
        prefix++; /* the payload's length stands before it */
        if (prefix > unknown->len)
            continue;
        memcpy(bytes + length, unknown->data + prefix, unknown->len - prefix);
        length += unknown->len - prefix;
    }
    return (struct slice){.data = bytes, .length = length};
}

static const void *option_unpack(struct build *build, const ProtobufCMessage *options,
                                 const ProtobufCMessageDescriptor *type, const void *otherwise)
{
    struct slice payload = options ? option_payload(build, options) : (struct slice){0};
    if (!payload.data)
        return otherwise;
    ProtobufCAllocator allocator = message_allocator(&build->descriptors->arena);
    return protobuf_c_message_unpack(type, &allocator, payload.length, (const uint8_t *)payload.data);
}

/* ActionState → "ACTION_STATE_", if every value begins with it. */
static size_t enum_prefix(const ProtobufCEnumDescriptor *type)
{
    char prefix[128];
    size_t length = 0;
    for (const char *c = type->short_name; *c && length + 3 < sizeof(prefix); c++) {
        if (c != type->short_name && isupper((unsigned char)*c) && !isupper((unsigned char)c[-1]))
            prefix[length++] = '_';
        prefix[length++] = (char)toupper((unsigned char)*c);
    }
    prefix[length++] = '_';
    for (unsigned i = 0; i < type->n_value_names; i++)
        if (strncmp(type->values_by_name[i].name, prefix, length) != 0 || !type->values_by_name[i].name[length])
            return 0;
    return length;
}

static enum message_kind kind_of(const char *name)
{
    static const char *const wrappers[] = {"DoubleValue", "FloatValue",  "Int64Value",
                                           "UInt64Value", "Int32Value",  "UInt32Value",
                                           "BoolValue",   "StringValue", "BytesValue"};
    if (strncmp(name, "google.protobuf.", 16) != 0)
        return MESSAGE_PLAIN;
    name += 16;
    if (strcmp(name, "Timestamp") == 0)
        return MESSAGE_TIMESTAMP;
    if (strcmp(name, "Duration") == 0)
        return MESSAGE_DURATION;
    if (strcmp(name, "FieldMask") == 0)
        return MESSAGE_FIELD_MASK;
    for (size_t i = 0; i < ARRAY_SIZE(wrappers); i++)
        if (strcmp(name, wrappers[i]) == 0)
            return MESSAGE_WRAPPER;
    return MESSAGE_PLAIN;
}

static int message_compare(const void *a, const void *b)
{
    return strcmp(((const struct message_type *)a)->name, ((const struct message_type *)b)->name);
}

static int address_compare(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)(*(const struct message_type *const *)a)->descriptor;
    uintptr_t right = (uintptr_t)(*(const struct message_type *const *)b)->descriptor;
    return (left > right) - (left < right);
}

/* The types as protobuf-c has them; what the set adds comes afterwards. */
static int messages_add(struct build *build)
{
    struct descriptors *descriptors = build->descriptors;
    size_t count = build->source->message_count;
    descriptors->messages = ARENA_ARRAY(&descriptors->arena, count, struct message_type);
    descriptors->messages_by_address = ARENA_ARRAY(&descriptors->arena, count, const struct message_type *);
    if (arena_exhausted(&descriptors->arena))
        return err_set(build->err, ERR_INTERNAL);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessageDescriptor *type = build->source->messages[i];
        struct field_type *fields = ARENA_ARRAY(&descriptors->arena, type->n_fields, struct field_type);
        if (!fields || type->n_fields > MESSAGE_FIELDS_MAX)
            return build_fail(build, type->name, "has more than %d fields", MESSAGE_FIELDS_MAX);
        for (unsigned j = 0; j < type->n_fields; j++)
            fields[j] = (struct field_type){
                .descriptor = &type->fields[j], .name = type->fields[j].name, .rules = &no_field_rules};
        descriptors->messages[i] = (struct message_type){.descriptor = type,
                                                         .name = type->name,
                                                         .kind = kind_of(type->name),
                                                         .field_count = type->n_fields,
                                                         .fields = fields};
    }
    descriptors->message_count = (unsigned)count;
    qsort(descriptors->messages, count, sizeof(*descriptors->messages), message_compare);
    for (size_t i = 0; i < count; i++)
        descriptors->messages_by_address[i] = &descriptors->messages[i];
    qsort(descriptors->messages_by_address, count, sizeof(*descriptors->messages_by_address), address_compare);
    return 0;
}

static int pattern_compile(struct build *build, const char *where, struct field_type *field)
{
    struct descriptors *descriptors = build->descriptors;
    char *anchored = arena_printf(&descriptors->arena, "^(%s)$", field->rules->pattern);
    regex_t *pattern = ARENA_NEW(&descriptors->arena, regex_t);
    if (!anchored || !pattern || descriptors->pattern_count == PATTERNS_MAX)
        return build_fail(build, where, "too many patterns");
    if (regcomp(pattern, anchored, REG_EXTENDED | REG_NOSUB) != 0)
        return build_fail(build, where, "the pattern '%s' is not a POSIX extended regular expression",
                          field->rules->pattern);
    descriptors->patterns[descriptors->pattern_count++] = pattern;
    field->pattern = pattern;
    return 0;
}

/* A rule that would never be looked at is a mistake of whoever wrote it. */
static int rules_check(struct build *build, const char *where, struct field_type *field)
{
    const field_rules *rules = field->rules;
    ProtobufCType type = field->descriptor->type;
    bool text = type == PROTOBUF_C_TYPE_STRING;
    bool sized = text || type == PROTOBUF_C_TYPE_BYTES;
    bool number = !sized && type != PROTOBUF_C_TYPE_BOOL && type != PROTOBUF_C_TYPE_ENUM &&
                  type != PROTOBUF_C_TYPE_MESSAGE;
    bool zero_is_missing = rules->range && (rules->range->min > 0 || rules->range->max < 0);
    if (rules->required && !field_is_repeated(field) && !field->oneof &&
        ((number && !zero_is_missing) || type == PROTOBUF_C_TYPE_BOOL))
        return build_fail(
            build, where,
            "`required` cannot be told of a bool, or of a number whose range has 0; use a wrapper");
    if ((rules->min_length || rules->max_length) && !sized)
        return build_fail(build, where, "a length is for strings and bytes");
    if (rules->min_length < 0 || rules->max_length < 0 ||
        (rules->max_length && rules->min_length > rules->max_length))
        return build_fail(build, where, "min_length and max_length contradict each other");
    if (rules->range && (!number || !(rules->range->min <= rules->range->max)))
        return build_fail(build, where, "a range is for numbers, and its min is not above its max");
    if ((*rules->pattern || rules->format) && !text)
        return build_fail(build, where, "a pattern or format is for strings");
    if ((rules->min_items || rules->max_items) && !field_is_repeated(field))
        return build_fail(build, where, "min_items and max_items are for repeated fields");
    if (rules->min_items < 0 || rules->max_items < 0)
        return build_fail(build, where, "min_items and max_items are not negative");
    if (rules->judged_by_service && (!field_is_repeated(field) || !field->message || field->is_map))
        return build_fail(build, where, "judged_by_service is for repeated messages");
    return *rules->pattern ? pattern_compile(build, where, field) : 0;
}

static int field_fill(struct build *build, const message_proto *proto, const field_proto *source,
                      const char *message_name, struct field_type *field)
{
    struct descriptors *descriptors = build->descriptors;
    const char *where = name_join(build, message_name, source->name);
    if (source->proto3_optional)
        return build_fail(build, where, "proto3 `optional` is not used here; presence is modelled by messages");
    field->json_name = source->json_name;
    if (source->has_oneof_index && (size_t)source->oneof_index < proto->n_oneof_decl)
        field->oneof = proto->oneof_decl[source->oneof_index]->name;
    field->rules = option_unpack(build, source->options ? &source->options->base : NULL,
                                 &isms__options__v1__field_rules__descriptor, &no_field_rules);
    if (!field->rules)
        return build_fail(build, where, "its rules cannot be read");

    if (field->descriptor->type == PROTOBUF_C_TYPE_MESSAGE) {
        field->message = descriptors_message_of(descriptors, field->descriptor->descriptor);
        if (!field->message)
            return build_fail(build, where, "its message type is not in the tables");
    } else if (field->descriptor->type == PROTOBUF_C_TYPE_ENUM) {
        struct enum_type *type = ARENA_NEW(&descriptors->arena, struct enum_type);
        if (!type)
            return err_set(build->err, ERR_INTERNAL);
        type->descriptor = field->descriptor->descriptor;
        type->prefix_length = enum_prefix(type->descriptor);
        field->enumeration = type;
    }
    for (size_t i = 0; field->message && i < proto->n_nested_type; i++) {
        const message_proto *nested = proto->nested_type[i];
        if (nested->options && nested->options->map_entry &&
            strcmp(nested->name, field->message->descriptor->short_name) == 0)
            field->is_map = true;
    }
    return rules_check(build, where, field);
}

static void extensions_add(struct build *build, const char *scope, field_proto *const *extensions, size_t count)
{
    struct descriptors *descriptors = build->descriptors;
    for (size_t i = 0; i < count; i++) {
        BUG_IF(descriptors->extension_count == build->extension_max);
        descriptors->extensions[descriptors->extension_count++] = (struct extension){
            .extended = extensions[i]->extendee + (*extensions[i]->extendee == '.'),
            .number = extensions[i]->number,
            .file = build->file};
        symbol_add(build, name_join(build, scope, extensions[i]->name));
    }
}

static void enum_add(struct build *build, const char *scope, const enum_proto *proto)
{
    symbol_add(build, name_join(build, scope, proto->name));
    for (size_t i = 0; i < proto->n_value; i++) /* values are named in the scope around their enum */
        symbol_add(build, name_join(build, scope, proto->value[i]->name));
}

static int message_fill(struct build *build, const char *scope, const message_proto *proto)
{
    const char *name = name_join(build, scope, proto->name);
    const struct message_type *type = name ? descriptors_message(build->descriptors, name) : NULL;
    symbol_add(build, name);
    for (size_t i = 0; i < proto->n_field; i++) {
        symbol_add(build, name_join(build, name, proto->field[i]->name));
        const ProtobufCFieldDescriptor *field =
            type ? protobuf_c_message_descriptor_get_field(type->descriptor, (unsigned)proto->field[i]->number)
                 : NULL;
        if (!field)
            return build_fail(build, name, "the descriptor set and the generated code do not match");
        struct field_type *target =
            (struct field_type *)(uintptr_t)&type->fields[field - type->descriptor->fields];
        if (field_fill(build, proto, proto->field[i], name, target) < 0)
            return -1;
    }
    for (size_t i = 0; i < proto->n_oneof_decl; i++)
        symbol_add(build, name_join(build, name, proto->oneof_decl[i]->name));
    for (size_t i = 0; i < proto->n_enum_type; i++)
        enum_add(build, name, proto->enum_type[i]);
    extensions_add(build, name, proto->extension, proto->n_extension);
    for (size_t i = 0; i < proto->n_nested_type; i++)
        if (message_fill(build, name, proto->nested_type[i]) < 0)
            return -1;
    return 0;
}

/* A message that can hold itself has no bound on what it costs to look at. */
static const struct message_type *recursion_find(const struct message_type *type,
                                                 const struct message_type **above, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        if (above[i] == type)
            return type;
    if (depth == MESSAGE_DEPTH_MAX - 1)
        return type;
    above[depth] = type;
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct message_type *found =
            type->fields[i].message ? recursion_find(type->fields[i].message, above, depth + 1) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static bool caller_exists(const struct build *build, const char *caller)
{
    char package[128];
    int length = snprintf(package, sizeof(package), "isms.%s.", caller);
    for (size_t i = 0; i < build->set->n_file; i++)
        if (build->set->file[i]->n_service && build->set->file[i]->package &&
            strncmp(build->set->file[i]->package, package, (size_t)length) == 0)
            return true;
    return false;
}

static int method_check(struct build *build, const struct method *method)
{
    const method_rules *rules = method->rules;
    if (!*rules->permission && !rules->internal)
        return build_fail(build, method->path, "names no permission and is not internal");
    if (rules->internal && rules->n_callers == 0)
        return build_fail(build, method->path, "is internal, but names no callers");
    for (size_t i = 0; i < rules->n_callers; i++)
        if (!caller_exists(build, rules->callers[i]))
            return build_fail(build, method->path, "the caller '%s' is not a service", rules->callers[i]);
    if (rules->deadline_ms < 0)
        return build_fail(build, method->path, "deadline_ms is negative");
    if (rules->write && !method->request_id)
        return build_fail(build, method->path, "changes data, but its request has no string request_id");
    const struct message_type *above[MESSAGE_DEPTH_MAX];
    const struct message_type *recursive = recursion_find(method->request, above, 0);
    if (recursive)
        return build_fail(build, method->path, "its request can hold %s inside itself", recursive->name);
    return 0;
}

static int method_add(struct build *build, const struct service *service,
                      const Google__Protobuf__MethodDescriptorProto *proto)
{
    struct descriptors *descriptors = build->descriptors;
    struct method *method = &descriptors->methods[descriptors->method_count++];
    *method = (struct method){
        .path = arena_printf(&descriptors->arena, "/%s/%s", service->name, proto->name),
        .service = service->name,
        .package = service->package,
        .name = proto->name,
        .request = descriptors_message(descriptors, proto->input_type + 1),
        .response = descriptors_message(descriptors, proto->output_type + 1),
        .rules = option_unpack(build, proto->options ? &proto->options->base : NULL,
                               &isms__options__v1__method_rules__descriptor, &no_method_rules),
        .client_streaming = proto->client_streaming,
        .server_streaming = proto->server_streaming,
    };
    symbol_add(build, name_join(build, service->name, proto->name));
    if (!method->path || !method->rules || !method->request || !method->response)
        return build_fail(build, proto->name, "its types or rules cannot be read");
    const struct field_type *request_id = message_type_field(method->request, "request_id");
    if (request_id && request_id->descriptor->type == PROTOBUF_C_TYPE_STRING && !field_is_repeated(request_id))
        method->request_id = request_id;
    method->lane = method->rules->lane;
    if (!method->lane)
        method->lane =
            method->rules->write ? ISMS__OPTIONS__V1__LANE__LANE_WRITE : ISMS__OPTIONS__V1__LANE__LANE_READ;
    return strncmp(method->package, "isms.", 5) == 0 ? method_check(build, method) : 0;
}

static int services_add(struct build *build, const file_proto *proto)
{
    struct descriptors *descriptors = build->descriptors;
    for (size_t i = 0; i < proto->n_service; i++) {
        const service_proto *source = proto->service[i];
        struct service *service = &descriptors->services[descriptors->service_count++];
        *service =
            (struct service){.name = name_join(build, proto->package ? proto->package : "", source->name),
                             .package = proto->package ? proto->package : "",
                             .method_count = (unsigned)source->n_method,
                             .methods = descriptors->methods + descriptors->method_count};
        if (!service->name)
            return err_set(build->err, ERR_INTERNAL);
        symbol_add(build, service->name);
        for (size_t j = 0; j < source->n_method; j++)
            if (method_add(build, service, source->method[j]) < 0)
                return -1;
    }
    return 0;
}

static unsigned message_symbols(const message_proto *proto, unsigned *ret_extensions)
{
    size_t count = 1 + proto->n_field + proto->n_oneof_decl + proto->n_extension;
    *ret_extensions += (unsigned)proto->n_extension;
    for (size_t i = 0; i < proto->n_enum_type; i++)
        count += 1 + proto->enum_type[i]->n_value;
    for (size_t i = 0; i < proto->n_nested_type; i++)
        count += message_symbols(proto->nested_type[i], ret_extensions);
    return (unsigned)count;
}

static int tables_make(struct build *build)
{
    struct descriptors *descriptors = build->descriptors;
    for (size_t i = 0; i < build->set->n_file; i++) {
        const file_proto *file = build->set->file[i];
        for (size_t j = 0; j < file->n_message_type; j++)
            build->symbol_max += message_symbols(file->message_type[j], &build->extension_max);
        for (size_t j = 0; j < file->n_enum_type; j++)
            build->symbol_max += 1 + (unsigned)file->enum_type[j]->n_value;
        for (size_t j = 0; j < file->n_service; j++) {
            build->method_max += (unsigned)file->service[j]->n_method;
            build->symbol_max += 1 + (unsigned)file->service[j]->n_method;
        }
        build->service_max += (unsigned)file->n_service;
        build->extension_max += (unsigned)file->n_extension;
        build->symbol_max += (unsigned)file->n_extension;
    }
    struct arena *arena = &descriptors->arena;
    descriptors->symbols = ARENA_ARRAY(arena, build->symbol_max, struct symbol);
    descriptors->methods = ARENA_ARRAY(arena, build->method_max, struct method);
    descriptors->methods_by_path = ARENA_ARRAY(arena, build->method_max, const struct method *);
    descriptors->services = ARENA_ARRAY(arena, build->service_max, struct service);
    descriptors->extensions = ARENA_ARRAY(arena, build->extension_max, struct extension);
    descriptors->files = ARENA_ARRAY(arena, build->set->n_file, struct proto_file);
    descriptors->patterns = ARENA_ARRAY(arena, PATTERNS_MAX, regex_t *);
    return arena_exhausted(arena) ? err_set(build->err, ERR_INTERNAL) : 0;
}

/* Reflection hands out a file's own bytes: repeated field 1 of the set, cut out as it stands. */
static int files_add(struct build *build)
{
    struct descriptors *descriptors = build->descriptors;
    const unsigned char *at = build->source->set;
    const unsigned char *end = at + build->source->set_length;
    for (size_t i = 0; i < build->set->n_file; i++) {
        size_t length = 0;
        unsigned shift = 0;
        BUG_IF(at >= end || *at++ != 0x0a);
        do {
            BUG_IF(at >= end || shift > 28);
            length |= (size_t)(*at & 0x7f) << shift;
            shift += 7;
        } while (*at++ & 0x80);
        BUG_IF(length > (size_t)(end - at));
        descriptors->files[i] = (struct proto_file){.name = build->set->file[i]->name,
                                                    .bytes = {.data = (const char *)at, .length = length}};
        at += length;
    }
    descriptors->file_count = (unsigned)build->set->n_file;
    for (size_t i = 0; i < build->set->n_file; i++) {
        const file_proto *file = build->set->file[i];
        const struct proto_file **dependencies =
            ARENA_ARRAY(&descriptors->arena, file->n_dependency, const struct proto_file *);
        for (size_t j = 0; dependencies && j < file->n_dependency; j++)
            dependencies[j] = descriptors_file(descriptors, file->dependency[j]);
        descriptors->files[i].dependencies = dependencies;
        descriptors->files[i].dependency_count = dependencies ? (unsigned)file->n_dependency : 0;
    }
    return 0;
}

static int symbol_compare(const void *a, const void *b)
{
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static int method_compare(const void *a, const void *b)
{
    return strcmp((*(const struct method *const *)a)->path, (*(const struct method *const *)b)->path);
}

static int files_fill(struct build *build)
{
    struct descriptors *descriptors = build->descriptors;
    for (size_t i = 0; i < build->set->n_file; i++) {
        const file_proto *file = build->set->file[i];
        const char *package = file->package ? file->package : "";
        build->file = &descriptors->files[i];
        for (size_t j = 0; j < file->n_message_type; j++)
            if (message_fill(build, package, file->message_type[j]) < 0)
                return -1;
        for (size_t j = 0; j < file->n_enum_type; j++)
            enum_add(build, package, file->enum_type[j]);
        extensions_add(build, package, file->extension, file->n_extension);
    }
    for (size_t i = 0; i < build->set->n_file; i++) {
        build->file = &descriptors->files[i];
        if (services_add(build, build->set->file[i]) < 0)
            return -1;
    }
    return 0;
}

static int build_run(struct build *build)
{
    struct descriptors *descriptors = build->descriptors;
    ProtobufCAllocator allocator = message_allocator(&descriptors->arena);
    build->set = google__protobuf__file_descriptor_set__unpack(&allocator, build->source->set_length,
                                                               build->source->set);
    if (!build->set)
        return err_setf(build->err, ERR_INTERNAL, "the embedded descriptor set cannot be read");
    if (tables_make(build) < 0 || files_add(build) < 0 || messages_add(build) < 0 || files_fill(build) < 0)
        return -1;
    if (arena_exhausted(&descriptors->arena))
        return err_setf(build->err, ERR_INTERNAL, "the embedded descriptor set is too large");

    qsort(descriptors->symbols, descriptors->symbol_count, sizeof(*descriptors->symbols), symbol_compare);
    for (unsigned i = 0; i < descriptors->method_count; i++)
        descriptors->methods_by_path[i] = &descriptors->methods[i];
    qsort(descriptors->methods_by_path, descriptors->method_count, sizeof(*descriptors->methods_by_path),
          method_compare);
    return 0;
}

int descriptors_new(const struct descriptors_source *source, struct descriptors **ret_descriptors,
                    struct err *err)
{
    struct descriptors *descriptors = calloc(1, sizeof(*descriptors));
    if (!descriptors)
        return err_set(err, ERR_INTERNAL);
    arena_init(&descriptors->arena, ARENA_MAX);
    struct build build = {.descriptors = descriptors, .source = source, .err = err};
    if (build_run(&build) < 0) {
        descriptors_free(descriptors);
        return -1;
    }
    *ret_descriptors = descriptors;
    return 0;
}

void descriptors_free(struct descriptors *descriptors)
{
    if (!descriptors)
        return;
    for (unsigned i = 0; i < descriptors->pattern_count; i++)
        regfree(descriptors->patterns[i]);
    arena_release(&descriptors->arena);
    free(descriptors);
}

void descriptors_freep(struct descriptors **descriptors)
{
    descriptors_free(*descriptors);
}
