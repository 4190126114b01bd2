/* methods.h: how each rpc of a service is implemented, and the statements that takes.
 *
 * An rpc of the service's package is implemented by exactly one of a C handler and a SQL file of its name; one that
 * answers with a stream, by a handler of its own kind (stream.h). A stream of requests is refused.
 * rpc_methods_new() compiles all files and joins them with the descriptors, and names what is missing, twice
 * there, or without a permission: it needs no database, so that a unit test can do the same. The statements are
 * compared with the database by rpc_methods_describe(). */
#ifndef ISMS_RPC_METHODS_H
#define ISMS_RPC_METHODS_H

#include <stdbool.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/db/connection.h>
#include <isms/proto/descriptors.h>
#include <isms/proto/page_token.h>
#include <isms/proto/sql_file.h>
#include <isms/rpc/call.h>
#include <isms/rpc/stream.h>

/* Methods are of the first three; the last is where credentials are looked up. */
enum rpc_lane { RPC_READ, RPC_WRITE, RPC_EXCLUSIVE, RPC_ADMISSION, RPC_LANE_COUNT };

const char *rpc_lane_name(enum rpc_lane lane); /* "read", "write", "exclusive", "admission" */

/* A table of handlers ends with {0}. */
struct rpc_handler {
    const char *method; /* "OpenReview" */
    rpc_run *run;
};

/* The same for methods whose response is a stream. */
struct rpc_stream_handler {
    const char *method; /* "ExportOrganisation" */
    rpc_stream_run *run;
};

struct rpc_methods_options {
    const struct descriptors *descriptors;
    const char *service;              /* "reviews"; prefix of statement names */
    const char *package;              /* "isms.reviews.v1" */
    const struct sql_text *sql;       /* ended by {0}; may be NULL */
    const struct rpc_handler *handlers; /* may be NULL */
    const struct rpc_stream_handler *streams; /* may be NULL */
    const struct page_secret *secret; /* may be NULL: no page tokens */
};

struct rpc_methods;

/* All that is wrong is logged, the first of it is in *err. Everything given outlives the methods. */
int rpc_methods_new(const struct rpc_methods_options *options, struct rpc_methods **ret_methods,
                    struct err *err) MUST_CHECK;
void rpc_methods_free(struct rpc_methods *methods);
void rpc_methods_freep(struct rpc_methods **methods);

/* What a worker of the lane has to prepare; RPC_EXCLUSIVE has everything. Lives as long as the methods. */
const struct db_statement *rpc_methods_statements(const struct rpc_methods *methods, enum rpc_lane lane,
                                                  unsigned *ret_count);

/* Compares every statement with what the database made of it; from then on they may run. -1: the first
 * difference. To be tried again whenever the schema has changed. */
int rpc_methods_describe(struct rpc_methods *methods, struct db_connection *connection,
                         struct err *err) MUST_CHECK;
bool rpc_methods_are_ready(const struct rpc_methods *methods);
void rpc_methods_not_ready(struct rpc_methods *methods);

#endif
