/* platform_key.h: the first credential of an installation.
 *
 * Organisations are created by platform administrators, and somebody has to be the first: whoever holds the owning
 * role of the database may make a key with the role PLATFORM_ADMIN. */
#ifndef ISMS_MIGRATE_PLATFORM_KEY_H
#define ISMS_MIGRATE_PLATFORM_KEY_H

#include <stdio.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

/* Makes a key of that name (1 to 100 letters, digits, blanks, "._-") and prints it, this once, to `out`. */
int platform_key_make(const char *database_url, const char *name, FILE *out, struct err *err) MUST_CHECK;

#endif
