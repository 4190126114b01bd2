/* health.c: grpc.health.v1.Health/Check, for balancers and probes.
 *
 * The empty name stands for the whole server; each of its services is in the same state. Watch is not there,
 * and gRPC's answer for that (UNIMPLEMENTED) tells clients to do without. */
#include "internal.h"

#include <string.h>

#include <isms/proto/message.h>

#include <grpc/health/v1/health.pb-c.h>

static bool service_exists(const struct call *call, const char *name)
{
    unsigned count;
    const struct rpc_method *methods = rpc_methods_list(call->context->methods, &count);
    if (name[0] == '\0')
        return true;
    for (unsigned i = 0; i < count; i++)
        if (strcmp(methods[i].method->service, name) == 0)
            return true;
    return false;
}

void health_check(struct call *call)
{
    struct err err = {0};
    struct slice bytes;
    ProtobufCMessage *message;
    if (body_read(call->body, call->server->options.message_max, &call->arena, &bytes, &err) < 0 ||
        message_unpack(&grpc__health__v1__health_check_request__descriptor, bytes.data, bytes.length,
                       &call->arena, &message, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    if (!service_exists(call, ((const Grpc__Health__V1__HealthCheckRequest *)message)->service)) {
        err_setf(&err, ERR_NOT_FOUND, "There is no such service here.");
        call_fail(call, &err);
        return;
    }
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = atomic_load(&call->server->serving)
                          ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                          : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    call_answer(call, &response.base);
}
