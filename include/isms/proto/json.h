/* json.h: messages as JSON, by the proto3 mapping (https://protobuf.dev/programming-guides/json/).
 *
 * 64-bit integers are strings, bytes base64, Timestamp and Duration texts, FieldMask a comma-separated text,
 * wrappers their value. google.protobuf.Any, Struct and Value have no special form here: no method uses
 * them. Memory comes from the arena or buffer given; nesting is bounded by MESSAGE_DEPTH_MAX. */
#ifndef ISMS_PROTO_JSON_H
#define ISMS_PROTO_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>
#include <isms/proto/descriptors.h>

struct json_style {
    bool snake_names;   /* "due_date" instead of "dueDate" */
    bool short_enums;   /* "OPEN" instead of "ACTION_STATE_OPEN" */
    bool emit_defaults; /* unset scalars and empty lists too; never unset messages and oneofs */
};

/* The style of jsonb in the database and of records: snake names, short enums, defaults left out. */
extern const struct json_style json_style_stored;

/* Appends the message. Fails only where the buffer is too small (MESSAGE_TOO_LARGE) or a value has no JSON
 * form (a Timestamp or Duration out of range, a FieldMask path that is no name: INTERNAL). Unknown enum numbers
 * are written as numbers. */
int json_write(const struct message_type *type, const ProtobufCMessage *message, struct json_style style,
               struct buf *buf, struct err *err) MUST_CHECK;

/* Reads one JSON value of the type. Names in either form, enums by long or short name or number, integers as
 * number or string, bytes as base64 or base64url, null as unset. FIELD_INVALID names the path of what is
 * wrong; a member twice, two members of a oneof and trailing text are. Unknown members are refused unless
 * ignore_unknown. */
int json_read(const struct message_type *type, const char *text, size_t length, bool ignore_unknown,
              struct arena *arena, ProtobufCMessage **ret_message, struct err *err) MUST_CHECK;

/* The same into an existing message: members the text names are set, the others left. */
int json_read_into(const struct message_type *type, ProtobufCMessage *message, const char *text, size_t length,
                   bool ignore_unknown, struct arena *arena, struct err *err) MUST_CHECK;

/* The value of one field only, as it would stand behind "name":. A repeated field takes an array, a map an
 * object. */
int json_read_field(const struct field_type *field, ProtobufCMessage *message, const char *text, size_t length,
                    bool ignore_unknown, struct arena *arena, struct err *err) MUST_CHECK;
int json_write_field(const struct field_type *field, const ProtobufCMessage *message, struct json_style style,
                     struct buf *buf, struct err *err) MUST_CHECK;

#endif
