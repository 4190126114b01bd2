/* import.c: RunImport, which turns an uploaded file into inputs or measurements.
 *
 * The file is read, mapped and compared with what is stored before anything is written. Only a file without
 * any error takes the organisation's writer order, and then stores all of its rows in one transaction, in
 * chunks that keep each statement small. */
#include <string.h>

#include <isms/inputs/v1/statements.pb-c.h>

#include "import_map.h"
#include "service.h"

enum { CHUNK_ROWS = 500 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Runs the statement of that name, for inputs or for measurements, on the chunk of rows that begins at
 * `start`. */
static int chunk_run(struct call *call, const struct import_rows *rows, bool measurements,
                     const char *statement, size_t start, Isms__Inputs__V1__Import *ret_outcome,
                     struct err *err)
{
    size_t count = min_size(CHUNK_ROWS, rows->count - start);
    if (measurements) {
        Isms__Inputs__V1__AddMeasurementsRequest request = ISMS__INPUTS__V1__ADD_MEASUREMENTS_REQUEST__INIT;
        request.measurements = (Isms__Inputs__V1__Measurement **)(rows->rows + start);
        request.n_measurements = count;
        return call_statement(call, statement, &request.base, &ret_outcome->base, err);
    }
    Isms__Inputs__V1__BatchUpsertInputsRequest request = ISMS__INPUTS__V1__BATCH_UPSERT_INPUTS_REQUEST__INIT;
    request.inputs = (Isms__Inputs__V1__Input **)(rows->rows + start);
    request.n_inputs = count;
    request.update_paths = rows->paths;
    request.n_update_paths = rows->path_count;
    return call_statement(call, statement, &request.base, &ret_outcome->base, err);
}

static void outcome_add(Isms__Inputs__V1__Import *import, const Isms__Inputs__V1__Import *outcome)
{
    import->created += outcome->created;
    import->updated += outcome->updated;
    import->unchanged += outcome->unchanged;
}

/* What storing would do; where it cannot, that is an error of the row. */
static int rows_compare(struct call *call, struct import_rows *rows, bool measurements,
                        Isms__Inputs__V1__Import *import, struct err *err)
{
    if (call_begin_read(call, err) < 0)
        return -1;
    const char *statement = measurements ? "CheckMeasurements" : "CheckInputs";
    for (size_t start = 0; start < rows->count; start += CHUNK_ROWS) {
        Isms__Inputs__V1__Import outcome = ISMS__INPUTS__V1__IMPORT__INIT;
        if (chunk_run(call, rows, measurements, statement, start, &outcome, err) < 0)
            return -1;
        outcome_add(import, &outcome);
        for (size_t i = 0; i < outcome.n_errors; i++) {
            const Isms__Inputs__V1__ImportError *error = outcome.errors[i];
            struct import_place place = rows->places[start + (size_t)error->row - 1];
            import_error_add(rows, call_arena(call), place.line, place.number, error->column, error->message);
        }
    }
    call_end(call);
    return 0;
}

static int rows_store(struct call *call, const struct import_rows *rows, bool measurements,
                      Isms__Inputs__V1__Import *import, struct err *err)
{
    import->created = import->updated = import->unchanged = 0;
    const char *statement = measurements ? "ImportMeasurements" : "ImportInputs";
    for (size_t start = 0; start < rows->count; start += CHUNK_ROWS) {
        Isms__Inputs__V1__Import outcome = ISMS__INPUTS__V1__IMPORT__INIT;
        if (chunk_run(call, rows, measurements, statement, start, &outcome, err) < 0)
            return -1;
        outcome_add(import, &outcome);
    }
    return 0;
}

/* By this very request, which then gets its answer again, or by another. */
static int already_run(struct call *call, struct err *err)
{
    call_end(call);
    if (call_begin_write(call, err) < 0)
        return -1;
    err_setf(err, ERR_WRONG_STATE, "The import has been run already; create another for another run.");
    err_fact(err, "allowed", "UPLOADING");
    return -1;
}

static int file_read(struct call *call, const Isms__Inputs__V1__RunImportRequest *request,
                     Isms__Inputs__V1__Import *import, Isms__Inputs__V1__ImportContent *content,
                     struct err *err)
{
    Isms__Inputs__V1__GetImportRequest get = ISMS__INPUTS__V1__GET_IMPORT_REQUEST__INIT;
    get.id = request->id;
    if (call_begin_read(call, err) < 0 || call_statement(call, "GetImport", &get.base, &import->base, err) < 0)
        return -1;
    if (import->state != ISMS__INPUTS__V1__IMPORT_STATE__IMPORT_STATE_UPLOADING)
        return already_run(call, err);
    if (call_statement(call, "ImportContent", &get.base, &content->base, err) < 0)
        return -1;
    call_end(call);
    if (request->sha256[0] && strcmp(request->sha256, content->sha256) != 0) {
        err_setf(err, ERR_IMPORT_INVALID, "What was received is not the file that the SHA-256 belongs to.");
        err_fact(err, "received_bytes", "%zu", content->data.len);
        err_fact(err, "received_sha256", "%s", content->sha256);
        return -1;
    }
    return 0;
}

static void outcome_state(Isms__Inputs__V1__Import *import, const struct import_rows *rows)
{
    bool refused = rows->error_count > 0;
    import->state = refused           ? ISMS__INPUTS__V1__IMPORT_STATE__IMPORT_STATE_REFUSED
                    : import->dry_run ? ISMS__INPUTS__V1__IMPORT_STATE__IMPORT_STATE_CHECKED
                                      : ISMS__INPUTS__V1__IMPORT_STATE__IMPORT_STATE_DONE;
    if (refused)
        import->created = import->updated = import->unchanged = 0;
    import->rows = rows->row_count;
    import->errors = rows->errors;
    import->n_errors = rows->error_listed;
    import->error_count = rows->error_count;
}

int run_import(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__RunImportRequest *request = (const Isms__Inputs__V1__RunImportRequest *)message;
    Isms__Inputs__V1__Import import = ISMS__INPUTS__V1__IMPORT__INIT;
    Isms__Inputs__V1__ImportContent content = ISMS__INPUTS__V1__IMPORT_CONTENT__INIT;
    if (file_read(call, request, &import, &content, err) < 0)
        return -1;
    bool measurements = import.metric_id[0] != '\0';
    struct slice file = {.data = (const char *)content.data.data, .length = content.data.len};
    struct import_rows rows;
    if (import_map(call_service_data(call), &import, file, call_arena(call), &rows, err) < 0)
        return -1;
    if (rows.error_count == 0 && rows_compare(call, &rows, measurements, &import, err) < 0)
        return -1;

    if (call_begin_write(call, err) < 0)
        return -1;
    if (rows.error_count == 0 && !import.dry_run && rows_store(call, &rows, measurements, &import, err) < 0)
        return -1;
    outcome_state(&import, &rows);
    call_log(call, "import_rows", "%d", rows.row_count);
    call_log(call, "import_errors", "%d", rows.error_count);
    return call_statement(call, "FinishImport", &import.base, response, err);
}
