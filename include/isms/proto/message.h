/* message.h: protobuf messages between bytes and structs, with memory from the call's arena.
 *
 * A message unpacked here lives as long as the arena and is never freed on its own; do not hand it to
 * protobuf_c_message_free_unpacked(). */
#ifndef ISMS_PROTO_MESSAGE_H
#define ISMS_PROTO_MESSAGE_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/proto/descriptors.h>

/* wire_check(), then the message. MESSAGE_MALFORMED; MESSAGE_TOO_LARGE where the arena has no room. */
int message_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t length, struct arena *arena,
                   ProtobufCMessage **ret_message, struct err *err) MUST_CHECK;

/* The same of what a service of ours answered, which may have any number of fields: the arena is the limit. */
int message_unpack_answer(const ProtobufCMessageDescriptor *type, const void *data, size_t length, struct arena *arena,
                          ProtobufCMessage **ret_message, struct err *err) MUST_CHECK;

/* The serialized form, in the arena. MESSAGE_TOO_LARGE where it has no room. */
int message_pack(const ProtobufCMessage *message, struct arena *arena, struct slice *ret_bytes,
                 struct err *err) MUST_CHECK;

/* Of what was taken since `mark`, gives everything back but *message and what it refers to, which lie elsewhere in the
 * arena afterwards: so that work in rounds leaves its results only. Takes as much memory beside the arena as the
 * message has serialized. MESSAGE_TOO_LARGE. */
int message_keep(ProtobufCMessage **message, struct arena *arena, const struct arena_mark *mark,
                 struct err *err) MUST_CHECK;

/* An empty message of the type; NULL where the arena has no room. */
ProtobufCMessage *message_new(const ProtobufCMessageDescriptor *type, struct arena *arena);

/* SHA-256 over the request without its request_id (and, for lists, without page_token and page_size): two
 * requests that ask for the same thing have the same hash, if message_validate() has seen both. */
int message_hash(const struct message_type *type, const ProtobufCMessage *request, struct arena *arena,
                 struct sha256 *ret_hash, struct err *err) MUST_CHECK;

/* Appends the message as RFC 8785 JSON with snake_case names and short enum names, unset fields left out:
 * the form in which records are kept, hashed and signed. */
int message_canonical(const struct message_type *type, const ProtobufCMessage *message, struct buf *buf,
                      struct err *err) MUST_CHECK;

#endif
