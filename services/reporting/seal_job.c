/* seal_job.c: the job that seals the change logs.
 *
 * Sequences are committed in their order (each writer holds the organisation's sequence row), so everything up
 * to a sequence that can be seen is there and stays as it is: reading needs no lock, may take several
 * transactions, and misses nothing. A seal covers whole sequences, from the one after the last seal's; those
 * that changed nothing but append-only tables count as well, so that the seals leave no gap. An organisation
 * gets a seal at a time, so that one with a long backlog does not hold up the others. */
#include "service.h"

#include <string.h>

#include <google/protobuf/empty.pb-c.h>
#include <isms/base/clock.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>
#include <isms/reporting/v1/internal.pb-c.h>
#include <isms/reporting/v1/reporting.pb-c.h>

#include "seal.h"

enum { ORGANISATIONS_PAGE = 500, CHANGES_PAGE = 1000, SEAL_CHANGES_MAX = 10000 };

struct organisation {
    struct uuid tenant;
    int64_t sequence;
    int64_t sealed_sequence;
};

struct organisations {
    struct organisation items[ORGANISATIONS_PAGE];
    size_t count;
    char after[UUID_TEXT_SIZE];
};

/* The seal that is being made for one organisation. */
struct sealing {
    int64_t through_sequence;
    bool begun;
    bool complete; /* the batch is */
    struct seal seal;
    struct seal_batch batch;
};

/* --- reading -------------------------------------------------------------------------------------------- */

/* An rpc_job_run across tenants: the organisations with something to seal, a page of them. */
static int organisations_list(struct call *call, void *context, struct err *err)
{
    struct organisations *page = context;
    Isms__Reporting__V1__ListUnsealedRequest list = ISMS__REPORTING__V1__LIST_UNSEALED_REQUEST__INIT;
    Isms__Reporting__V1__ListUnsealedResponse found = ISMS__REPORTING__V1__LIST_UNSEALED_RESPONSE__INIT;
    list.after_tenant_id = page->after;
    list.count = ORGANISATIONS_PAGE;
    page->count = 0;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "ListUnsealed", &list.base, &found.base, err) < 0)
        return -1;
    for (size_t i = 0; i < found.n_organisations && i < ORGANISATIONS_PAGE; i++) {
        struct organisation *item = &page->items[page->count];
        if (!uuid_parse(found.organisations[i]->tenant_id, &item->tenant))
            return err_set(err, ERR_INTERNAL);
        item->sequence = found.organisations[i]->sequence;
        item->sealed_sequence = found.organisations[i]->sealed_sequence;
        page->count++;
    }
    if (page->count > 0)
        uuid_format(page->items[page->count - 1].tenant, page->after);
    return 0;
}

/* The last seal, if it still is what was signed: nothing is sealed on top of one that is not. */
static int last_seal_check(const struct reporting *reporting, const Isms__Reporting__V1__Seal *row,
                           struct seal *last, struct err *err)
{
    if (seal_read(row->content, strlen(row->content), row->sha256, last, err) < 0)
        return -1;
    if (last->number != row->number || last->last_sequence != row->last_sequence)
        return err_setf(err, ERR_DATA_CORRUPT, "The last seal says other things than its content.");
    if (strcmp(row->key_id, reporting->key_id) != 0)
        return 0; /* of a key that the installation had before */
    return seal_verify_signature(reporting->public_key, row->sha256, row->signature.data, row->signature.len,
                                 err);
}

static int sealing_begin(struct call *call, struct sealing *sealing, struct err *err)
{
    Isms__Reporting__V1__LastSealRequest get = ISMS__REPORTING__V1__LAST_SEAL_REQUEST__INIT;
    Isms__Reporting__V1__Seal row = ISMS__REPORTING__V1__SEAL__INIT;
    struct seal last = {0};
    if (call_statement(call, "LastSeal", &get.base, &row.base, err) < 0 ||
        (row.number > 0 && last_seal_check(call_service_data(call), &row, &last, err) < 0))
        return -1;
    if (last.last_sequence >= sealing->through_sequence)
        return err_set(err, ERR_CONFLICT); /* another replica was first */
    sealing->seal = (struct seal){.number = last.number + 1, .first_sequence = last.last_sequence + 1};
    memcpy(sealing->seal.previous_sha256, row.sha256,
           strlen(row.sha256) + 1); /* seal_read() has seen its length */
    sealing->batch.sequence = last.last_sequence;
    sealing->begun = true;
    return 0;
}

static int change_add(struct sealing *sealing, const Isms__Reporting__V1__Change *change, struct err *err)
{
    struct seal_change line = {
        .sequence = change->sequence,
        .ordinal = change->ordinal,
        .service = change->service,
        .method = change->method,
        .table = change->table,
        .row_id = change->row_id,
        .revision = change->revision,
        .operation = change->operation,
        .actor_id = change->actor_id,
        .actor_kind = change->actor_kind,
        .on_behalf_of = change->on_behalf_of,
        .request_id = change->request_id,
        .change_time_us = change->change_time
                              ? change->change_time->seconds * 1000000 + change->change_time->nanos / 1000
                              : 0,
        .content_sha256 = change->content_sha256,
        .previous_sha256 = change->previous_sha256,
    };
    return seal_batch_add(&sealing->batch, &line, err);
}

/* An rpc_job_run: adds the next page of changes. A full batch ends before the next sequence. */
static int changes_read(struct call *call, void *context, struct err *err)
{
    struct sealing *sealing = context;
    Isms__Reporting__V1__ListUnsealedChangesRequest list =
        ISMS__REPORTING__V1__LIST_UNSEALED_CHANGES_REQUEST__INIT;
    Isms__Reporting__V1__ListUnsealedChangesResponse page =
        ISMS__REPORTING__V1__LIST_UNSEALED_CHANGES_RESPONSE__INIT;
    if (call_begin_read(call, err) < 0 || (!sealing->begun && sealing_begin(call, sealing, err) < 0))
        return -1;
    list.sequence = sealing->batch.sequence;
    list.ordinal = sealing->batch.tree.count > 0 ? (int32_t)sealing->batch.ordinal : INT32_MAX;
    list.through_sequence = sealing->through_sequence;
    list.count = CHANGES_PAGE;
    if (call_statement(call, "ListUnsealedChanges", &list.base, &page.base, err) < 0)
        return -1;
    for (size_t i = 0; i < page.n_changes; i++) {
        if (sealing->batch.tree.count >= SEAL_CHANGES_MAX &&
            page.changes[i]->sequence != sealing->batch.sequence) {
            sealing->seal.last_sequence = page.changes[i]->sequence - 1;
            sealing->complete = true;
            return 0;
        }
        if (change_add(sealing, page.changes[i], err) < 0)
            return -1;
    }
    if (page.n_changes < CHANGES_PAGE) {
        sealing->seal.last_sequence = sealing->through_sequence;
        sealing->complete = true;
    }
    return 0;
}

/* --- writing -------------------------------------------------------------------------------------------- */

/* An rpc_job_run: signs the batch and stores the seal. */
static int seal_store(struct call *call, void *context, struct err *err)
{
    const struct reporting *reporting = call_service_data(call);
    struct seal *seal = &((struct sealing *)context)->seal;
    Isms__Reporting__V1__Seal row = ISMS__REPORTING__V1__SEAL__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    char sha256[SHA256_HEX_SIZE];
    char storage[SEAL_CONTENT_MAX];
    struct buf content;
    seal->time_us = call_now_us(call);
    buf_init_fixed(&content, storage, sizeof(storage));
    seal_write(seal, &content);
    struct sha256 hash = sha256_of(content.data, content.length);
    hex_encode(&hash, sizeof(hash), sha256);
    if (seal_sign(reporting->installation_key, &hash, signature, err) < 0)
        return -1;
    time.seconds = seal->time_us / 1000000;
    time.nanos = (int32_t)(seal->time_us % 1000000) * 1000;
    row.number = seal->number;
    row.first_sequence = seal->first_sequence;
    row.last_sequence = seal->last_sequence;
    row.change_count = (int32_t)seal->change_count;
    row.merkle_root = seal->merkle_root;
    row.previous_sha256 = seal->previous_sha256;
    row.content = content.data;
    row.sha256 = sha256;
    row.signature = (ProtobufCBinaryData){.data = signature, .len = sizeof(signature)};
    row.key_id = (char *)reporting->key_id;
    row.create_time = &time;
    if (call_begin_append(call, err) < 0 ||
        call_statement(call, "StoreSeal", &row.base, &nothing.base, err) < 0 ||
        call_commit(call, NULL, err) < 0)
        return -1;
    LOG(INFO, "sealed", LOG_STR("tenant", seal->tenant), LOG_INT("number", seal->number),
        LOG_INT("last_sequence", seal->last_sequence), LOG_INT("changes", seal->change_count),
        LOG_STR("sha256", sha256), LOG_STR("key_id", reporting->key_id));
    return 0;
}

/* Makes the organisation's next seal. */
static int organisation_seal(struct job_run *run, struct organisation *organisation, struct err *err)
{
    struct sealing sealing = {.through_sequence = organisation->sequence};
    while (!sealing.complete)
        if (job_for_tenant(run, organisation->tenant, changes_read, &sealing, err) < 0)
            return -1;
    uuid_format(organisation->tenant, sealing.seal.tenant);
    seal_cover(&sealing.seal, &sealing.batch);
    if (job_for_tenant(run, organisation->tenant, seal_store, &sealing, err) < 0)
        return -1;
    organisation->sealed_sequence = sealing.seal.last_sequence;
    return 0;
}

/* --- the job -------------------------------------------------------------------------------------------- */

struct round {
    int64_t unsealed; /* sequences that no seal covers, as far as is known */
    bool backlog;     /* somebody got a seal and needs another */
    int result;       /* of the first failure */
};

static void organisation_try(struct job_run *run, struct organisation *organisation, struct round *round,
                             struct err *err)
{
    struct err failure;
    if (organisation_seal(run, organisation, &failure) == 0) {
        round->backlog |= organisation->sealed_sequence < organisation->sequence;
    } else if (!job_is_stopping(run)) {
        char tenant[UUID_TEXT_SIZE];
        uuid_format(organisation->tenant, tenant);
        LOG(ERROR, "a change log could not be sealed", LOG_STR("tenant", tenant), LOG_ERR(&failure));
        if (round->result == 0)
            *err = failure;
        round->result = -1;
    }
    round->unsealed += organisation->sequence - organisation->sealed_sequence;
}

/* One seal for every organisation that needs one. */
static void round_run(struct job_run *run, struct round *round, struct err *err)
{
    struct organisations page = {0};
    do {
        struct err failure;
        if (job_across_tenants(run, organisations_list, &page, &failure) < 0) {
            if (round->result == 0)
                *err = failure;
            round->result = -1;
            return;
        }
        for (size_t i = 0; i < page.count && !job_is_stopping(run); i++)
            organisation_try(run, &page.items[i], round, err);
    } while (page.count == ORGANISATIONS_PAGE && !job_is_stopping(run));
    metric_set(METRIC_SERIES(isms_unsealed_changes), round->unsealed);
}

/* One organisation's trouble is not the others': the first failure is reported when all had their turn. */
int seal_run(struct job_run *run, struct err *err)
{
    struct round round;
    int result = 0;
    do {
        round = (struct round){0};
        round_run(run, &round, err);
        if (round.result < 0 && result == 0)
            result = -1;
    } while (round.backlog && !job_is_stopping(run));
    return result;
}
