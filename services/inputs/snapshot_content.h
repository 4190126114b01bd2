/* snapshot_content.h: the bytes of a snapshot that are hashed. Pure. */
#ifndef ISMS_INPUTS_SNAPSHOT_CONTENT_H
#define ISMS_INPUTS_SNAPSHOT_CONTENT_H

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/inputs/v1/inputs.pb-c.h>
#include <isms/proto/descriptors.h>

enum { SNAPSHOT_CONTENT_MAX = 16 * 1024 * 1024 };

/* Sets version and kind, and answers the canonical form, in the arena, with its SHA-256. The same content
 * gives the same bytes. MESSAGE_TOO_LARGE where there is no room. */
int snapshot_content_write(const struct descriptors *descriptors, Isms__Inputs__V1__SnapshotContent *content,
                           struct arena *arena, struct slice *ret_bytes,
                           char ret_sha256[static SHA256_HEX_SIZE], struct err *err) MUST_CHECK;

#endif
