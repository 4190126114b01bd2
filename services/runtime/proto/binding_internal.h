/* binding_internal.h: what the files of the binding share. */
#ifndef ISMS_PROTO_BINDING_INTERNAL_H
#define ISMS_PROTO_BINDING_INTERNAL_H

#include <google/protobuf/field_mask.pb-c.h>

#include <isms/proto/binding.h>

#include "internal.h"

enum { HOPS_MAX = 8, MASK_PARAMETERS_MAX = 128 };

/* A place in a message: the singular messages on the way, then a field or a oneof. */
struct location {
    unsigned hop_count;
    const struct field_type *hops[HOPS_MAX];
    const struct message_type *parent; /* of the last part */
    const struct field_type *field;    /* NULL: a oneof */
    const char *oneof;                 /* NULL: a field */
};

/* Resolves "a.b.c" from `root`. What is wrong with it otherwise, for a message. NULL: nothing. */
const char *location_resolve(const struct message_type *root, const char *path, struct location *ret_location);

/* The message that holds the location's field; NULL where one on the way is not set. */
const ProtobufCMessage *location_find(const struct location *location, const ProtobufCMessage *root);

enum parameter_kind {
    PARAMETER_FIELD,
    PARAMETER_ONEOF,
    PARAMETER_ONEOF_CASE,
    PARAMETER_TENANT,
    PARAMETER_ACTOR,
    PARAMETER_NOW,
    PARAMETER_NEW_ID,
    PARAMETER_MASK,
    PARAMETER_PATCH,
    PARAMETER_PAGE_LIMIT,
    PARAMETER_PAGE_KEY,
    PARAMETER_REPLAY_SEQUENCE
};

struct parameter {
    enum parameter_kind kind;
    struct location location; /* in the request; of MASK and PATCH in the resource */
    unsigned index;           /* of NEW_ID and PAGE_KEY, from 0 */
    const char *path;         /* of MASK and PATCH: a field's, or the oneof's parent's ("" for none) */
    const struct sql_parameter *source;
    uint32_t type;            /* as the server described it; 0: not yet. Read and written atomically */
};

struct column_plan;

/* A statement to prepare: a variant's, or its replay's. */
struct bound_statement {
    const struct sql_statement *sql;
    struct parameter *parameters;
    struct column_plan *plan; /* the newest; published atomically, older ones hang behind it */
};

struct binding {
    struct arena arena;
    struct binding_options options;
    const struct message_type *request;
    const struct message_type *response;

    struct bound_statement *bound; /* the variants', then their replays' */
    struct db_statement *statements;
    unsigned statement_count;

    struct location conditions[SQL_CONDITIONS_MAX];
    const struct field_type *order_by; /* of the request; NULL: none; so below */
    const struct field_type *page_size;
    const struct field_type *page_token;
    const struct field_type *mask;
    const struct field_type *resource;
    bool pages; /* :page.limit is used */

    /* What :mask. and :patch. parameters speak of, over all variants. */
    unsigned mask_parameter_count;
    const struct parameter *mask_parameters[MASK_PARAMETERS_MAX];
    bool mask_whole; /* the statement takes the mask itself, and with it every path */

    bool is_empty;                 /* the response is google.protobuf.Empty */
    const struct field_type *list; /* the repeated field of a list response, or NULL */
    const struct field_type *next_page_token;
    const struct field_type *total;
};

/* binding_parameters.c */
int parameters_compile(struct binding *binding, struct bound_statement *bound, struct err *err);
int parameters_describe(struct bound_statement *bound, const struct db_description *description,
                        struct err *err);
const char *type_name(uint32_t type);

/* binding_encode.c */
int parameters_encode(const struct binding *binding, const struct bound_statement *bound,
                      const ProtobufCMessage *request, struct binding_call *call, struct arena *arena,
                      struct db_value *values, struct err *err);

/* binding_columns.c */
int columns_describe(struct binding *binding, struct bound_statement *bound,
                     const struct db_description *description, struct err *err);
void columns_free(struct bound_statement *bound);

/* binding_decode.c */
int columns_decode(const struct binding *binding, const struct bound_statement *bound,
                   const ProtobufCMessage *request, const struct binding_call *call,
                   const struct db_result *result, struct arena *arena, ProtobufCMessage **ret_response,
                   struct err *err);

/* binding.c */
int page_scope_make(const struct binding *binding, const ProtobufCMessage *request,
                    const struct binding_call *call, struct arena *arena, struct page_scope *ret_scope,
                    struct err *err);

/* pg_type.dat, those that db/connection.h does not name */
enum {
    TYPE_BPCHAR = 1042, TYPE_NAME = 19, TYPE_INTERVAL = 1186, TYPE_INT2_ARRAY = 1005, TYPE_VARCHAR_ARRAY = 1015,
    TYPE_NUMERIC_ARRAY = 1231, TYPE_BYTEA_ARRAY = 1001, TYPE_FLOAT4_ARRAY = 1021
};

#endif
