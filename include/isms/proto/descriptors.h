/* descriptors.h: what the proto files say, ready to be used.
 *
 * The build embeds the FileDescriptorSet of all proto files and the C tables protobuf-c generates. At start
 * both are joined into one immutable model: services and methods with their rules, messages with their
 * fields, the fields' rules, JSON names and oneofs, and the files as reflection serves them. A rule that
 * cannot be kept (a write method without request_id, a recursive request, a pattern that does not compile)
 * fails the start, naming file, message and field.
 *
 * Everything reached from a `struct descriptors` is read-only and shared by all threads; it lives until
 * descriptors_free(). */
#ifndef ISMS_PROTO_DESCRIPTORS_H
#define ISMS_PROTO_DESCRIPTORS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/options/v1/options.pb-c.h>

/* What isms_proto() in the build makes out of a set of proto files (see IsmsProto.cmake). */
struct descriptors_source {
    const unsigned char *set; /* a serialized FileDescriptorSet with all imports */
    size_t set_length;
    const ProtobufCMessageDescriptor *const *messages; /* every message of the set, in any order */
    size_t message_count;
};

/* All proto files of the product, gRPC's health and reflection, and the well-known types. */
extern const struct descriptors_source isms_descriptors_source;

enum {
    MESSAGE_FIELDS_MAX = 256,   /* of one message type; refused at start beyond that */
    MESSAGE_DEPTH_MAX = 32,     /* of nesting in a request */
    REPEATED_ITEMS_DEFAULT = 100 /* of a repeated request field without max_items */
};

/* Messages that have a form of their own in JSON and SQL. */
enum message_kind { MESSAGE_PLAIN, MESSAGE_TIMESTAMP, MESSAGE_DURATION, MESSAGE_FIELD_MASK, MESSAGE_WRAPPER };

struct enum_type {
    const ProtobufCEnumDescriptor *descriptor;
    size_t prefix_length; /* of "ACTION_STATE_" in every value's name; 0: no common prefix */
};

struct field_type {
    const ProtobufCFieldDescriptor *descriptor;
    const char *name;      /* as in the proto file */
    const char *json_name; /* lowerCamelCase */
    const char *oneof;     /* the oneof it is a member of, or NULL */
    const struct Isms__Options__V1__FieldRules *rules; /* never NULL */
    const regex_t *pattern;                            /* of rules->pattern, anchored; or NULL */
    const struct message_type *message;                /* of a message field (a map's entry), or NULL */
    const struct enum_type *enumeration;               /* of an enum field, or NULL */
    bool is_map;
};

struct message_type {
    const ProtobufCMessageDescriptor *descriptor;
    const char *name; /* "isms.actions.v1.Action" */
    enum message_kind kind;
    unsigned field_count;
    const struct field_type *fields; /* in the order of descriptor->fields */
};

struct method {
    const char *path;    /* "/isms.actions.v1.ActionService/GetAction", as gRPC names it */
    const char *service; /* "isms.actions.v1.ActionService" */
    const char *package; /* "isms.actions.v1" */
    const char *name;    /* "GetAction" */
    const struct message_type *request;
    const struct message_type *response;
    const struct Isms__Options__V1__MethodRules *rules; /* never NULL; all unset for foreign services */
    const struct field_type *request_id;                /* of the request, or NULL */
    Isms__Options__V1__Lane lane; /* rules->lane; where unset, write methods WRITE and others READ */
    bool client_streaming;
    bool server_streaming;
};

struct service {
    const char *name; /* "isms.actions.v1.ActionService" */
    const char *package;
    unsigned method_count;
    const struct method *methods; /* in the file's order */
};

/* A proto file, as server reflection hands it out. */
struct proto_file {
    const char *name;   /* "isms/actions/v1/actions.proto" */
    struct slice bytes; /* its serialized FileDescriptorProto */
    unsigned dependency_count;
    const struct proto_file *const *dependencies; /* direct imports */
};

struct descriptors;

/* Builds the model. The source must outlive it. Texts of *err are for operators, not for callers. */
int descriptors_new(const struct descriptors_source *source, struct descriptors **ret_descriptors,
                    struct err *err) MUST_CHECK;
void descriptors_free(struct descriptors *descriptors);
void descriptors_freep(struct descriptors **descriptors); /* fits CLEANUP() */

/* Every method of every service of the set, gRPC's own included. */
const struct method *descriptors_methods(const struct descriptors *descriptors, unsigned *ret_count);

/* NULL where there is none. */
const struct method *descriptors_method(const struct descriptors *descriptors, const char *path);
const struct message_type *descriptors_message(const struct descriptors *descriptors, const char *name);
const struct message_type *descriptors_message_of(const struct descriptors *descriptors,
                                                  const ProtobufCMessageDescriptor *descriptor);
const struct field_type *message_type_field(const struct message_type *message, const char *name);

/* For reflection. A symbol is the full name of a message, field, enum, enum value, oneof, service or method,
 * or extension, with or without a leading dot. */
const struct proto_file *descriptors_file(const struct descriptors *descriptors, const char *name);
const struct proto_file *descriptors_file_of_symbol(const struct descriptors *descriptors, const char *symbol);
const struct proto_file *descriptors_file_of_extension(const struct descriptors *descriptors,
                                                       const char *extended, int32_t number);
/* Writes up to `max` extension numbers of the message `extended`; answers how many there are. */
unsigned descriptors_extensions(const struct descriptors *descriptors, const char *extended,
                                int32_t *ret_numbers, unsigned max);

/* "OPEN" for ACTION_STATE_OPEN; NULL for a number the enum does not have. */
const char *enum_short_name(const struct enum_type *type, int value);
const char *enum_long_name(const struct enum_type *type, int value);
/* Accepts both forms. */
bool enum_value_of(const struct enum_type *type, const char *name, size_t length, int *ret_value);

#endif
