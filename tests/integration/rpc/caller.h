/* caller.h: a call to the probe in a thread of its own. */
#ifndef ISMS_TEST_RPC_CALLER_H
#define ISMS_TEST_RPC_CALLER_H

#include <pthread.h>

#include "probe.h"

struct caller {
    pthread_t thread;
    struct arena arena; /* holds the response */
    const char *credential;
    const char *method;
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *type;
    int64_t timeout_us;
    int result;
    struct err err;
    void *response;
};

/* What is pointed to outlives the call. */
void caller_start_as(struct caller *caller, const char *credential, const char *method,
                     const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type, int64_t timeout_us);
void caller_start(struct caller *caller, unsigned organisation, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *type);

void caller_join(struct caller *caller);    /* result, err and response are there */
void caller_end(struct caller *caller);     /* joins, and gives the memory back, the response's too */
void caller_succeed(struct caller *caller); /* the same of a call that must have succeeded */

#endif
