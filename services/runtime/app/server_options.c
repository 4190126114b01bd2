/* server_options.c: see server_options.h. */
#include "server_options.h"

struct rpc_options server_options_of(const struct settings *settings, const struct certificates *certificates)
{
    return (struct rpc_options){
        .listen = settings->listen,
        .database_url = settings->database_url,
        .message_max = (size_t)settings->message_size_max,
        .calls_max = (unsigned)settings->calls_max,
        .lane_waiting_max = (unsigned)settings->lane_waiting_max,
        .tenant_limits = {.calls_per_second = (unsigned)settings->tenant_calls_per_second,
                          .burst = (unsigned)settings->tenant_calls_burst,
                          .in_flight = (unsigned)settings->tenant_calls_in_flight},
        .workers = {
            [RPC_READ] = (unsigned)settings->read_workers,
            [RPC_WRITE] = (unsigned)settings->write_workers,
            [RPC_EXCLUSIVE] = (unsigned)settings->exclusive_workers,
            [RPC_ADMISSION] = (unsigned)settings->admission_workers,
        },
        .deadline_max_us = settings->deadline_max,
        .streams_max = (unsigned)settings->streams_max,
        .stream_connections = (unsigned)settings->stream_connections,
        .stream_deadline_max_us = settings->stream_deadline_max,
        .stream_stall_timeout_us = settings->stream_stall_timeout,
        .tls = certificates->server,
        .identities = &certificates->identities,
        .keepalive_interval_us = settings->keepalive_interval,
        .keepalive_timeout_us = settings->keepalive_timeout,
        .connection_age_us = settings->connection_age,
        .connection_age_grace_us = settings->connection_age_grace,
        .connection_streams_max = (unsigned)settings->connection_streams_max,
        .header_size_max = (unsigned)settings->header_size_max,
        .reflection = settings->reflection,
    };
}
