/* service.h: the inputs service, as main() and the tests of its completeness see it. */
#ifndef ISMS_INPUTS_SERVICE_H
#define ISMS_INPUTS_SERVICE_H

#include <stdint.h>

#include <isms/app/app.h>
#include <isms/proto/descriptors.h>
#include <isms/rpc/call.h>

#include "storage.h"

/* call_service_data(). Read-only once the service has started. */
struct inputs {
    const struct descriptors *descriptors;
    struct storage storage;
    int64_t evidence_size_max;  /* bytes of a file */
    int64_t evidence_total_max; /* bytes of all files of an organisation */
    int64_t evidence_keep_us;
};

extern const struct app_service inputs_service;

static inline const struct descriptors *inputs_descriptors(const struct call *call)
{
    return ((const struct inputs *)call_service_data(call))->descriptors;
}

/* Handlers. Those of evidence files are in evidence.h. */
rpc_run get_metric_trend;       /* trends.c */
rpc_run list_metric_trends;
rpc_run get_input_trend;
rpc_run batch_get_inputs;       /* batch.c */
rpc_run batch_upsert_inputs;
rpc_run list_input_changes;     /* history.c */
rpc_run run_import;             /* import.c */
rpc_run create_snapshot;        /* snapshot.c */
rpc_run check_quality;          /* check_quality.c */
rpc_run get_quality_figures;
rpc_run diff_snapshots;         /* snapshot_diff.c */
rpc_run issue_intake_token;     /* intake.c */
rpc_run submit_intake;
rpc_run deliver_contribution;   /* contribution.c */
rpc_run hand_over;

#endif
