/* internal.h: what the files of this layer share. */
#ifndef ISMS_PROTO_INTERNAL_H
#define ISMS_PROTO_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/arena.h>
#include <isms/base/buf.h>
#include <isms/proto/descriptors.h>

/* Where in a message tree we are: a chain on the stack, rendered only when something is wrong. */
struct path {
    const struct path *parent;
    const char *name;
    long index; /* of a repeated field's element; -1: none */
};

enum { PATH_TEXT_SIZE = 256 };

/* "inputs[3].title"; cut where it does not fit. `end`: the node to stop before, for a relative path. */
void path_format(const struct path *path, const struct path *end, char text[static PATH_TEXT_SIZE]);

struct symbol {
    const char *name;
    const struct proto_file *file;
};

struct extension {
    const char *extended;
    int32_t number;
    const struct proto_file *file;
};

struct descriptors {
    struct arena arena;
    struct message_type *messages; /* by name */
    const struct message_type **messages_by_address;
    struct service *services;
    struct method *methods; /* those of a service side by side */
    const struct method **methods_by_path;
    struct proto_file *files;
    struct symbol *symbols; /* by name */
    struct extension *extensions;
    regex_t **patterns;
    unsigned message_count, service_count, method_count, file_count, symbol_count, extension_count,
        pattern_count;
};

/* An allocator that takes from the arena and frees nothing. */
ProtobufCAllocator message_allocator(struct arena *arena);

/* The field's place in a message struct, as a type. */
#define MEMBER(message, field, type) \
    ((type *)(void *)((char *)(uintptr_t)(message) + (field)->descriptor->offset))
#define QUANTIFIER(message, field, type) \
    ((type *)(void *)((char *)(uintptr_t)(message) + (field)->descriptor->quantifier_offset))

static inline bool field_is_repeated(const struct field_type *field)
{
    return field->descriptor->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool field_is_in_oneof(const struct field_type *field)
{
    return (field->descriptor->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* Bytes of one element of the field in a message struct or a repeated field's array. */
size_t field_size(const struct field_type *field);

/* A value is there: a message, an item, a member of a oneof that is its case, a scalar other than its default.
 */
bool field_is_set(const struct field_type *field, const ProtobufCMessage *message);

/* Makes it not so. */
void field_clear(const struct field_type *field, ProtobufCMessage *message);

/* The submessage, made when there is none; a oneof takes the field as its case. NULL: out of arena. */
ProtobufCMessage *field_submessage(const struct field_type *field, ProtobufCMessage *message,
                                   struct arena *arena);

/* Declares the field to be its oneof's case, if it is in one. */
static inline void field_choose(const struct field_type *field, ProtobufCMessage *message)
{
    if (field_is_in_oneof(field))
        *QUANTIFIER(message, field, uint32_t) = field->descriptor->id;
}

/* The shortest decimal form that reads back as the same number; NaN, Infinity and -Infinity by name. */
void real_append(struct buf *buf, double number, bool single);

/* The one message field of an update request that its mask is about; NULL: none, or several. */
const struct field_type *request_resource(const struct message_type *request);
/* Its google.protobuf.FieldMask update_mask, or NULL. */
const struct field_type *request_mask(const struct message_type *request);

#endif
