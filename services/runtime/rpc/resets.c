/* resets.c: see resets.h. A place keeps its level when another peer takes it over: peers that alternate, on ports that
 * were chosen to share a place, gain nothing. */
#include "resets.h"

void resets_init(struct resets *resets, struct bucket_rate rate, int64_t now_us)
{
    *resets = (struct resets){.rate = rate};
    for (unsigned i = 0; i < RESET_PLACES; i++)
        resets->places[i].left = bucket_full(rate, now_us);
}

bool resets_count(struct resets *resets, uint64_t peer, int64_t now_us)
{
    struct reset_place *place = &resets->places[peer % RESET_PLACES];
    int64_t ignored_us;
    if (place->peer != peer) {
        place->peer = peer;
        place->bad_until_us = 0;
    }
    if (bucket_take(&place->left, resets->rate, now_us, &ignored_us))
        return false;
    place->bad_until_us = resets->bad_until_us = now_us + RESET_BAD_US;
    return true;
}

bool resets_is_bad(const struct resets *resets, uint64_t peer, int64_t now_us)
{
    const struct reset_place *place = &resets->places[peer % RESET_PLACES];
    return place->peer == peer && now_us < place->bad_until_us;
}
