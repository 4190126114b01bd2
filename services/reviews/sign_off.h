/* sign_off.h: whether the signer's sign-in is what the programme asks for. */
#ifndef ISMS_REVIEWS_SIGN_OFF_H
#define ISMS_REVIEWS_SIGN_OFF_H

#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/reviews/v1/reviews.pb-c.h>

/* `acr` and `auth_time_us` are the access token's; "" and 0 where it does not say, which is never good enough for a
 * policy that asks. AUTHENTICATION_INSUFFICIENT with the facts of RFC 9470: `max_age` in seconds, and `acr_values`
 * parted by spaces, as many as fit, where the policy names any. Pure. */
int sign_off_check(const Isms__Reviews__V1__SignOff *policy, const char *acr, int64_t auth_time_us, int64_t now_us,
                   struct err *err) MUST_CHECK;

#endif
