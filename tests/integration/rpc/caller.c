/* caller.c: see caller.h. Stacks are small: some tests have hundreds of callers. */
#include "caller.h"

enum { STACK_SIZE = 256 * 1024, RESPONSE_MAX = 1024 * 1024 };

static void *caller_main(void *argument)
{
    struct caller *caller = argument;
    caller->result = probe_call_as(caller->credential, caller->method, caller->request, caller->type,
                                   caller->timeout_us, &caller->arena, &caller->response, &caller->err);
    return NULL;
}

void caller_start_as(struct caller *caller, const char *credential, const char *method,
                     const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type, int64_t timeout_us)
{
    pthread_attr_t attributes;
    *caller = (struct caller){.credential = credential, .method = method, .request = request, .type = type,
                              .timeout_us = timeout_us};
    arena_init(&caller->arena, RESPONSE_MAX);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    assert_int_equal(pthread_create(&caller->thread, &attributes, caller_main, caller), 0);
    pthread_attr_destroy(&attributes);
}

void caller_start(struct caller *caller, unsigned organisation, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *type)
{
    caller_start_as(caller, probe_credential(organisation), method, request, type, PROBE_DEADLINE_US);
}

void caller_join(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
}

void caller_end(struct caller *caller)
{
    caller_join(caller);
    arena_release(&caller->arena);
}

void caller_succeed(struct caller *caller)
{
    caller_join(caller);
    if (caller->result < 0)
        fail_msg("%s: %s: %s", caller->method, err_reason_name(caller->err.reason), caller->err.message);
    arena_release(&caller->arena);
}
