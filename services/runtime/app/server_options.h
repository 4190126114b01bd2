/* server_options.h: what the settings say about the gRPC server; inside of this folder. */
#ifndef ISMS_APP_SERVER_OPTIONS_H
#define ISMS_APP_SERVER_OPTIONS_H

#include <isms/config/settings.h>
#include <isms/rpc/server.h>

#include "certificates.h"

/* All but the context. What it points to is the settings' and the certificates'. */
struct rpc_options server_options_of(const struct settings *settings, const struct certificates *certificates);

#endif
