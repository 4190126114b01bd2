/* snapshot_content.h: the bytes of a snapshot that are hashed. Pure. */
#ifndef ISMS_INPUTS_SNAPSHOT_CONTENT_H
#define ISMS_INPUTS_SNAPSHOT_CONTENT_H

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/snapshots.pb-c.h>
#include <isms/proto/descriptors.h>

enum { SNAPSHOT_CONTENT_MAX = 16 * 1024 * 1024 };

/* Sets version and kind, and appends the canonical form to `bytes`, which is empty and has the maximum
 * SNAPSHOT_CONTENT_MAX; answers its SHA-256. The same content gives the same bytes. MESSAGE_TOO_LARGE where there is
 * no room. */
int snapshot_content_write(const struct descriptors *descriptors, Isms__Inputs__V1__SnapshotContent *content,
                           struct buf *bytes, char ret_sha256[static SHA256_HEX_SIZE], struct err *err) MUST_CHECK;

#endif
