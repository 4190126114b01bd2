/* wire.c: one recursive walk over the bytes, bounded by depth and by a count of everything seen.
 *
 * The limits are protobuf-c's where it has some (five bytes for tags and lengths), so that what passes here
 * also unpacks. Nothing is counted per field while walking: the index an error names ("items[3]") is found by
 * walking the enclosing message again. */
#include <isms/proto/wire.h>

#include <stdbool.h>
#include <string.h>

#include <isms/base/utf8.h>

#include "internal.h"

/* A message being walked. */
struct frame {
    const struct frame *parent;
    const ProtobufCMessageDescriptor *type;
    const uint8_t *start;
    const uint8_t *at;                     /* the tag of the element being looked at */
    const ProtobufCFieldDescriptor *field; /* its field; NULL: unknown */
    unsigned depth;
    uint64_t seen[MESSAGE_FIELDS_MAX / 64]; /* singular messages and oneof members met so far */
};

struct scan {
    size_t elements;
    size_t elements_max;
    struct err *err;
};

/* A cursor; a read past the end, or of something malformed, is false. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static bool varint_read(struct cursor *cursor, unsigned max_bytes, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < max_bytes && cursor->at < cursor->end; i++) {
        uint8_t byte = *cursor->at++;
        if (i == 9 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool bytes_skip(struct cursor *cursor, uint64_t count)
{
    if (count > (uint64_t)(cursor->end - cursor->at))
        return false;
    cursor->at += count;
    return true;
}

static bool value_skip(struct cursor *cursor, unsigned wire_type)
{
    uint64_t value;
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return varint_read(cursor, 10, &value);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return bytes_skip(cursor, 8);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return bytes_skip(cursor, 4);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        return varint_read(cursor, 5, &value) && bytes_skip(cursor, value);
    default:
        return false;
    }
}

static long element_index(const struct frame *frame)
{
    if (!frame->field || frame->field->label != PROTOBUF_C_LABEL_REPEATED)
        return -1;
    struct cursor cursor = {.at = frame->start, .end = frame->at};
    long index = 0;
    uint64_t tag;
    while (varint_read(&cursor, 5, &tag) && value_skip(&cursor, tag & 7))
        index += (tag >> 3) == frame->field->id;
    return index;
}

static int scan_fail(struct scan *scan, const struct frame *frame, const char *what)
{
    struct path nodes[MESSAGE_DEPTH_MAX + 1];
    struct path *path = NULL;
    unsigned count = 0;
    for (const struct frame *f = frame; f && count <= MESSAGE_DEPTH_MAX; f = f->parent) {
        if (!f->field)
            continue;
        nodes[count] = (struct path){.name = f->field->name, .index = element_index(f)};
        if (count)
            nodes[count - 1].parent = &nodes[count];
        else
            path = &nodes[0];
        count++;
    }
    char text[PATH_TEXT_SIZE];
    path_format(path, NULL, text);
    err_setf(scan->err, ERR_MESSAGE_MALFORMED, "The request is malformed%s%s: %s.", path ? " at " : "", text,
             what);
    if (path)
        err_fact(scan->err, "field", "%s", text);
    return -1;
}

static unsigned wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

/* One element of a scalar field that is not length-prefixed. */
static int scalar_scan(struct scan *scan, const struct frame *frame, struct cursor *cursor)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    if (field->type != PROTOBUF_C_TYPE_ENUM)
        return value_skip(cursor, wire_type_of(field->type)) ? 0 : scan_fail(scan, frame, "a value is cut off");
    uint64_t value;
    if (!varint_read(cursor, 10, &value))
        return scan_fail(scan, frame, "a value is cut off");
    if (!protobuf_c_enum_descriptor_get_value(field->descriptor, (int)(uint32_t)value))
        return scan_fail(scan, frame, "the enum has no such value");
    return 0;
}

static int packed_scan(struct scan *scan, const struct frame *frame, struct cursor cursor)
{
    while (cursor.at < cursor.end) {
        if (++scan->elements > scan->elements_max)
            return scan_fail(scan, frame, "there are too many fields and elements");
        if (scalar_scan(scan, frame, &cursor) < 0)
            return -1;
    }
    return 0;
}

/* Singular messages come once, and of a oneof one member. */
static bool is_repetition(struct frame *frame)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    bool in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (field->label == PROTOBUF_C_LABEL_REPEATED || (field->type != PROTOBUF_C_TYPE_MESSAGE && !in_oneof))
        return false;
    for (unsigned i = 0; in_oneof && i < frame->type->n_fields; i++)
        if (frame->seen[i / 64] & (UINT64_C(1) << i % 64) &&
            frame->type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
            frame->type->fields[i].quantifier_offset == field->quantifier_offset)
            return true;
    size_t index = (size_t)(field - frame->type->fields);
    bool again = (frame->seen[index / 64] & (UINT64_C(1) << index % 64)) != 0;
    frame->seen[index / 64] |= UINT64_C(1) << index % 64;
    return again;
}

static int message_scan(struct scan *scan, const struct frame *parent, const ProtobufCMessageDescriptor *type,
                        struct cursor cursor);

static int delimited_scan(struct scan *scan, const struct frame *frame, struct cursor inner)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        size_t length = (size_t)(inner.end - inner.at);
        if (length && memchr(inner.at, 0, length))
            return scan_fail(scan, frame, "the text holds a NUL");
        if (!utf8_is_valid((const char *)inner.at, length))
            return scan_fail(scan, frame, "the text is not UTF-8");
        return 0;
    }
    case PROTOBUF_C_TYPE_BYTES:
        return 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_scan(scan, frame, field->descriptor, inner);
    default:
        return packed_scan(scan, frame, inner);
    }
}

static int element_scan(struct scan *scan, struct frame *frame, struct cursor *cursor)
{
    frame->at = cursor->at;
    frame->field = NULL;
    uint64_t tag;
    if (!varint_read(cursor, 5, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return scan_fail(scan, frame, "a field number is not valid");
    frame->field = protobuf_c_message_descriptor_get_field(frame->type, (unsigned)(tag >> 3));
    if (++scan->elements > scan->elements_max)
        return scan_fail(scan, frame, "there are too many fields and elements");

    unsigned wire_type = tag & 7;
    const ProtobufCFieldDescriptor *field = frame->field;
    if (!field)
        return value_skip(cursor, wire_type) ? 0 : scan_fail(scan, frame, "an unknown field cannot be skipped");
    unsigned expected = wire_type_of(field->type);
    bool packed =
        field->label == PROTOBUF_C_LABEL_REPEATED && wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (wire_type != expected && !packed)
        return scan_fail(scan, frame, "the wire type is not the field's");
    if (is_repetition(frame))
        return scan_fail(scan, frame, "it is given twice, or beside another member of its oneof");
    if (wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return scalar_scan(scan, frame, cursor);

    uint64_t length;
    struct cursor inner = *cursor;
    if (!varint_read(&inner, 5, &length) || length > (uint64_t)(inner.end - inner.at))
        return scan_fail(scan, frame, "its length goes beyond the message");
    inner.end = inner.at + length;
    cursor->at = inner.end;
    return delimited_scan(scan, frame, inner);
}

static int message_scan(struct scan *scan, const struct frame *parent, const ProtobufCMessageDescriptor *type,
                        struct cursor cursor)
{
    struct frame frame = {.parent = parent,
                          .type = type,
                          .start = cursor.at,
                          .at = cursor.at,
                          .depth = parent ? parent->depth + 1 : 1};
    if (frame.depth > MESSAGE_DEPTH_MAX)
        return scan_fail(scan, parent, "messages are nested too deep");
    while (cursor.at < cursor.end)
        if (element_scan(scan, &frame, &cursor) < 0)
            return -1;
    return 0;
}

int wire_check(const ProtobufCMessageDescriptor *type, const void *data, size_t length, size_t elements_max,
               struct err *err)
{
    struct scan scan = {.elements_max = elements_max, .err = err};
    static const uint8_t nothing[1];
    const uint8_t *start = length ? data : nothing;
    return message_scan(&scan, NULL, type, (struct cursor){.at = start, .end = start + length});
}
