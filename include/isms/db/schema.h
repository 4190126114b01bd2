/* schema.h: is the database at the migrations this program was built with?
 *
 * isms-migrate records every migration it applied in migration.applied, readable by every role. A service
 * asks at start-up and is not ready while the answer is no: neither on a schema that lacks what it needs, nor
 * on one newer than it knows. */
#ifndef ISMS_DB_SCHEMA_H
#define ISMS_DB_SCHEMA_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/db/connection.h>

struct schema_version {
    const char *schema; /* "core", "reviews", … */
    int number;         /* of its last migration; 0: none */
};

/* -1: DATABASE_UNAVAILABLE; the message names the first schema that differs and both numbers, and is fit for
 * the readiness detail. */
int schema_check(struct db_connection *connection, const struct schema_version *expected, unsigned count,
                 struct err *err) MUST_CHECK;

#endif
