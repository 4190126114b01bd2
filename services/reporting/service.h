/* service.h: what the reporting service consists of, and what its handlers share. */
#ifndef ISMS_REPORTING_SERVICE_H
#define ISMS_REPORTING_SERVICE_H

#include <stdint.h>

#include <isms/app/app.h>
#include <isms/base/crypto.h>
#include <isms/cache/cache.h>
#include <isms/proto/descriptors.h>
#include <isms/rpc/call.h>

#include "record.h"

/* call_service_data(). Read-only once the service has started. */
struct reporting {
    const struct descriptors *descriptors;
    struct cache *cache;
    struct signing_key *installation_key;
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    char key_id[RECORD_KEY_ID_SIZE];
};

extern const struct app_service reporting_service;

/* The rpcs that are more than a statement. */
rpc_run report_render; /* render.c */
rpc_run dashboard_get; /* dashboard.c */

/* The job `seal` (seal_job.c). */
int seal_run(struct job_run *run, struct err *err);

#endif
