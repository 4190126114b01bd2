/* batch.c: BatchGetInputs and BatchUpsertInputs.
 *
 * An upsert judges each input by the field rules here, since the runtime leaves that to it (judged_by_service): a wrong
 * one is a refusal of all, or with `partial` a result. What passes goes to the database in one statement, which judges
 * the rest in the same two ways; the inputs as they are then are read by their ids, as BatchGetInputs does. */
#include <stdio.h>
#include <strings.h>

#include <isms/inputs/v1/statements.pb-c.h>
#include <isms/proto/mask.h>
#include <isms/proto/validate.h>

#include "service.h"

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The answer needs more memory than a call may use.");
}

/* --- BatchGetInputs -------------------------------------------------------------------------------------- */

/* Both are in the order of the ids: an id that the next input does not have is one that is not there. */
static int answer_sort(struct arena *arena, const Isms__Inputs__V1__BatchGetInputsRequest *request,
                       const Isms__Inputs__V1__ListInputsResponse *found,
                       Isms__Inputs__V1__BatchGetInputsResponse *response, struct err *err)
{
    size_t next = 0;
    response->inputs = found->inputs;
    response->n_inputs = found->n_inputs;
    response->missing_ids = ARENA_ARRAY(arena, request->n_ids, char *);
    if (!response->missing_ids)
        return no_memory(err);
    for (size_t i = 0; i < request->n_ids; i++) {
        if (next < found->n_inputs && strcasecmp(found->inputs[next]->id, request->ids[i]) == 0)
            next++;
        else
            response->missing_ids[response->n_missing_ids++] = request->ids[i];
    }
    return 0;
}

int batch_get_inputs(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                     struct err *err)
{
    Isms__Inputs__V1__ListInputsResponse found = ISMS__INPUTS__V1__LIST_INPUTS_RESPONSE__INIT;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "BatchGetInputs", message, &found.base, err) < 0)
        return -1;
    call_end(call);
    return answer_sort(call_arena(call), (const Isms__Inputs__V1__BatchGetInputsRequest *)message, &found,
                       (Isms__Inputs__V1__BatchGetInputsResponse *)response, err);
}

/* --- BatchUpsertInputs ----------------------------------------------------------------------------------- */

/* What the database gets: the inputs that keep the field rules, and whose results they are. */
struct accepted {
    Isms__Inputs__V1__BatchUpsertInputsRequest request;
    Isms__Inputs__V1__UpsertResult **results;
};

static int violation_add(struct arena *arena, Isms__Inputs__V1__UpsertResult *result, const char *field,
                         const char *description, struct err *err)
{
    Isms__Inputs__V1__FieldViolation *violation = ARENA_NEW(arena, Isms__Inputs__V1__FieldViolation);
    char *field_copy = arena_strdup(arena, field);
    char *description_copy = arena_strdup(arena, description);
    if (!violation || !field_copy || !description_copy)
        return no_memory(err);
    isms__inputs__v1__field_violation__init(violation);
    violation->field = field_copy;
    violation->description = description_copy;
    result->violations[result->n_violations++] = violation;
    return 0;
}

static int result_refuse(struct arena *arena, Isms__Inputs__V1__UpsertResult *result, const char *reason,
                         size_t violation_max, struct err *err)
{
    result->outcome = ISMS__INPUTS__V1__UPSERT_RESULT__OUTCOME__OUTCOME_REFUSED;
    result->reason = arena_strdup(arena, reason);
    result->violations = ARENA_ARRAY(arena, violation_max, Isms__Inputs__V1__FieldViolation *);
    return result->reason && result->violations ? 0 : no_memory(err);
}

static size_t violations_kept(const struct err *fault)
{
    return fault->violation_count < ERR_VIOLATIONS_MAX ? fault->violation_count : ERR_VIOLATIONS_MAX;
}

/* A wrong input of a whole batch: the paths of its fields begin with its place. */
static void batch_refuse(size_t place, const struct err *fault, struct err *err)
{
    for (size_t i = 0; i < violations_kept(fault); i++) {
        char field[sizeof(fault->violations[i].field) + 32];
        snprintf(field, sizeof(field), "inputs[%zu].%s", place, fault->violations[i].field);
        (void)err_field(err, field, "%s", fault->violations[i].description);
    }
}

static const struct message_type *input_type(struct call *call)
{
    return descriptors_message_of(inputs_descriptors(call), &isms__inputs__v1__input__descriptor);
}

/* The paths are an update mask's under another name. */
static int paths_check(struct call *call, const Isms__Inputs__V1__BatchUpsertInputsRequest *request, struct err *err)
{
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    mask.paths = request->update_paths;
    mask.n_paths = request->n_update_paths;
    return mask_check(input_type(call), &mask, "update_paths", err);
}

static int inputs_judge(struct call *call, const Isms__Inputs__V1__BatchUpsertInputsRequest *request,
                        Isms__Inputs__V1__UpsertResult **results, struct accepted *accepted, struct err *err)
{
    const struct message_type *type = input_type(call);
    struct err refusal = {0};
    for (size_t i = 0; i < request->n_inputs; i++) {
        struct err fault = {0};
        if (message_validate(type, &request->inputs[i]->base, &fault) == 0) {
            accepted->results[accepted->request.n_inputs] = results[i];
            accepted->request.inputs[accepted->request.n_inputs++] = request->inputs[i];
            continue;
        }
        if (!request->partial) {
            batch_refuse(i, &fault, &refusal);
            continue;
        }
        if (result_refuse(call_arena(call), results[i], err_reason_name(fault.reason), ERR_VIOLATIONS_MAX, err) < 0)
            return -1;
        for (size_t k = 0; k < violations_kept(&fault); k++)
            if (violation_add(call_arena(call), results[i], fault.violations[k].field,
                              fault.violations[k].description, err) < 0)
                return -1;
    }
    if (refusal.reason != ERR_OK) {
        *err = refusal;
        return -1;
    }
    return 0;
}

/* The outcomes of what was accepted, and the inputs that are there now. */
static int inputs_store(struct call *call, const struct accepted *accepted, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__UpsertRowList rows = ISMS__INPUTS__V1__UPSERT_ROW_LIST__INIT;
    Isms__Inputs__V1__BatchGetInputsRequest get = ISMS__INPUTS__V1__BATCH_GET_INPUTS_REQUEST__INIT;
    Isms__Inputs__V1__ListInputsResponse found = ISMS__INPUTS__V1__LIST_INPUTS_RESPONSE__INIT;
    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "BatchUpsertInputs", &accepted->request.base, &rows.base, err) < 0)
        return -1;
    get.ids = ARENA_ARRAY(arena, rows.n_rows, char *);
    if (!get.ids)
        return no_memory(err);
    for (size_t i = 0; i < rows.n_rows; i++)
        if (rows.rows[i]->result != ISMS__INPUTS__V1__UPSERT_RESULT__OUTCOME__OUTCOME_REFUSED)
            get.ids[get.n_ids++] = rows.rows[i]->id;
    if (call_statement(call, "BatchGetInputs", &get.base, &found.base, err) < 0)
        return -1;
    size_t next = 0;
    for (size_t i = 0; i < rows.n_rows && i < accepted->request.n_inputs; i++) {
        const Isms__Inputs__V1__UpsertRow *row = rows.rows[i];
        Isms__Inputs__V1__UpsertResult *result = accepted->results[i];
        result->outcome = row->result;
        if (row->result != ISMS__INPUTS__V1__UPSERT_RESULT__OUTCOME__OUTCOME_REFUSED)
            result->input = next < found.n_inputs ? found.inputs[next++] : NULL;
        else if (result_refuse(arena, result, row->reason, 1, err) < 0 ||
                 violation_add(arena, result, row->field, row->description, err) < 0)
            return -1;
    }
    return 0;
}

int batch_upsert_inputs(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *answer,
                        struct err *err)
{
    const Isms__Inputs__V1__BatchUpsertInputsRequest *request =
        (const Isms__Inputs__V1__BatchUpsertInputsRequest *)message;
    Isms__Inputs__V1__BatchUpsertInputsResponse *response = (Isms__Inputs__V1__BatchUpsertInputsResponse *)answer;
    struct arena *arena = call_arena(call);
    struct accepted accepted = {.request = *request};
    accepted.request.n_inputs = 0;
    accepted.request.inputs = ARENA_ARRAY(arena, request->n_inputs, Isms__Inputs__V1__Input *);
    accepted.results = ARENA_ARRAY(arena, request->n_inputs, Isms__Inputs__V1__UpsertResult *);
    response->results = ARENA_ARRAY(arena, request->n_inputs, Isms__Inputs__V1__UpsertResult *);
    Isms__Inputs__V1__UpsertResult *results = ARENA_ARRAY(arena, request->n_inputs, Isms__Inputs__V1__UpsertResult);
    if (arena_exhausted(arena))
        return no_memory(err);
    for (size_t i = 0; i < request->n_inputs; i++) {
        isms__inputs__v1__upsert_result__init(&results[i]);
        response->results[i] = &results[i];
    }
    response->n_results = request->n_inputs;
    if (paths_check(call, request, err) < 0 || inputs_judge(call, request, response->results, &accepted, err) < 0)
        return -1;
    return accepted.request.n_inputs > 0 ? inputs_store(call, &accepted, err) : 0;
}
