/* tls_credentials.h: what gRPC is given out of a struct tls. Inside of this folder. */
#ifndef ISMS_RPC_TLS_CREDENTIALS_H
#define ISMS_RPC_TLS_CREDENTIALS_H

#include <grpc/grpc_security.h>

#include <isms/rpc/identity.h>
#include <isms/rpc/tls.h>

/* For one server, which asks for what is in force at every handshake. The tls outlives it. */
grpc_server_credentials *tls_server_credentials(struct tls *tls);

/* For one channel, with what is in force now. The server's certificate must chain to the CAs and carry the identity;
 * without one (NULL), the DNS name or address that the channel goes to. The identity outlives the channel. */
grpc_channel_credentials *tls_channel_credentials(struct tls *tls, const struct identity *identity);

/* Counts the changes of what is in force. */
uint64_t tls_generation(struct tls *tls);

#endif
