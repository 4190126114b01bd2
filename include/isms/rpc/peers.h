/* peers.h: the channels to the other services, and the assertions that calls over them carry. */
#ifndef ISMS_RPC_PEERS_H
#define ISMS_RPC_PEERS_H

#include <stdbool.h>

#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/rpc/call.h>
#include <isms/rpc/identity.h>
#include <isms/rpc/tls.h>

struct rpc_peers_options {
    const char *service;                 /* our own name: the issuer of assertions */
    const struct signing_key *key;       /* NULL: no peer can be called */
    const char *addresses[PEER_COUNT];   /* "" or NULL: not known */
    struct tls *tls;                     /* NULL: plain TCP */
    const struct peer_identities *identities; /* whom to expect there; NULL: by the addresses' names */
};

struct rpc_peers;

/* Connects lazily. What the options point to outlives the peers. */
int rpc_peers_new(const struct rpc_peers_options *options, struct rpc_peers **ret_peers,
                  struct err *err) MUST_CHECK;
void rpc_peers_free(struct rpc_peers *peers);
void rpc_peers_freep(struct rpc_peers **peers);

enum rpc_peer_state { RPC_PEER_UNKNOWN /* no address */, RPC_PEER_DOWN, RPC_PEER_UP };
enum rpc_peer_state rpc_peers_state(struct rpc_peers *peers, enum peer peer);

#endif
