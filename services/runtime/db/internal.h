/* internal.h: what the files of this layer share. A `struct db_result` is libpq's PGresult under another
 * name. */
#ifndef ISMS_DB_INTERNAL_H
#define ISMS_DB_INTERNAL_H

#include <libpq-fe.h>

#include <isms/db/backoff.h>
#include <isms/db/connection.h>
#include <isms/db/health.h>

enum { DB_PROBLEM_SIZE = 384, DB_HOSTS_MAX = 8 };

/* One of the servers of a URL; what is NULL is as the URL has it. */
struct host {
    const char *name;
    const char *address;
    const char *port;
};

struct db_connection {
    struct arena arena; /* copies of the options' texts */
    struct db_options options;
    unsigned host_count; /* 0: the URL names none */
    unsigned host;       /* tried next; the one in use while connected */
    struct host hosts[DB_HOSTS_MAX];
    int64_t deadline_us; /* 0: none */
    PGconn *pq; /* NULL: not connected; else in nonblocking pipeline mode, and idle between calls */
    struct backoff backoff;
    int64_t failed_us; /* when it could not be connected, last */
    bool connected_before;
    bool counted;      /* in options.health */
    bool ending;       /* to be replaced: the server said farewell, or only reads */
    bool unreplicated; /* a wait for synchronous replication was cut short since this was last cleared */
    char problem[DB_PROBLEM_SIZE];
    bool problem_told;

    PGresult **results; /* handed out, in no order */
    unsigned result_count;
    unsigned result_capacity;

    /* The explicit transaction. */
    bool in_transaction;
    bool begin_pending;        /* BEGIN waits for the first query */
    bool stale;                /* a prepared statement was found stale inside it */
    char begin[64];
    struct db_failure failure; /* what made it fail */

    /* Who may cancel. */
    int wake_fd;
    bool (*is_cancelled)(void *context);
    void *context;
};

/* wait.c: waiting for the server, never for ever. */

struct wait {
    struct db_connection *connection;
    bool watched;        /* ask is_cancelled */
    bool cancelled;      /* it said yes: nothing more is waited for */
    bool gave_up;        /* no answer came in time */
    bool wake_fd_asked;  /* it said no to this readiness of wake_fd; look again at the next tick */
};

/* Waits for the socket and reads and flushes what it allows. false: the connection is broken or too long
 * silent; what had arrived before can still be taken. */
bool wait_io(struct wait *wait);

/* Waits until `events` of poll(2) or the point of monotonic time. */
bool wait_socket(int fd, short events, int64_t until_us);

/* hosts.c: what the URL lists, in the arena; how many. *ret_timeout_us is its connect_timeout, 0 without one. */
unsigned hosts_parse(const char *url, struct arena *arena, struct host ret_hosts[static DB_HOSTS_MAX],
                     int64_t *ret_timeout_us);

/* connection.c */

/* Keeps the text for db_connection_problem(). */
void connection_problem(struct db_connection *connection, const char *what, const char *detail);

/* Takes the result over until db_results_clear(). false: no memory, the result is cleared. */
bool connection_keep(struct db_connection *connection, PGresult *result);

/* DATABASE_UNAVAILABLE, with when to retry. Returns -1. */
int connection_unavailable(const struct db_connection *connection, struct err *err);

/* pipeline.c */

/* One round trip of segments, each with its sync. */
struct run {
    struct wait wait;
    const char *prefix; /* plain SQL that leads the first segment, in its transaction; NULL: none */
    struct db_segment *segments;
    unsigned count;
    /* Hands segment `index` to libpq without its sync; NULL: its queries. */
    bool (*send)(const struct run *run, unsigned index);
    const struct db_statement *statements; /* for `send`: one a segment */

    unsigned sent;     /* segments handed to libpq, sync included */
    unsigned answered; /* segments whose sync was answered */
    int query;         /* the one being answered, of the segment being answered; -1: the prefix */
};

/* true: every segment was answered. false: the connection broke and is dropped. Either way every segment has
 * its state. */
bool run_segments(struct db_connection *connection, struct run *run);

/* Runs one statement without parameters, plain SQL, in a transaction of its own. */
struct db_segment run_sql(struct db_connection *connection, const char *sql);

bool failure_is_stale(const struct db_failure *failure);

/* Prepares again what the segment uses. false: the connection broke. */
bool segment_prepare_again(struct db_connection *connection, const struct db_segment *segment);

/* failure.c */
void failure_read(struct db_failure *failure, const PGresult *result);

/* statement.c */

/* Prepares the statements, a sync each, in one round trip; one that fails becomes the connection's problem.
 * false: the connection broke. */
bool statements_prepare(struct db_connection *connection, const struct db_statement *statements,
                        unsigned count);

/* The same for names that may be taken by a stale statement. */
bool statements_prepare_again(struct db_connection *connection, const struct db_statement *statements,
                              unsigned count);

#endif
