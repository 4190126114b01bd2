/* platform_key.h: the first credential of an installation, and those that reach into organisations.
 *
 * Organisations are created by platform administrators, and somebody has to be the first: whoever holds the owning
 * role of the database may make a key with the role PLATFORM_ADMIN. Keys with PLATFORM_AGENT, which act for
 * organisations, are made here only: it takes nothing less to let somebody see what belongs to others. */
#ifndef ISMS_MIGRATE_PLATFORM_KEY_H
#define ISMS_MIGRATE_PLATFORM_KEY_H

#include <stdio.h>

#include <isms/auth/permission.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

/* Makes a key of that name (1 to 100 letters, digits, blanks, "._-") with the named roles, PLATFORM_ADMIN where none is
 * named, and prints it, this once, to `out`. */
int platform_key_make(const char *database_url, const char *name, struct role_set roles, FILE *out,
                      struct err *err) MUST_CHECK;

#endif
