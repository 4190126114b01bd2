/* migrate.h: brings a database to the migrations of a table of files.
 *
 * Runs as the role that owns the schemas, on a connection of its own, directly to the server (its lock is the
 * session's, which a transaction-pooling proxy would not keep). */
#ifndef ISMS_MIGRATE_MIGRATE_H
#define ISMS_MIGRATE_MIGRATE_H

#include <stdio.h>

#include <isms/base/attributes.h>
#include <isms/base/embed.h>
#include <isms/base/err.h>

enum migrate_command {
    MIGRATE_UP,      /* apply what is pending, one line a file */
    MIGRATE_DRY_RUN, /* say what would be applied */
    MIGRATE_STATUS,  /* say of every file whether it was */
    MIGRATE_CHECK    /* fail if anything is pending */
};

/* Several may run at once: one works, the others wait for it and then find nothing to do. Every file is
 * applied in one transaction together with the record of it, so that a run that broke off is continued by the
 * next. The message of *err is for operators, and may name files, tables and values. */
int migrate(const char *database_url, const struct embedded_file *files, enum migrate_command command,
            FILE *out,
            struct err *err) MUST_CHECK;

#endif
