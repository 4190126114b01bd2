/* fixture.h: a database of its own for a test program, on the server that ISMS_TEST_DATABASE_URL names
 * (postgresql://user@host:port/db, a superuser over TCP). Without it every test is reported as skipped. */
#ifndef ISMS_TEST_DB_FIXTURE_H
#define ISMS_TEST_DB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/db/connection.h>

/* Group setup and teardown. */
int fixture_create(void **state);
int fixture_destroy(void **state);

/* The database's URL; skips the running test where there is none. `host_port` NULL: the server itself. */
const char *fixture_url(const char *host_port);
const char *fixture_host(void);
int fixture_port(void);

/* A port of loopback that nobody listens on now. */
int fixture_free_port(void);

struct db_connection *fixture_connect(const struct db_statement *statements, unsigned count);
struct db_connection *fixture_connect_to(const char *url, const struct db_statement *statements,
                                         unsigned count);

/* Connects, whose back-off is waited for, for a minute at most. */
void fixture_ensure(struct db_connection *connection);

/* Asserts that the script runs. */
void fixture_run(struct db_connection *connection, const char *sql);

/* The single integer the statement gives; forgets the connection's results. */
int64_t fixture_int(struct db_connection *connection, const char *sql);

/* Waits until the statement gives true, for a minute at most. */
void fixture_wait(struct db_connection *connection, const char *sql);

#define CONNECTION CLEANUP(db_connection_freep) UNUSED struct db_connection *

/* A text parameter, a query, a segment. */
#define TEXT(text) {.data = (text)}
#define QUERY(prepared, ...) \
    {.statement = (prepared), \
     .values = (const struct db_value[]){__VA_ARGS__}, \
     .value_count = (int)ARRAY_SIZE(((const struct db_value[]){__VA_ARGS__}))}
#define SEGMENT(...) \
    {.queries = (struct db_query[]){__VA_ARGS__}, \
     .query_count = (unsigned)ARRAY_SIZE(((struct db_query[]){__VA_ARGS__}))}

#endif
