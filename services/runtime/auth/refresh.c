/* refresh.c: fetching neither too seldom nor too often, whatever strangers send.
 *
 * A rotated key must be accepted from its first token on, so a token with an unknown key has the set fetched. But
 * anybody can send tokens with unknown keys. Hence: fetches that tokens ask for are REFRESH_EARLY_S apart, however
 * many ask. A token is refused only by a set that was fetched after it was first seen: a fresh set may be a moment
 * older than the key. That takes remembering who asked, in a table of fixed size under the token's hash; whoever is
 * pushed out of it, or comes back later, asks again, and is never refused wrongly for it. The key's name would not do
 * in place of the token's hash: a stranger could ask for the next key before it exists, and have it refused. */
#include "refresh.h"

#include <string.h>

static const int64_t SECOND_US = 1000000;
static const int64_t FETCH_US = 100 * 1000; /* what a fetch may take, for a guess at when to look again */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Up to a tenth, or a half, less: replicas that started together do not go on together. */
static int64_t shortened(int64_t time_us, int64_t part, uint32_t random)
{
    return time_us - time_us / part * (int64_t)random / UINT32_MAX;
}

int64_t refresh_wait(const struct refresh *refresh, int64_t now_us)
{
    bool clock_went_back = now_us < refresh->began_us;
    return clock_went_back || now_us >= refresh->due_us ? 0 : refresh->due_us - now_us;
}

void refresh_begin(struct refresh *refresh, int64_t now_us)
{
    refresh->began_us = now_us;
    if (refresh->early)
        refresh->early_us = now_us;
    refresh->early = false;
    refresh->under_way = true;
}

void refresh_succeeded(struct refresh *refresh, int64_t max_age_s, int64_t now_us, uint32_t random)
{
    int64_t age_s = max_age_s < 0                 ? REFRESH_DEFAULT_S
                    : max_age_s < REFRESH_LEAST_S ? REFRESH_LEAST_S
                                                  : least(max_age_s, REFRESH_MOST_S);
    refresh->under_way = false;
    refresh->failures = 0;
    refresh->fetched_us = refresh->began_us;
    refresh->answered_us = now_us;
    refresh->due_us = now_us + shortened(age_s * SECOND_US, 10, random);
}

void refresh_failed(struct refresh *refresh, int64_t now_us, uint32_t random)
{
    int64_t delay_s = REFRESH_RETRY_FIRST_S;
    for (unsigned i = 0; i < refresh->failures && delay_s < REFRESH_RETRY_MOST_S; i++)
        delay_s *= 2;
    refresh->under_way = false;
    refresh->failures++;
    refresh->due_us = now_us + shortened(least(delay_s, REFRESH_RETRY_MOST_S) * SECOND_US, 2, random);
}

int64_t refresh_hasten(struct refresh *refresh, int64_t now_us)
{
    int64_t early_us = refresh->early_us + REFRESH_EARLY_S * SECOND_US;
    bool clock_went_back = now_us < refresh->early_us;
    if (refresh->under_way)
        return FETCH_US;
    if (early_us < now_us || clock_went_back)
        early_us = now_us;
    if (early_us < refresh->due_us) {
        refresh->due_us = early_us;
        refresh->early = true;
    }
    return refresh_wait(refresh, now_us) + FETCH_US;
}

static struct question *question_find(struct refresh *refresh, const struct sha256 *token)
{
    for (unsigned i = 0; i < REFRESH_QUESTIONS_MAX; i++) {
        struct question *question = &refresh->questions[i];
        if (question->asked_us != 0 && memcmp(&question->token, token, sizeof(*token)) == 0)
            return question;
    }
    return NULL;
}

static void question_add(struct refresh *refresh, const struct sha256 *token, int64_t now_us)
{
    struct question *oldest = refresh->questions;
    for (unsigned i = 1; i < REFRESH_QUESTIONS_MAX; i++)
        if (refresh->questions[i].asked_us < oldest->asked_us)
            oldest = &refresh->questions[i];
    *oldest = (struct question){.token = *token, .asked_us = now_us};
}

bool refresh_lacks(struct refresh *refresh, int64_t keys_us, const struct sha256 *token, int64_t now_us,
                   int64_t *ret_retry_us)
{
    struct question *question = question_find(refresh, token);
    bool answered = question && keys_us > question->asked_us;
    if (keys_us < refresh->fetched_us) {
        *ret_retry_us = 0; /* a newer set came while this one was looked into */
        return false;
    }
    if (answered && now_us < refresh->answered_us + REFRESH_EARLY_S * SECOND_US)
        return true;
    if (answered)
        question->asked_us = now_us; /* the answer is old: the key may have come since */
    else if (!question)
        question_add(refresh, token, now_us);
    *ret_retry_us = refresh_hasten(refresh, now_us);
    return false;
}
