/* import.c: RunImport. What can be refused at once is refused here; the work is the job's (import_job.c), which is
 * woken. */
#include <string.h>

#include <isms/base/crypto.h>
#include <isms/inputs/v1/import_statements.pb-c.h>
#include <isms/inputs/v1/imports.pb-c.h>

#include "service.h"

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

/* The hash of what was received, chunk by chunk: a file is larger than a call's memory. */
static int file_hash(struct call *call, char *id, struct sha256 *ret_hash, struct err *err)
{
    struct sha256_sum *sum CLEANUP(sha256_sum_freep) = sha256_sum_new();
    Isms__Inputs__V1__ReadImportChunkRequest read = ISMS__INPUTS__V1__READ_IMPORT_CHUNK_REQUEST__INIT;
    Isms__Inputs__V1__ImportChunk chunk = ISMS__INPUTS__V1__IMPORT_CHUNK__INIT;
    if (!sum)
        return err_set(err, ERR_INTERNAL);
    read.import_id = id;
    do {
        struct arena_mark mark = arena_mark(call_arena(call));
        if (call_statement(call, "ReadImportChunk", &read.base, &chunk.base, err) < 0)
            return -1;
        sha256_sum_add(sum, chunk.data.data, chunk.data.len);
        read.offset += (int64_t)chunk.data.len;
        arena_rewind(call_arena(call), &mark);
    } while (chunk.data.len > 0);
    *ret_hash = sha256_sum_value(sum);
    return 0;
}

static int file_check(struct call *call, const Isms__Inputs__V1__RunImportRequest *request,
                      const Isms__Inputs__V1__Import *import, char hex[static SHA256_HEX_SIZE], struct err *err)
{
    struct sha256 hash;
    if (file_hash(call, request->id, &hash, err) < 0)
        return -1;
    hex_encode(hash.bytes, sizeof(hash.bytes), hex);
    if (!request->sha256[0] || strcmp(request->sha256, hex) == 0)
        return 0;
    err_setf(err, ERR_IMPORT_INVALID, "What was received is not the file that the SHA-256 belongs to.");
    err_fact(err, "received_bytes", "%lld", (long long)import->received_bytes);
    err_fact(err, "received_sha256", "%s", hex);
    return -1;
}

int run_import(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__RunImportRequest *request = (const Isms__Inputs__V1__RunImportRequest *)message;
    Isms__Inputs__V1__GetImportRequest get = ISMS__INPUTS__V1__GET_IMPORT_REQUEST__INIT;
    Isms__Inputs__V1__Import import = ISMS__INPUTS__V1__IMPORT__INIT;
    char hex[SHA256_HEX_SIZE];
    get.id = request->id;
    if (call_begin_read(call, err) < 0 || call_statement(call, "GetImport", &get.base, &import.base, err) < 0)
        return -1;
    if (import.state != ISMS__INPUTS__V1__IMPORT_STATE__IMPORT_STATE_UPLOADING)
        return already_run(call, err);
    if (file_check(call, request, &import, hex, err) < 0)
        return -1;
    import.sha256 = hex; /* stays when the file has gone */
    call_end(call);
    if (call_begin_write(call, err) < 0 || call_statement(call, "StartImport", &import.base, response, err) < 0 ||
        call_commit(call, response, err) < 0)
        return -1;
    call_wake_jobs(call);
    return 0;
}
