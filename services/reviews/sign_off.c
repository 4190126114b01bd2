/* sign_off.c: a signature always needs a recent sign-in; of which class, the programme may say. Whoever holds a
 * token that was left open on a desk for the day can read, but not sign. */
#include "sign_off.h"

#include <stdbool.h>
#include <string.h>

#include <isms/base/buf.h>

static bool acr_is_accepted(const Isms__Reviews__V1__SignOff *policy, const char *acr)
{
    for (size_t i = 0; i < policy->n_acr_values; i++)
        if (strcmp(policy->acr_values[i], acr) == 0)
            return true;
    return policy->n_acr_values == 0;
}

static void acr_values_tell(const Isms__Reviews__V1__SignOff *policy, struct err *err)
{
    char text[sizeof(err->metadata[0].value)];
    struct buf values;
    buf_init_fixed(&values, text, sizeof(text));
    for (size_t i = 0; i < policy->n_acr_values; i++)
        if (values.length + 1 + strlen(policy->acr_values[i]) < sizeof(text))
            buf_printf(&values, "%s%s", values.length ? " " : "", policy->acr_values[i]);
    if (values.length > 0)
        err_fact(err, "acr_values", "%s", text);
}

int sign_off_check(const Isms__Reviews__V1__SignOff *policy, const char *acr, int64_t auth_time_us, int64_t now_us,
                   struct err *err)
{
    int64_t age_max_us = policy->max_auth_age_seconds * INT64_C(1000000);
    if (auth_time_us != 0 && now_us - auth_time_us <= age_max_us && acr_is_accepted(policy, acr))
        return 0;
    err_set(err, ERR_AUTHENTICATION_INSUFFICIENT);
    err_fact(err, "max_age", "%d", (int)policy->max_auth_age_seconds);
    acr_values_tell(policy, err);
    return -1;
}
