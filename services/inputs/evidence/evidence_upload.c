/* evidence_upload.c: how a file comes in.
 *
 * A chunk is judged, written and noted within one transaction, under the organisation's order of writes: nobody else
 * writes meanwhile, what was noted is there, and what is there without being noted is written again by the retry.
 * Comparing the whole with its hash takes longer and holds nobody up: the database lets nobody write to a file of which
 * all was received, so what is compared is what is kept. */
#include "evidence.h"

#include <string.h>

#include <isms/auth/principal.h>
#include <isms/inputs/v1/evidence_statements.pb-c.h>
#include <isms/obs/log.h>

#include "evidence_blocks.h"
#include "service.h"

enum { PIECE = 8 * EVIDENCE_BLOCK };

int create_evidence_file(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                         struct err *err)
{
    const Isms__Inputs__V1__CreateEvidenceFileRequest *request =
        (const Isms__Inputs__V1__CreateEvidenceFileRequest *)message;
    const struct inputs *inputs = call_service_data(call);
    Isms__Inputs__V1__AddEvidenceFileRequest add = ISMS__INPUTS__V1__ADD_EVIDENCE_FILE_REQUEST__INIT;
    add.file = request->file;
    add.storage = (char *)(uintptr_t)inputs->storage.preferred;
    add.size_max = inputs->evidence_size_max;
    add.total_max = inputs->evidence_total_max;
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "AddEvidenceFile", &add.base, response, err);
}

static int content_get(struct call *call, char *id, Isms__Inputs__V1__EvidenceContent *ret_content,
                       struct stored_file *ret_file, struct err *err)
{
    Isms__Inputs__V1__EvidenceContentRequest get = ISMS__INPUTS__V1__EVIDENCE_CONTENT_REQUEST__INIT;
    get.id = id;
    if (call_statement(call, "EvidenceContent", &get.base, &ret_content->base, err) < 0)
        return -1;
    *ret_file = (struct stored_file){.back_end = ret_content->storage, .tenant = call_principal(call)->tenant};
    return uuid_parse(id, &ret_file->id) ? 0 : err_set(err, ERR_INTERNAL);
}

static int not_uploading(const Isms__Inputs__V1__EvidenceContent *content, struct err *err)
{
    err_set(err, ERR_WRONG_STATE);
    err_fact(err, "state", "%s", content->state);
    err_fact(err, "allowed", "UPLOADING");
    err_fact(err, "received_bytes", "%lld", (long long)content->received_bytes);
    return -1;
}

static bool is_uploading(const Isms__Inputs__V1__EvidenceContent *content)
{
    return strcmp(content->state, "UPLOADING") == 0;
}

/* Sent before: 0 where it is the same again. */
static int chunk_compare(struct call *call, const struct stored_file *file,
                         const Isms__Inputs__V1__UploadEvidenceFileRequest *request,
                         const Isms__Inputs__V1__EvidenceContent *content, struct err *err)
{
    const struct inputs *inputs = call_service_data(call);
    struct slice stored;
    if (storage_read(&inputs->storage, call, file, request->offset, request->data.len, &stored, err) < 0)
        return -1;
    return memcmp(stored.data, request->data.data, stored.length) == 0 ? 0 : not_uploading(content, err);
}

int upload_evidence_file(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                         struct err *err)
{
    const Isms__Inputs__V1__UploadEvidenceFileRequest *request =
        (const Isms__Inputs__V1__UploadEvidenceFileRequest *)message;
    const struct inputs *inputs = call_service_data(call);
    Isms__Inputs__V1__EvidenceContent content = ISMS__INPUTS__V1__EVIDENCE_CONTENT__INIT;
    Isms__Inputs__V1__AddEvidenceChunkRequest chunk = ISMS__INPUTS__V1__ADD_EVIDENCE_CHUNK_REQUEST__INIT;
    Isms__Inputs__V1__GetEvidenceFileRequest get = ISMS__INPUTS__V1__GET_EVIDENCE_FILE_REQUEST__INIT;
    struct slice bytes = {.data = (const char *)request->data.data, .length = request->data.len};
    struct stored_file file;
    if (call_begin_write(call, err) < 0 || content_get(call, request->id, &content, &file, err) < 0)
        return -1;
    if (!is_uploading(&content))
        return not_uploading(&content, err);
    switch (evidence_chunk_place(content.size, content.received_bytes, request->offset, bytes.length)) {
    case EVIDENCE_CHUNK_NEXT:
        chunk.id = request->id;
        chunk.offset = request->offset;
        chunk.length = (int64_t)bytes.length;
        if (call_statement(call, "AddEvidenceChunk", &chunk.base, response, err) < 0)
            return -1;
        return storage_write(&inputs->storage, call, &file, request->offset, bytes, err);
    case EVIDENCE_CHUNK_AGAIN:
        get.id = request->id;
        if (chunk_compare(call, &file, request, &content, err) < 0)
            return -1;
        return call_statement(call, "GetEvidenceFile", &get.base, response, err);
    case EVIDENCE_CHUNK_BEYOND:
        return err_field(err, "data", "ends behind the announced size of %lld bytes", (long long)content.size);
    case EVIDENCE_CHUNK_ASTRAY:
    default: return not_uploading(&content, err);
    }
}

/* The hashes of all that was received. */
static int content_digest(struct call *call, const struct stored_file *file, int64_t size,
                          struct evidence_digest *digest, struct err *err)
{
    const struct inputs *inputs = call_service_data(call);
    struct arena_mark mark = arena_mark(call_arena(call));
    for (int64_t offset = 0; offset < size; offset += PIECE) {
        struct slice piece;
        size_t length = (size_t)(size - offset < PIECE ? size - offset : PIECE);
        if (storage_read(&inputs->storage, call, file, offset, length, &piece, err) < 0)
            return -1;
        evidence_digest_add(digest, piece);
        arena_rewind(call_arena(call), &mark);
    }
    return 0;
}

static int digest_compare(const struct evidence_digest *digest, const char *announced, struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_sum_value(digest->whole);
    hex_encode(&hash, sizeof(hash), hex);
    if (strcmp(hex, announced) == 0)
        return 0;
    err_set(err, ERR_UPLOAD_MISMATCH);
    err_fact(err, "received_sha256", "%s", hex);
    return -1;
}

/* Finished before, by this very request, which then gets its answer again, or by another. */
static int already_finished(struct call *call, const Isms__Inputs__V1__EvidenceContent *content, struct err *err)
{
    call_end(call);
    return call_begin_write(call, err) < 0 ? -1 : not_uploading(content, err);
}

int finish_evidence_file(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                         struct err *err)
{
    const Isms__Inputs__V1__FinishEvidenceFileRequest *request =
        (const Isms__Inputs__V1__FinishEvidenceFileRequest *)message;
    const struct inputs *inputs = call_service_data(call);
    Isms__Inputs__V1__EvidenceContent content = ISMS__INPUTS__V1__EVIDENCE_CONTENT__INIT;
    Isms__Inputs__V1__KeepEvidenceRequest keep = ISMS__INPUTS__V1__KEEP_EVIDENCE_REQUEST__INIT;
    struct evidence_digest digest CLEANUP(evidence_digest_release) = {0};
    struct stored_file file;
    if (call_begin_read(call, err) < 0 || content_get(call, request->id, &content, &file, err) < 0)
        return -1;
    if (!is_uploading(&content))
        return already_finished(call, &content, err);
    if (content.received_bytes != content.size)
        return not_uploading(&content, err);
    if (evidence_digest_init(&digest, content.size, call_arena(call), err) < 0 ||
        content_digest(call, &file, content.size, &digest, err) < 0)
        return -1;
    call_end(call);
    if (digest_compare(&digest, content.sha256, err) < 0)
        return -1;
    keep.id = request->id;
    keep.block_sha256 = (ProtobufCBinaryData){.data = digest.blocks, .len = digest.used};
    call_log(call, "evidence_bytes", "%lld", (long long)content.size);
    if (call_begin_write(call, err) < 0 || call_statement(call, "KeepEvidenceFile", &keep.base, response, err) < 0)
        return -1;
    return storage_keep(&inputs->storage, &file, err);
}
