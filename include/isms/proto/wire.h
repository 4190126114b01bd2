/* wire.h: the look at a request's bytes before any memory is spent on them.
 *
 * protobuf-c trusts its input: it recurses as deep as a sender nests, allocates a struct per empty
 * submessage, and takes any bytes for text. wire_check() walks the bytes once, by the descriptor, without
 * allocating, and refuses what must not be unpacked:
 *   - nesting beyond MESSAGE_DEPTH_MAX; more than `elements_max` fields and elements, unknown ones included;
 *   - lengths that overrun, varints of more than ten bytes, field number 0, groups, a wire type that is not
 *     the field's;
 *   - strings that are not UTF-8 or hold NUL; enum numbers the proto file does not know;
 *   - a singular message given twice, or two members of a oneof: protobuf would merge or replace, no
 *     generated code ever sends it, and protobuf-c does it differently. A scalar given twice: the last wins.
 * Unknown fields are skipped (they count as elements). */
#ifndef ISMS_PROTO_WIRE_H
#define ISMS_PROTO_WIRE_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

enum { WIRE_ELEMENTS_MAX = 100000 }; /* of a stranger's message; SIZE_MAX: any number */

/* MESSAGE_MALFORMED with the path ("items[3].title") as the fact "field". Any thread. */
int wire_check(const ProtobufCMessageDescriptor *type, const void *data, size_t length, size_t elements_max,
               struct err *err) MUST_CHECK;

#endif
