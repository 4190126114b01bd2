/* connections.h: the connections that were accepted on a port.
 *
 * gRPC core neither says which there are nor ends one; the system does. A descriptor is never closed, only
 * disconnected: it stays gRPC's, which finds that the connection was reset. Any thread. */
#ifndef ISMS_RPC_CONNECTIONS_H
#define ISMS_RPC_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef bool connection_choose(void *context, int descriptor);

/* Ends every connection that `choose` says true of; how many were. */
unsigned connections_end(uint16_t port, connection_choose *choose, void *context);

/* Its peer as grpc_call_get_peer() has it, "ipv4:192.0.2.1:5678"; "" where there is none. */
enum { PEER_TEXT_SIZE = 96 };
void connection_peer(int descriptor, char ret_peer[static PEER_TEXT_SIZE]);

#endif
