/* fuzz_jwt.c: access tokens. No text is accepted but the ones that the issuer signed, byte for byte; of what the issuer
 * signed with any content, only what names issuer, audience and a time that has not passed.
 *
 * An input that begins with a brace is "header LF payload", and is signed here with a key that the verifier knows; any
 * other is the text itself. The texts that are right were signed with keys that nobody has any more. */
#include <string.h>

#include <isms/auth/jwt.h>
#include <isms/base/buf.h>
#include <isms/base/utf8.h>

#include "fuzz.h"
#include "fuzz_sign.h"

#define ISSUER "https://id.example"

static const int64_t NOW_US = 1000 * 1000000, LEEWAY_US = 30 * 1000000;

/* JWKS */
static const char key_set[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"reKZ08Wd2-9qYyMDo4d5UlQH-FYUwAQxkvGC7-TxhERB-Jo8VILL2nXa_ha"
    "ZLeMKdABwz8fr0BUfpKde71VL7JHjc4YMFmHIZtIjtu7wp-CAPBT66NHSyVa8n4gtYi_FkZ7P_PqWE0fCnGOtO_gSuYJImob"
    "TwyHCeokhHMVWMggC0dpr18Gy40_3mdah0RIyE5kOe8_xBlElQfbRRipAsB6JPUuFQUYAelBUO6NovpRk--6k5aNSXktXFcs"
    "D4wvyH-ck4oCPlKS2qKbymPWCAATqYpaJIW4rfb6BM3uOIGbgoZ4PxQLW-lQIy2rJSYE5dPA7pbUP_S-Mij-CqwrH_Q\",\"e\""
    ":\"AQAB\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"zD56LkNOS6wi9btJGezXxyDzKezYcQXqlbp7zuvmUk8\",\""
    "y\":\"ZPX4GjCNjpCMacKHzNAVR1O4sBeq2Y6eSRxyMrmrWPk\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"d\",\"x\":\"zT"
    "2ozOnSiISZOV-neyIJC5v7ISwyOt7-LfLwHXDR7ic\"}]}";
/* RS256, PS256, ES256, EdDSA */
static const char *const signed_tokens[] = {
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJpc21zIiwic3ViI"
    "joidTEiLCJpYXQiOjk5OSwiZXhwIjoyMDAwLCJ0ZW5hbnRfaWQiOiIwMTkwYTVkNC03ZjNlLTdjMTItOGE0Yi0xYzJkM2U0Z"
    "jVhNmIifQ.DX87CMktHXToP5IsIFAQtXvrFqguqFzcuuFT2zQnOeoxUVaRSrIZew4c7jfDD_CykKRagZiga65CzT4WIbbhiX"
    "sTxM326_Khi93VxRxf7L6-K-DIHi1x0ezZhz7mWwHN6fip_kQvb_tuLsljjvmrq90MGGD68HDCl0YF1g_FoayZm9VfeuOEyI"
    "Saw5if6LezYzqYpTWqfdKGBAqlMmzasbA2E-KzCUOKJ3z0aHnPKWCXU9n5JNh1MW7uKPZ3JD_gERI8Yf0bkuxU4kycyPGXMw"
    "j0PTmaqxF9yzH6oK_dtzbLqHyxUPHBa0_DQ3TrCiowumwx4iGMmODkq0RAln3AIA",
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJpc21zIiwic3ViI"
    "joidTEiLCJpYXQiOjk5OSwiZXhwIjoyMDAwLCJ0ZW5hbnRfaWQiOiIwMTkwYTVkNC03ZjNlLTdjMTItOGE0Yi0xYzJkM2U0Z"
    "jVhNmIifQ.VeBFo6MR1SC-WsZJv1t1MHHTUj3kNQXoKbvTiapzBa9vKUCPk_770VOnHplgJVCza99QewW4Cr5Z12_zhHnFnh"
    "CUW2oFxOWf405LqEcpQQJ_jJ4GJQiKDDsGdEgviYfjJSA5xx901WArS5U87-n6zltGp9oCNaMQK2a1v2uQnROyIs3k_sSYm9"
    "WxD62vn2n81SbsYcST0XNsNori0mXTlEPVsDFS9jMHo4fTVsyF3C3crdhT9md2rknYqkVKR1RZXvX0METBICAib3-0sLEKPh"
    "kR4wi2CkWHfHRcRDwKU0IgB0P2ZuV4Xng_fXEqzFRzKCac1DBMFChhvwyvGHSXPQ",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJpc21zIiwic3ViI"
    "joidTEiLCJpYXQiOjk5OSwiZXhwIjoyMDAwLCJ0ZW5hbnRfaWQiOiIwMTkwYTVkNC03ZjNlLTdjMTItOGE0Yi0xYzJkM2U0Z"
    "jVhNmIifQ.x9nWFhUqFzwNmXZ39V4eoePjqk1z5-AIW6IuhRnQTPzFv1Sqh25pjzXe9KdLpQSI48R26ySIblbQ50JWRXDgAg",
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImQifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJpc21zIiwic3ViI"
    "joidTEiLCJpYXQiOjk5OSwiZXhwIjoyMDAwLCJ0ZW5hbnRfaWQiOiIwMTkwYTVkNC03ZjNlLTdjMTItOGE0Yi0xYzJkM2U0Z"
    "jVhNmIifQ.a2T5JSiA0VXCOw-CTlLI8Q-stVxyyl-PxlqIwJKZnwewF5IvfU8gaEaz5F3JTacJPx-CIab6i6MyYKHNYUnXAA",
};

static struct jwt_verifier *verifier_of(const char *jwks, size_t length)
{
    struct err err = {0};
    struct jwks *keys;
    struct jwt_verifier *verifier;
    BUG_IF(jwks_parse(jwks, length, &keys, &err) < 0);
    const struct jwt_issuer issuer = {.issuer = ISSUER, .audience = "isms", .algorithms = ~0u,
                                      .tenant_claim = "tenant_id", .keys = jwks_slot_new(keys)};
    BUG_IF(jwt_verifier_new(&issuer, 1, LEEWAY_US, &verifier, &err) < 0);
    return verifier;
}

/* What a verifier hands on is bounded text, of our issuer and for us, whatever was signed. */
static void claims_check(const struct jwt_claims *claims)
{
    BUG_IF(strcmp(claims->issuer, ISSUER) != 0 || strcmp(claims->audience, "isms") != 0);
    BUG_IF(claims->subject[0] == '\0' || claims->expire_time_us <= NOW_US - LEEWAY_US);
    BUG_IF(claims->issue_time_us > NOW_US + LEEWAY_US);
    BUG_IF(!utf8_is_valid(claims->subject, strlen(claims->subject)) ||
           !utf8_is_valid(claims->name, strlen(claims->name)) ||
           !utf8_is_valid(claims->email, strlen(claims->email)));
}

static bool verify(const struct jwt_verifier *verifier, const char *text, size_t length)
{
    struct jwt_claims claims;
    struct err err = {0};
    if (jwt_verify(verifier, text, length, NOW_US, &claims, &err) == 0) {
        claims_check(&claims);
        return true;
    }
    BUG_IF(err.reason != ERR_CREDENTIAL_INVALID && err.reason != ERR_CREDENTIAL_EXPIRED);
    return false;
}

static void text_verify(const char *text, size_t length)
{
    static struct jwt_verifier *verifier;
    if (!verifier) {
        verifier = verifier_of(key_set, strlen(key_set));
        BUG_IF(!verify(verifier, signed_tokens[ARRAY_SIZE(signed_tokens) - 1],
                       strlen(signed_tokens[ARRAY_SIZE(signed_tokens) - 1])));
    }
    if (!verify(verifier, text, length))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(signed_tokens); i++)
        if (length == strlen(signed_tokens[i]) && memcmp(text, signed_tokens[i], length) == 0)
            return;
    bug(__FILE__, __LINE__, "a text that the issuer did not sign is accepted");
}

static void content_verify(const uint8_t *data, size_t size)
{
    static struct jwt_verifier *verifier;
    if (!verifier) {
        struct buf jwks CLEANUP(buf_release);
        buf_init(&jwks, JWKS_TEXT_MAX);
        fuzz_jwks(&jwks, "d");
        verifier = verifier_of(jwks.data, jwks.length);
    }
    struct buf token CLEANUP(buf_release);
    buf_init(&token, 2 * JWT_TEXT_MAX);
    if (fuzz_sign(data, size, &token))
        (void)verify(verifier, token.data, token.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == '{')
        content_verify(data, size);
    else
        text_verify((const char *)data, size);
    return 0;
}
