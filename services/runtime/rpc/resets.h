/* resets.h: who begins calls only to reset them (CVE-2023-44487, "rapid reset").
 *
 * HTTP/2 limits the calls that a connection has at once; one that is reset counts no more, and has cost the server
 * almost as much as any. gRPC core 1.51 has nothing against that. As other servers do, this one takes so many resets a
 * second from a connection; one with more is bad, and is to be ended soon: the peer's port may soon be somebody else's.
 *
 * A connection is a number, a hash of its peer. The table is small and never looked through: two connections may have
 * to share a place, and then what they may reset; nobody who resets nothing is ever taken for bad. Plain memory with
 * the time as a parameter; no locks: the poller's alone. */
#ifndef ISMS_RPC_RESETS_H
#define ISMS_RPC_RESETS_H

#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"

enum {
    RESET_PLACES = 1024,
    RESET_BAD_US = 100 * 1000,
    RESET_PATIENCE_US = 500 * 1000 /* a call that lived longer was not begun to be reset */
};

struct resets {
    struct bucket_rate rate;
    int64_t bad_until_us; /* of the one that was found bad last */
    struct reset_place {
        uint64_t peer;
        struct bucket left;
        int64_t bad_until_us;
    } places[RESET_PLACES];
};

void resets_init(struct resets *resets, struct bucket_rate rate, int64_t now_us);

/* A call of this peer was reset. true: there were too many, it is bad from now on. */
bool resets_count(struct resets *resets, uint64_t peer, int64_t now_us);

/* Whether anybody is bad: else nobody has to ask who a peer is. */
static inline bool resets_any_bad(const struct resets *resets, int64_t now_us)
{
    return now_us < resets->bad_until_us;
}

bool resets_is_bad(const struct resets *resets, uint64_t peer, int64_t now_us);

#endif
