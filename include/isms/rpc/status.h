/* status.h: a struct err as gRPC carries it, and back.
 *
 * A failed call ends with a code, a message and google.rpc.Status in `grpc-status-details-bin` (AIP-193):
 * always ErrorInfo (reason, domain, facts), and BadRequest, PreconditionFailure, RetryInfo and QuotaFailure
 * where they say something. The whole stays below STATUS_DETAILS_MAX, since clients refuse longer trailers: a
 * struct err is bounded such that the largest fits. No threads, no gRPC: plain functions on plain data. */
#ifndef ISMS_RPC_STATUS_H
#define ISMS_RPC_STATUS_H

#include <stddef.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>

enum { STATUS_DETAILS_MAX = 6 * 1024 };

#define STATUS_DOMAIN "isms-review"

/* Appends the serialised google.rpc.Status of `err`. `trace_id` (may be "") becomes the fact "trace_id". */
void status_encode(const struct err *err, const char *trace_id, struct buf *ret_details);

/* Makes *err what a peer's status says. Never trusts the bytes: without usable details (length 0 included) the
 * reason is the one that stands for `code`. Always returns -1. `code` must not be 0. */
int status_decode(int code, const char *message, size_t message_length, const void *details,
                  size_t details_length, struct err *err);

#endif
