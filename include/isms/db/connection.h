/* connection.h: one PostgreSQL connection, spoken to in pipelines.
 *
 * A connection belongs to one worker thread. Its work is a *segment*: a few prepared statements that form
 * one implicit transaction and are ended by one sync. db_pipeline() sends any number of segments of any
 * number of callers in a single round trip and reads the answers in order; an error rolls back its own
 * segment and no other. Nothing is ever cancelled here, since that could hit a neighbour; statement_timeout
 * is what bounds a segment. (db_begin() and what follows it, and cancellation, are for connections that
 * serve one call at a time: the exclusive lane.)
 *
 * The connection prepares the statements it was made with, all of them in one round trip, whenever it
 * (re)connects; one that the schema refuses fails the segments that use it and nothing else. A segment that
 * fails because a prepared statement went stale (SQLSTATE 26000 or 0A000: after a failover or a migration)
 * is re-prepared and repeated once.
 *
 * A URL may list several servers (`host=a,b`): they are tried one after the other, and one that only reads, a standby,
 * is not taken (target_session_attrs=read-write, unless the URL says otherwise). So a connection follows a failover.
 *
 * A session runs with TimeZone UTC and DateStyle ISO, so that ::text and ::date mean the same everywhere.
 * This layer knows nothing of tenants or messages. libpq's types stay inside it. */
#ifndef ISMS_DB_CONNECTION_H
#define ISMS_DB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

struct db_connection;
struct db_health;
struct db_result;

enum {
    DB_VALUES_MAX = 256,   /* parameters of one statement */
    DB_PIPELINE_DEPTH = 64 /* segments sent ahead of the answers; db_pipeline() takes any number */
};

/* A statement to be prepared: $1-style text under a name that is unique on the connection. The array of
 * statements outlives the connection. In a db_query the name may be NULL: parsed at every use, for what
 * runs rarely. */
struct db_statement {
    const char *name;
    const char *sql;
};

/* One parameter. data NULL is SQL NULL; text (format 0) is NUL-terminated, binary (1) is length bytes. */
struct db_value {
    const char *data;
    int length;
    int format;
};

/* What PostgreSQL said when a segment failed. sqlstate "" means it did not fail. Never shown to callers. */
struct db_failure {
    char sqlstate[6];
    char message[256];
    char detail[512];     /* our own raise ... using detail: facts for the caller, e.g. "state=OPEN" */
    char constraint[64];
    int position;         /* the character of the SQL text it points at, from 1; 0: none */
};

struct db_query {
    const struct db_statement *statement;
    const struct db_value *values;
    int value_count;
    struct db_result *result; /* out: rows in binary format; NULL where the segment failed before it */
};

enum db_segment_state {
    DB_SEGMENT_DONE,      /* committed; every query has its result */
    DB_SEGMENT_FAILED,    /* rolled back; `failure` says why; results before the failing query are kept */
    DB_SEGMENT_LOST,      /* the connection broke before this segment's sync was sent: nothing happened */
    DB_SEGMENT_UNKNOWN    /* it broke after it, or synchronous replication was cut short: maybe committed */
};

struct db_segment {
    struct db_query *queries;
    unsigned query_count;
    enum db_segment_state state; /* out */
    struct db_failure failure;   /* out */
};

struct db_options {
    const char *url;      /* postgresql://… or key=value; what it sets wins over our defaults */
    const char *application_name;
    const char *session_sql; /* one statement, run after connecting ("set role …"); may be NULL */
    const struct db_statement *statements;
    unsigned statement_count;
    int64_t connect_timeout_us; /* for each server; 0: the URL's connect_timeout, or 2 s without one */
    /* Longest silence while answers are due, before the connection counts as dead; above any
     * statement_timeout in use. 0: 60 s. */
    int64_t io_timeout_us;
    struct db_health *health; /* shared by the process' connections; may be NULL */
};

/* Makes a connection object; does not connect yet. Copies the options' texts (not the statements). Never
 * fails but for want of memory (NULL). */
struct db_connection *db_connection_new(const struct db_options *options);
void db_connection_free(struct db_connection *connection);
void db_connection_freep(struct db_connection **connection);

/* Connects and prepares where needed. After a failure the next attempts are refused at once until a
 * back-off with jitter (50 ms doubling to 2 s) has passed: DATABASE_UNAVAILABLE with retry_after_ms. */
int db_connection_ensure(struct db_connection *connection, struct err *err) MUST_CHECK;

/* From now on no answer is waited for beyond that point of monotonic time, 0: none, however little the server has
 * been silent: the connection then counts as dead. A little later than the statement_timeout of what is sent. */
void db_connection_deadline(struct db_connection *connection, int64_t until_us);

bool db_connection_is_up(const struct db_connection *connection);
void db_connection_drop(struct db_connection *connection);

/* The last thing that went wrong here (connecting, a statement that could not be prepared, a lost
 * connection); "" when nothing has since it was last asked. For the log and the readiness detail: it may
 * hold SQL names and addresses, so never for callers. */
const char *db_connection_problem(struct db_connection *connection);

/* Runs the segments in one round trip, reconnecting first if needed. 0: every segment has a state (which
 * may be FAILED). -1: the connection could not be had or broke; segments then say LOST or UNKNOWN (or DONE,
 * FAILED if they were answered before). Results stay valid until db_results_clear(). */
int db_pipeline(struct db_connection *connection, struct db_segment *segments, unsigned count,
                struct err *err) MUST_CHECK;

/* Frees every result the connection has handed out. */
void db_results_clear(struct db_connection *connection);

/* What a lane that serves one call at a time may do. One explicit transaction over several round trips;
 * BEGIN itself travels with the first query. `isolation` is "read committed" or "repeatable read".
 *
 * db_query() pipelines its queries in one round trip. A failed one leaves the transaction failed: only
 * db_rollback() is then possible (db_commit() reports the failure and rolls back). Without db_begin() the
 * queries are one implicit transaction. A commit whose answer was lost reports OUTCOME_UNKNOWN; anything
 * else that fails has changed nothing. -1: *ret_failure (may be NULL) is what PostgreSQL said, sqlstate ""
 * if it said nothing, and *err is what a caller may be told. A statement gone stale in mid-transaction is
 * CONFLICT: it is prepared again, and the transaction can be repeated.
 *
 * db_commit() and db_rollback() both end the transaction whatever they return. */
int db_begin(struct db_connection *connection, const char *isolation, bool read_only,
             struct err *err) MUST_CHECK;
int db_query(struct db_connection *connection, struct db_query *queries, unsigned count,
             struct db_failure *ret_failure, struct err *err) MUST_CHECK;
int db_commit(struct db_connection *connection, struct db_failure *ret_failure, struct err *err) MUST_CHECK;
void db_rollback(struct db_connection *connection);

/* While a db_query/db_commit of this connection waits, `is_cancelled(context)` is asked when `wake_fd` (-1:
 * none) turns readable and every 100 ms; once it says yes the call ends with CANCELLED (what may have committed with
 * OUTCOME_UNKNOWN) and the connection is dropped, upon which the server ends the statement within 200 ms. (libpq's
 * PQcancel() waits for the server without any limit.) wake_fd is never read from. Pass is_cancelled NULL to stop
 * asking. */
void db_connection_watch(struct db_connection *connection, int wake_fd, bool (*is_cancelled)(void *context),
                         void *context);

/* Results: rows of binary values. Row and column are counted from 0 and must exist. */
unsigned db_result_rows(const struct db_result *result);
unsigned db_result_columns(const struct db_result *result);
uint32_t db_result_type(const struct db_result *result, unsigned column); /* pg_type oid */
bool db_result_is_null(const struct db_result *result, unsigned row, unsigned column);
const char *db_result_data(const struct db_result *result, unsigned row, unsigned column, size_t *ret_length);

/* int2/4/8, bool, oid, timestamptz in µs since 1970, date in days since 1970 (infinity: INT64_MIN/MAX);
 * NULL and other types give 0. */
int64_t db_result_int(const struct db_result *result, unsigned row, unsigned column);

/* float4/8 and numeric, and what db_result_int() reads. */
double db_result_double(const struct db_result *result, unsigned row, unsigned column);

/* The value as text: numbers, bool, uuid, date and timestamptz as RFC 3339, json and jsonb; any other type's
 * bytes as they are. NULL gives NULL. false: out of arena. */
bool db_result_text(const struct db_result *result, unsigned row, unsigned column, struct arena *arena,
                    char **ret_text);

/* The description of a prepared statement, as the server has it; all of it in the arena. A statement that the
 * schema refuses is INTERNAL, and db_connection_problem() says why. */
struct db_description {
    unsigned parameter_count;
    uint32_t *parameter_types;
    unsigned column_count;
    char **column_names;
    uint32_t *column_types;
};

int db_describe(struct db_connection *connection, const struct db_statement *statement, struct arena *arena,
                struct db_description *ret_description, struct err *err) MUST_CHECK;

/* Plain text SQL, several statements allowed; for migrations and tests, not for requests. Outside db_begin()
 * all of it is one implicit transaction, unless it holds BEGIN or COMMIT of its own. */
int db_execute_script(struct db_connection *connection, const char *sql, struct db_failure *ret_failure,
                      struct err *err) MUST_CHECK;

/* The reason a caller is given for a failure: our own SQLSTATE class 'IS' raises carry the reason's name in the
 * message and facts in the detail, `key=value`, one a line (core.fail() in services/core/migrations);
 * PostgreSQL's are mapped (40001, 40P01, 55P03, 26000, 0A000: CONFLICT; 57014: DEADLINE_EXCEEDED; 23505:
 * ALREADY_EXISTS; 23503: REFERENCE_INVALID; 57Pxx, 08xxx, 58xxx, 25006: DATABASE_UNAVAILABLE; 53xxx: OVERLOADED;
 * else INTERNAL). PostgreSQL's own texts never reach *err. Returns -1. */
int db_failure_to_err(const struct db_failure *failure, struct err *err);

/* Type oids the product uses (pg_type.dat). */
enum {
    DB_BOOL = 16, DB_BYTEA = 17, DB_INT8 = 20, DB_INT2 = 21, DB_INT4 = 23, DB_TEXT = 25, DB_JSON = 114,
    DB_FLOAT4 = 700, DB_FLOAT8 = 701, DB_TEXT_ARRAY = 1009, DB_INT8_ARRAY = 1016, DB_FLOAT8_ARRAY = 1022,
    DB_VARCHAR = 1043, DB_DATE = 1082, DB_DATE_ARRAY = 1182, DB_TIMESTAMPTZ = 1184, DB_TIMESTAMPTZ_ARRAY = 1185,
    DB_NUMERIC = 1700, DB_UUID = 2950, DB_UUID_ARRAY = 2951, DB_JSONB = 3802,
    DB_INT4_ARRAY = 1007, DB_BOOL_ARRAY = 1000
};

#endif
