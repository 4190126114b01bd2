/* mask.h: which fields of a resource an update changes (AIP-134).
 *
 * No paths, or the one path "*", mean every field a client may change. A path names a field, or a field of a
 * nested message ("owner.name"), by its proto name; it never goes through a repeated field. */
#ifndef ISMS_PROTO_MASK_H
#define ISMS_PROTO_MASK_H

#include <stdbool.h>

#include <google/protobuf/field_mask.pb-c.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/proto/descriptors.h>

enum { MASK_PATHS_MAX = 100 };

/* MASK_INVALID with a violation for every path that is unknown, output-only or immutable; `field` is where the request
 * has the mask. NULL: no paths. */
int mask_check(const struct message_type *resource, const Google__Protobuf__FieldMask *mask, const char *field,
               struct err *err) MUST_CHECK;

/* The mask names all changeable fields. */
bool mask_is_all(const Google__Protobuf__FieldMask *mask);

/* The mask is all, or names the path, something above it or something below it. */
bool mask_touches(const Google__Protobuf__FieldMask *mask, const char *path);

/* The mask is all, or names the path itself or something above it. */
bool mask_covers(const Google__Protobuf__FieldMask *mask, const char *path);

#endif
