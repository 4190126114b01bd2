/* import_work.c: one import's way through the phases.
 *
 * Reading and checking write only what the change log does not have (rows between reading and storing), and do not keep
 * the organisation's other writers waiting. Storing takes the order of writers anew for each portion, with it the
 * import's position: whoever comes second to a portion, after a kill or an expired lease, finds it taken. */
#include "import_work.h"

#include <stdlib.h>
#include <string.h>

#include <isms/auth/permission.h>
#include <isms/inputs/v1/import_statements.pb-c.h>
#include <isms/obs/log.h>
#include <isms/proto/message.h>

#include "import_failure.h"
#include "import_read.h"

enum { PORTION_ROWS = 500, PORTION_BYTES = 2 * 1024 * 1024, ITEMS_MEMORY_MAX = 24 * 1024 * 1024 };

/* An import under way, and the portion of its rows that is on the way to the database. */
struct importing {
    struct job_run *run;
    struct uuid tenant;
    struct uuid actor;
    char id[UUID_TEXT_SIZE];
    struct arena memory; /* of `import` */
    Isms__Inputs__V1__Import import;
    struct err *err;

    /* reading */
    int64_t chunk_start;
    size_t chunk_length;
    char *chunk;
    struct arena arena; /* of the items */
    int staged;
    size_t count;
    struct import_item items[PORTION_ROWS];

    /* checking and storing */
    int position;
    bool ended; /* all rows have had their turn */
};

/* --- who it is done for ---------------------------------------------------------------------------------- */

static bool is_named(char **names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* A job has all rights, and who started the import may have lost the one to import since: asked in each transaction
 * that begins a portion. Whether a member, key or platform still acts at all, begin_read has judged. */
static int actor_check(struct call *call, const struct importing *importing, struct err *err)
{
    Isms__Inputs__V1__GetImportRequest get = ISMS__INPUTS__V1__GET_IMPORT_REQUEST__INIT;
    Isms__Inputs__V1__ImportActor actor = ISMS__INPUTS__V1__IMPORT_ACTOR__INIT;
    struct role_set roles = {0};
    enum role role;
    get.id = (char *)importing->id;
    if (call_statement(call, "ImportActor", &get.base, &actor.base, err) < 0)
        return -1;
    for (size_t i = 0; i < actor.n_roles; i++)
        if (role_from_name(slice_of(actor.roles[i]), &role))
            roles = role_set_add(roles, role);
    bool may = !actor.is_local || permission_set_has(permissions_of_roles(roles), PERMISSION_INPUTS_IMPORT);
    if (actor.n_permissions > 0)
        may = may && is_named(actor.permissions, actor.n_permissions, permission_name(PERMISSION_INPUTS_IMPORT));
    return may ? 0 : err_set(err, ERR_CREDENTIAL_INVALID);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int chunk_read(struct call *call, void *context, struct err *err)
{
    struct importing *importing = context;
    Isms__Inputs__V1__ReadImportChunkRequest read = ISMS__INPUTS__V1__READ_IMPORT_CHUNK_REQUEST__INIT;
    Isms__Inputs__V1__ImportChunk chunk = ISMS__INPUTS__V1__IMPORT_CHUNK__INIT;
    read.import_id = importing->id;
    read.offset = importing->chunk_start;
    if (call_begin_read(call, err) < 0 || actor_check(call, importing, err) < 0 ||
        call_statement(call, "ReadImportChunk", &read.base, &chunk.base, err) < 0)
        return -1;
    char *data = realloc(importing->chunk, chunk.data.len + 1);
    if (!data)
        return err_set(err, ERR_OVERLOADED);
    if (chunk.data.len > 0)
        memcpy(data, chunk.data.data, chunk.data.len);
    importing->chunk = data;
    importing->chunk_length = chunk.data.len;
    importing->chunk_start = chunk.start;
    return 0;
}

/* For struct import_source: the chunk that was read last is at hand. */
static int64_t source_read(void *context, int64_t offset, void *into, size_t size)
{
    struct importing *importing = context;
    bool at_hand = offset >= importing->chunk_start &&
                   offset < importing->chunk_start + (int64_t)importing->chunk_length;
    if (offset >= importing->import.received_bytes)
        return 0;
    if (!at_hand) {
        importing->chunk_start = offset;
        if (job_for_actor(importing->run, importing->tenant, importing->actor, chunk_read, importing,
                          importing->err) < 0)
            return -1;
    }
    size_t from = (size_t)(offset - importing->chunk_start);
    if (from >= importing->chunk_length)
        return 0;
    size_t length = importing->chunk_length - from < size ? importing->chunk_length - from : size;
    memcpy(into, importing->chunk + from, length);
    return (int64_t)length;
}

static int portion_stage(struct call *call, void *context, struct err *err)
{
    const struct importing *importing = context;
    Isms__Inputs__V1__StageImportRowsRequest stage = ISMS__INPUTS__V1__STAGE_IMPORT_ROWS_REQUEST__INIT;
    Isms__Inputs__V1__ImportCount count = ISMS__INPUTS__V1__IMPORT_COUNT__INIT;
    size_t n = importing->count;
    stage.import_id = (char *)importing->id;
    stage.first = importing->staged + 1;
    stage.lines = ARENA_ARRAY(call_arena(call), n, int32_t);
    stage.rows = ARENA_ARRAY(call_arena(call), n, int32_t);
    stage.levels = ARENA_ARRAY(call_arena(call), n, int32_t);
    stage.references = ARENA_ARRAY(call_arena(call), n, char *);
    stage.local_times = ARENA_ARRAY(call_arena(call), n, char *);
    stage.inputs = ARENA_ARRAY(call_arena(call), n, Isms__Inputs__V1__Input *);
    if (arena_exhausted(call_arena(call)))
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    stage.measurements = (Isms__Inputs__V1__Measurement **)stage.inputs; /* one of both is used */
    for (size_t i = 0; i < n; i++) {
        const struct import_item *item = &importing->items[i];
        stage.lines[i] = item->line;
        stage.rows[i] = item->row;
        stage.levels[i] = item->level;
        stage.references[i] = (char *)item->references;
        stage.local_times[i] = (char *)item->local_times;
        stage.inputs[i] = (Isms__Inputs__V1__Input *)item->message;
    }
    stage.n_lines = stage.n_rows = stage.n_levels = stage.n_references = stage.n_local_times = n;
    if (importing->items[0].message->descriptor == &isms__inputs__v1__input__descriptor)
        stage.n_inputs = n;
    else
        stage.n_measurements = n;
    if (call_begin_append(call, err) < 0)
        return -1;
    return call_statement(call, "StageImportRows", &stage.base, &count.base, err);
}

static int portion_send(struct importing *importing)
{
    if (importing->count == 0)
        return 0;
    if (job_is_stopping(importing->run))
        return err_set(importing->err, ERR_SHUTTING_DOWN);
    if (job_for_actor(importing->run, importing->tenant, importing->actor, portion_stage, importing,
                      importing->err) < 0)
        return -1;
    importing->staged += (int)importing->count;
    importing->count = 0;
    arena_clear(&importing->arena);
    return 0;
}

/* An import_item_fn. */
static int item_take(void *context, const struct import_item *item)
{
    struct importing *importing = context;
    importing->items[importing->count++] = *item;
    bool is_full = importing->count == PORTION_ROWS || importing->arena.used >= PORTION_BYTES;
    return is_full ? portion_send(importing) : 0;
}

/* --- statements that act on the import as a whole -------------------------------------------------------- */

struct ending {
    struct importing *importing;
    const char *statement;
    const struct import_errors *errors; /* may be NULL */
    const struct import_outcome *outcome;
};

static int import_end(struct call *call, void *context, struct err *err)
{
    const struct ending *ending = context;
    Isms__Inputs__V1__Import import = ISMS__INPUTS__V1__IMPORT__INIT;
    Isms__Inputs__V1__Import ended = ISMS__INPUTS__V1__IMPORT__INIT;
    import.id = ending->importing->id;
    if (ending->outcome)
        import.rows = ending->outcome->rows;
    if (ending->errors) {
        import.errors = (Isms__Inputs__V1__ImportError **)ending->errors->errors;
        import.n_errors = ending->errors->listed;
        import.error_count = ending->errors->count;
    }
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, ending->statement, &import.base, &ended.base, err);
}

static int reading_finish(struct call *call, void *context, struct err *err)
{
    const struct ending *ending = context;
    Isms__Inputs__V1__FinishImportReadingRequest finish = ISMS__INPUTS__V1__FINISH_IMPORT_READING_REQUEST__INIT;
    Isms__Inputs__V1__ImportCount count = ISMS__INPUTS__V1__IMPORT_COUNT__INIT;
    finish.import_id = ending->importing->id;
    finish.rows = ending->outcome->rows;
    finish.update_paths = ending->outcome->paths;
    finish.n_update_paths = ending->outcome->path_count;
    if (call_begin_append(call, err) < 0)
        return -1;
    return call_statement(call, "FinishImportReading", &finish.base, &count.base, err);
}

static int import_act(struct importing *importing, rpc_job_run *act, void *context)
{
    return job_for_actor(importing->run, importing->tenant, importing->actor, act, context, importing->err);
}

/* Reads the file into rows. -1: failed, or nothing is left to be done since it was refused. */
static int phase_read(struct importing *importing)
{
    struct import_source source = {
        .length = importing->import.received_bytes, .read = source_read, .context = importing};
    struct import_reading reading = {
        .descriptors = job_descriptors(importing->run),
        .import = &importing->import,
        .source = &source,
        .arena = &importing->arena,
        .on_item = item_take,
        .context = importing,
    };
    struct import_errors errors CLEANUP(import_errors_release);
    struct import_outcome outcome;
    import_errors_init(&errors);
    struct ending ending = {
        .importing = importing, .statement = "FinishImportCheck", .errors = &errors, .outcome = &outcome};
    if (import_read(&reading, &errors, &outcome, importing->err) < 0)
        return importing->err->reason == ERR_OK ? err_set(importing->err, ERR_INTERNAL) : -1;
    if (errors.count > 0)
        return import_act(importing, import_end, &ending);
    if (portion_send(importing) < 0)
        return -1;
    return import_act(importing, reading_finish, &ending);
}

/* --- checking and storing ------------------------------------------------------------------------------- */

/* The next portion; its rows stay in the call's arena. */
static int portion_take(struct call *call, const struct importing *importing, Isms__Inputs__V1__ImportBatch *batch,
                        struct err *err)
{
    Isms__Inputs__V1__TakeImportRowsRequest take = ISMS__INPUTS__V1__TAKE_IMPORT_ROWS_REQUEST__INIT;
    take.import_id = (char *)importing->id;
    take.after = importing->position;
    if (call_begin_read(call, err) < 0 || actor_check(call, importing, err) < 0 ||
        call_statement(call, "TakeImportRows", &take.base, &batch->base, err) < 0)
        return -1;
    call_end(call);
    return 0;
}

static int portion_turn(struct call *call, struct importing *importing, bool stores, struct err *err)
{
    Isms__Inputs__V1__ImportBatch batch = ISMS__INPUTS__V1__IMPORT_BATCH__INIT;
    Isms__Inputs__V1__ImportCount count = ISMS__INPUTS__V1__IMPORT_COUNT__INIT;
    if (portion_take(call, importing, &batch, err) < 0)
        return -1;
    importing->ended = batch.n_ordinals == 0;
    if (importing->ended)
        return 0;
    const char *of_inputs = stores ? "StoreImportInputs" : "CheckImportInputs";
    const char *of_measurements = stores ? "StoreImportMeasurements" : "CheckImportMeasurements";
    if ((stores ? call_begin_write(call, err) : call_begin_append(call, err)) < 0 ||
        call_statement(call, batch.n_inputs > 0 ? of_inputs : of_measurements, &batch.base, &count.base, err) < 0)
        return -1;
    importing->position = batch.ordinals[batch.n_ordinals - 1];
    return 0;
}

/* An rpc_job_run. */
static int portion_check(struct call *call, void *context, struct err *err)
{
    return portion_turn(call, context, false, err);
}

/* An rpc_job_run. */
static int portion_store(struct call *call, void *context, struct err *err)
{
    return portion_turn(call, context, true, err);
}

static int portions_run(struct importing *importing, rpc_job_run *act, int position)
{
    importing->position = position;
    importing->ended = false;
    while (!importing->ended) {
        if (job_is_stopping(importing->run))
            return err_set(importing->err, ERR_SHUTTING_DOWN);
        if (import_act(importing, act, importing) < 0)
            return -1;
    }
    return 0;
}

/* --- an import ------------------------------------------------------------------------------------------ */

/* An rpc_job_run. */
static int import_look(struct call *call, void *context, struct err *err)
{
    struct importing *importing = context;
    Isms__Inputs__V1__GetImportRequest get = ISMS__INPUTS__V1__GET_IMPORT_REQUEST__INIT;
    Isms__Inputs__V1__Import import = ISMS__INPUTS__V1__IMPORT__INIT;
    struct slice bytes;
    ProtobufCMessage *copy;
    get.id = importing->id;
    if (call_begin_read(call, err) < 0 || call_statement(call, "GetImport", &get.base, &import.base, err) < 0 ||
        message_pack(&import.base, call_arena(call), &bytes, err) < 0)
        return -1;
    arena_clear(&importing->memory);
    if (message_unpack(import.base.descriptor, bytes.data, bytes.length, &importing->memory, &copy, err) < 0)
        return -1;
    importing->import = *(Isms__Inputs__V1__Import *)copy;
    return 0;
}

static int phase_run(struct importing *importing)
{
    struct ending ending = {.importing = importing, .statement = "FinishImportCheck"};
    switch (importing->import.phase) {
    case ISMS__INPUTS__V1__IMPORT_PHASE__IMPORT_PHASE_READING:
        return phase_read(importing);
    case ISMS__INPUTS__V1__IMPORT_PHASE__IMPORT_PHASE_CHECKING:
        if (portions_run(importing, portion_check, importing->import.rows_checked) < 0)
            return -1;
        return import_act(importing, import_end, &ending);
    default:
        ending.statement = "FinishImport";
        if (portions_run(importing, portion_store, importing->import.rows_stored) < 0)
            return -1;
        return import_act(importing, import_end, &ending);
    }
}

/* --- its end -------------------------------------------------------------------------------------------- */

int import_clear(struct call *call, void *context, struct err *err)
{
    Isms__Inputs__V1__GetImportRequest get = ISMS__INPUTS__V1__GET_IMPORT_REQUEST__INIT;
    Isms__Inputs__V1__ImportCount count = ISMS__INPUTS__V1__IMPORT_COUNT__INIT;
    get.id = context;
    if (call_begin_append(call, err) < 0)
        return -1;
    return call_statement(call, "ClearImport", &get.base, &count.base, err);
}

/* By nobody but the service: who started it may be the reason. */
static int import_fail(struct importing *importing, int failures)
{
    struct import_errors errors CLEANUP(import_errors_release);
    struct ending ending = {.importing = importing, .statement = "FailImport", .errors = &errors};
    char message[IMPORT_FAILURE_TEXT_SIZE];
    import_failure_text(importing->err->reason, failures, message);
    LOG(WARNING, "an import failed", LOG_STR("import_id", importing->id),
        LOG_STR("reason", err_reason_name(importing->err->reason)));
    import_errors_init(&errors);
    import_errors_add(&errors, 0, 0, "", message);
    return job_for_tenant(importing->run, importing->tenant, import_end, &ending, importing->err);
}

struct failure {
    char *import_id;
    int in_a_row;
};

/* An rpc_job_run. */
static int failure_note(struct call *call, void *context, struct err *err)
{
    struct failure *failure = context;
    Isms__Inputs__V1__GetImportRequest get = ISMS__INPUTS__V1__GET_IMPORT_REQUEST__INIT;
    Isms__Inputs__V1__ImportCount count = ISMS__INPUTS__V1__IMPORT_COUNT__INIT;
    get.id = failure->import_id;
    if (call_begin_append(call, err) < 0 || call_statement(call, "NoteImportFailure", &get.base, &count.base, err) < 0)
        return -1;
    failure->in_a_row = count.count;
    return 0;
}

/* What cannot be noted does not count. */
static int failure_count(struct importing *importing)
{
    struct failure failure = {.import_id = importing->id};
    struct err unnoted;
    if (job_for_tenant(importing->run, importing->tenant, failure_note, &failure, &unnoted) < 0 ||
        failure.in_a_row < IMPORT_FAILURES_MAX)
        return -1;
    return import_fail(importing, failure.in_a_row);
}

static int import_settle(struct importing *importing)
{
    switch (import_failure_of(importing->err->reason)) {
    case IMPORT_OVERTAKEN:
        *importing->err = (struct err){0};
        return 0;
    case IMPORT_FAILED_FOR_GOOD:
        return import_fail(importing, 1);
    case IMPORT_FAILED:
        return failure_count(importing);
    case IMPORT_HELD_UP:
    default:
        return -1;
    }
}

static int import_carry_out(struct importing *importing)
{
    int result = import_act(importing, import_look, importing);
    while (result == 0 && importing->import.state == ISMS__INPUTS__V1__IMPORT_STATE__IMPORT_STATE_RUNNING) {
        result = phase_run(importing);
        if (result == 0)
            result = import_act(importing, import_look, importing);
    }
    if (result < 0)
        result = import_settle(importing);
    if (result == 0)
        result = job_for_tenant(importing->run, importing->tenant, import_clear, importing->id, importing->err);
    return result;
}

static void importing_free(struct importing *importing)
{
    arena_release(&importing->arena);
    arena_release(&importing->memory);
    free(importing->chunk);
    free(importing);
}

int import_work(struct job_run *run, const struct running_import *running, struct err *err)
{
    struct importing *importing = calloc(1, sizeof(*importing));
    if (!importing)
        return err_set(err, ERR_OVERLOADED);
    importing->run = run;
    importing->tenant = running->tenant;
    importing->actor = running->actor;
    importing->err = err;
    memcpy(importing->id, running->id, sizeof(importing->id));
    arena_init(&importing->memory, ITEMS_MEMORY_MAX);
    arena_init(&importing->arena, ITEMS_MEMORY_MAX);
    int result = import_carry_out(importing);
    importing_free(importing);
    return result;
}
