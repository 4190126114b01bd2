/* refresh.h: when the keys of an issuer are fetched again; private to the auth layer.
 *
 * Pure logic on plain data: clock and randomness are given by the caller, who also keeps threads apart. Times are
 * those of the wall clock, so that what is decided holds across a suspended machine. */
#ifndef ISMS_AUTH_REFRESH_H
#define ISMS_AUTH_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/crypto.h>

enum {
    REFRESH_LEAST_S = 60, /* what an issuer's Cache-Control is held between */
    REFRESH_MOST_S = 60 * 60,
    REFRESH_DEFAULT_S = 5 * 60, /* where it says nothing */
    REFRESH_EARLY_S = 5,        /* between two fetches that tokens asked for */
    REFRESH_RETRY_FIRST_S = 1,  /* after a failure, doubling */
    REFRESH_RETRY_MOST_S = 60,
    REFRESH_QUESTIONS_MAX = 128
};

/* A token whose key was not in the set. */
struct question {
    struct sha256 token;
    int64_t asked_us;
};

struct refresh { /* zeroed: to be fetched at once */
    int64_t due_us;     /* of the next fetch */
    int64_t began_us;   /* of the last one */
    int64_t early_us;   /* began_us of the last one that a token had asked for */
    int64_t fetched_us; /* began_us of the last one that succeeded; 0: none has */
    int64_t answered_us; /* when that one ended */
    bool under_way;
    bool early; /* the next one is asked for */
    unsigned failures; /* in a row */
    struct question questions[REFRESH_QUESTIONS_MAX];
};

/* µs until the next fetch is due; 0: now. */
int64_t refresh_wait(const struct refresh *refresh, int64_t now_us);

void refresh_begin(struct refresh *refresh, int64_t now_us);
/* max_age_s: as the issuer said; negative: it said nothing. `random` is any uniformly distributed number. */
void refresh_succeeded(struct refresh *refresh, int64_t max_age_s, int64_t now_us, uint32_t random);
void refresh_failed(struct refresh *refresh, int64_t now_us, uint32_t random);

/* Asks for a fetch before its time. Answers the µs after which it may be done. */
int64_t refresh_hasten(struct refresh *refresh, int64_t now_us);

/* A token's key is not in the set whose fetch began at `keys_us`. true: nor will it be, the set was fetched since the
 * token was first seen. false: a fetch is asked for, and after *ret_retry_us it is worth looking again. */
bool refresh_lacks(struct refresh *refresh, int64_t keys_us, const struct sha256 *token, int64_t now_us,
                   int64_t *ret_retry_us);

#endif
