/* database.h: the fixture's database (fixture.h) with roles and all migrations, as isms-migrate makes it. */
#ifndef ISMS_TEST_SQL_DATABASE_H
#define ISMS_TEST_SQL_DATABASE_H

#include <fixture.h>

/* Skips the running test where there is no server. */
void database_migrate(void);

/* A connection with the role of a service ("actions") or of the owner ("owner"). */
struct db_connection *connect_as(const char *role);

#endif
