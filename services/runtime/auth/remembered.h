/* remembered.h: principals under the SHA-256 of their credential; private to the auth layer.
 *
 * A fixed table of sets of eight entries each, with a mutex per group of sets. Any thread. */
#ifndef ISMS_AUTH_REMEMBERED_H
#define ISMS_AUTH_REMEMBERED_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/auth/principal.h>
#include <isms/base/crypto.h>

struct remembered;

struct remembered *remembered_new(unsigned max); /* NULL when out of memory */
void remembered_free(struct remembered *remembered);

/* The principal, unless the entry has expired. */
bool remembered_get(struct remembered *remembered, const struct sha256 *hash, int64_t now_us,
                    struct principal *ret_principal);
void remembered_put(struct remembered *remembered, const struct sha256 *hash, int64_t expire_time_us,
                    const struct principal *principal);
void remembered_drop(struct remembered *remembered, const struct sha256 *hash);

#endif
