/* service.h: what the reviews service consists of, and what its handlers share. */
#ifndef ISMS_REVIEWS_SERVICE_H
#define ISMS_REVIEWS_SERVICE_H

#include <stdint.h>

#include <isms/app/app.h>
#include <isms/auth/api_key.h>
#include <isms/base/crypto.h>
#include <isms/base/uuid.h>
#include <isms/proto/descriptors.h>
#include <isms/rpc/call.h>

#include "record.h"

/* call_service_data(). Read-only once the service has started. */
struct reviews {
    const struct descriptors *descriptors;
    struct signing_key *installation_key;
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    char key_id[RECORD_KEY_ID_SIZE];
};

extern const struct app_service reviews_service;

/* The rpcs that are more than a statement. */
rpc_run organisation_create; /* organisation.c */
rpc_run organisation_suspend;
rpc_run organisation_resume;
rpc_run organisation_erase;
rpc_run organisation_limit;
rpc_run self_get;
rpc_run key_create; /* key.c */
rpc_run key_update;
rpc_run key_rotate;
rpc_run review_open; /* open.c */
rpc_run conformity_get; /* sign.c */
rpc_run gap_waive;
rpc_run review_sign;

/* key.c: texts in the call's arena, NULL without memory; and what is then answered, -1. */
char *uuid_text(struct call *call, struct uuid uuid);
char *key_text(struct call *call, const struct api_key *key);
int out_of_memory(struct err *err);

#endif
