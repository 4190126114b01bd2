/* binding.h: a SQL file bound to the messages it takes and answers.
 *
 * A binding is compiled once: parameter names become offsets into the request, and, when the server has
 * described the prepared statement, column names become offsets into the response. A call then runs
 *
 *     binding_select()   which variant: order, conditions, page token, update mask
 *     binding_encode()   the values of its parameters
 *     binding_decode()   the rows as a response, or the outcome as an error
 *
 * without a look at any name. A binding is shared by all threads; binding_describe() may run beside calls (a
 * plan once published is never changed, and freed only with the binding).
 *
 * The rules of parameters and columns are in docs/sql-files.md; in short: a parameter is a path into the
 * request or one of tenant, actor, now, new_id[.n], mask.PATH, patch.PATH, page.limit, page.N; a column is a
 * path into the response (or the item of a list response), `outcome`, `outcome.FACT` or `page.N`. */
#ifndef ISMS_PROTO_BINDING_H
#define ISMS_PROTO_BINDING_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>
#include <isms/db/connection.h>
#include <isms/proto/descriptors.h>
#include <isms/proto/page_token.h>
#include <isms/proto/sql_file.h>

enum { BINDING_NEW_IDS_MAX = 8, BINDING_PAGE_DEFAULT = 50, BINDING_PAGE_MAX = 500 };

struct binding;

struct binding_options {
    const struct descriptors *descriptors;
    const struct sql_file *file;
    /* NULL: the types the file itself names. Given, the file must not name any. */
    const struct message_type *request;
    const struct message_type *response;
    const char *scope;                /* what page tokens are bound to beside the tenant: the method's path */
    const char *prefix;               /* of the prepared statements' names: the service */
    const struct page_secret *secret; /* NULL: no page tokens (a list that has them is then refused) */
};

/* One call's own values. The caller fills the first part and keeps the struct as it is for every repetition
 * of the call; binding_select() and binding_encode() use the second. */
struct binding_call {
    struct uuid tenant;
    struct uuid actor;
    bool has_actor; /* false: NULL (jobs) */
    int64_t now_us;
    int64_t replay_sequence; /* of the repeated request, for the replay statement */

    unsigned variant;
    unsigned new_id_count;
    struct uuid new_ids[BINDING_NEW_IDS_MAX]; /* made when first used; new_ids[0] is :new_id */
    int page_limit;                           /* rows to return at most */
    struct page_keys page;
};

/* Everything given must outlive the binding. Errors name file and line, for operators. */
int binding_new(const struct binding_options *options, struct binding **ret_binding,
                struct err *err) MUST_CHECK;
void binding_free(struct binding *binding);
void binding_freep(struct binding **binding);

/* The statements to prepare: `count` of them, stable for the binding's life. A variant's statement, and its
 * replay where the file has --@answer, are the pointers that binding_statement() and binding_replay() answer.
 */
const struct db_statement *binding_statements(const struct binding *binding, unsigned *ret_count);
const struct db_statement *binding_statement(const struct binding *binding, const struct binding_call *call);
const struct db_statement *binding_replay(const struct binding *binding,
                                          const struct binding_call *call); /* or NULL */

/* Compares what the server made of statement `index` of binding_statements() with the proto, and compiles the
 * columns. Must have succeeded for a statement before it is executed, and again after every change of schema.
 * Errors name file, parameter or column, what it is and what was expected. */
int binding_describe(struct binding *binding, unsigned index, const struct db_description *description,
                     struct err *err) MUST_CHECK;

/* db_describe() and binding_describe() of all statements. */
int binding_describe_all(struct binding *binding, struct db_connection *connection, struct err *err) MUST_CHECK;

/* Chooses the variant for a validated request. ORDER_UNSUPPORTED, PAGE_TOKEN_INVALID, MASK_INVALID,
 * FIELD_INVALID. */
int binding_select(const struct binding *binding, const ProtobufCMessage *request, struct binding_call *call,
                   struct arena *arena, struct err *err) MUST_CHECK;

/* The values of the chosen statement (of its replay), in the arena. */
int binding_encode(const struct binding *binding, bool replay, const ProtobufCMessage *request,
                   struct binding_call *call, struct arena *arena, struct db_value **ret_values, int *ret_count,
                   struct err *err) MUST_CHECK;

/* The rows as the response. An outcome is its reason with its facts; no row is NOT_FOUND. (A list may be empty.
 * An Empty response needs a row only where the statement has columns.) */
int binding_decode(const struct binding *binding, bool replay, const ProtobufCMessage *request,
                   const struct binding_call *call, const struct db_result *result, struct arena *arena,
                   ProtobufCMessage **ret_response, struct err *err) MUST_CHECK;

const struct sql_file *binding_file(const struct binding *binding);
const struct message_type *binding_request(const struct binding *binding);
const struct message_type *binding_response(const struct binding *binding);

#endif
