/* signed_seal.h: what making and verifying a seal must do alike. Inside this folder only. */
#ifndef ISMS_REPORTING_SIGNED_SEAL_H
#define ISMS_REPORTING_SIGNED_SEAL_H

#include "seal.h"

#define SEAL_FORMAT "isms-review seal"
#define SEAL_SIGNED_PREFIX "isms-review seal v1" /* its NUL is part of what is signed */

enum { SEAL_SIGNED_SIZE = sizeof(SEAL_SIGNED_PREFIX) + SHA256_SIZE };

/* What the signature is over. */
void seal_signed_bytes(const struct sha256 *content_hash, uint8_t ret_bytes[static SEAL_SIGNED_SIZE]);

static inline int seal_corrupt(struct err *err, const char *what)
{
    return err_setf(err, ERR_DATA_CORRUPT, "The seal does not hold: %s.", what);
}

#endif
