/* evidence_read.c: how a file goes out: block by block, each compared with its hash before any of it is answered. */
#include "evidence.h"

#include <string.h>

#include <isms/auth/principal.h>
#include <isms/inputs/v1/evidence_statements.pb-c.h>
#include <isms/obs/log.h>

#include "evidence_blocks.h"
#include "service.h"

enum { READ_MAX = 1024 * 1024 };

static int corrupt(const char *id, struct err *err)
{
    LOG(ERROR, "an evidence file is not what was stored", LOG_STR("file", id));
    return err_set(err, ERR_DATA_CORRUPT);
}

static int content_get(struct call *call, char *id, int64_t first, int64_t count,
                       Isms__Inputs__V1__EvidenceContent *ret_content, struct err *err)
{
    Isms__Inputs__V1__EvidenceContentRequest get = ISMS__INPUTS__V1__EVIDENCE_CONTENT_REQUEST__INIT;
    get.id = id;
    get.first = first;
    get.count = count;
    if (call_statement(call, "EvidenceContent", &get.base, &ret_content->base, err) < 0)
        return -1;
    if (strcmp(ret_content->state, "STORED") == 0)
        return 0;
    err_set(err, ERR_WRONG_STATE);
    err_fact(err, "state", "%s", ret_content->state);
    err_fact(err, "allowed", "STORED");
    return -1;
}

/* The part of the file at `offset`, in the open transaction; empty behind the end. */
static int part_read(struct call *call, char *id, int64_t offset, size_t wanted,
                     Isms__Inputs__V1__EvidenceContent *ret_content, struct slice *ret_part, struct err *err)
{
    const struct inputs *inputs = call_service_data(call);
    struct stored_file file = {.tenant = call_principal(call)->tenant};
    struct evidence_range blocks = evidence_range(INT64_MAX / 2, offset, wanted);
    struct slice bytes;
    if (content_get(call, id, blocks.first, blocks.count, ret_content, err) < 0)
        return -1;
    *ret_part = (struct slice){0};
    blocks = evidence_range(ret_content->size, offset, wanted); /* now that the size is known */
    if (blocks.wanted == 0)
        return 0;
    file.back_end = ret_content->storage;
    if (!uuid_parse(id, &file.id))
        return err_set(err, ERR_INTERNAL);
    if (storage_read(&inputs->storage, call, &file, blocks.start, blocks.length, &bytes, err) < 0)
        return -1;
    struct slice hashes = {.data = (const char *)ret_content->block_sha256.data,
                           .length = ret_content->block_sha256.len};
    if (!evidence_blocks_match(bytes, hashes))
        return corrupt(id, err);
    *ret_part = (struct slice){.data = bytes.data + blocks.skip, .length = blocks.wanted};
    return 0;
}

static ProtobufCBinaryData data_of(struct slice part)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)part.data, .len = part.length};
}

int read_evidence_file(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                       struct err *err)
{
    const Isms__Inputs__V1__ReadEvidenceFileRequest *request =
        (const Isms__Inputs__V1__ReadEvidenceFileRequest *)message;
    Isms__Inputs__V1__EvidencePart *answer = (Isms__Inputs__V1__EvidencePart *)response;
    Isms__Inputs__V1__EvidenceContent content = ISMS__INPUTS__V1__EVIDENCE_CONTENT__INIT;
    size_t wanted = request->size > 0 ? (size_t)request->size : READ_MAX;
    struct slice part;
    if (call_begin_read(call, err) < 0 ||
        part_read(call, request->id, request->offset, wanted, &content, &part, err) < 0)
        return -1;
    answer->offset = request->offset;
    answer->data = data_of(part);
    return 0;
}

/* The next part of the stream, to the next block's beginning; moves on. 1: there was one; 0: that was all. */
static int part_send(struct call *call, char *id, int64_t *offset, struct sha256_sum *sum,
                     struct rpc_stream *stream, char ret_sha256[static SHA256_HEX_SIZE], struct err *err)
{
    Isms__Inputs__V1__EvidenceContent content = ISMS__INPUTS__V1__EVIDENCE_CONTENT__INIT;
    Isms__Inputs__V1__EvidencePart answer = ISMS__INPUTS__V1__EVIDENCE_PART__INIT;
    struct slice part;
    if (call_begin_read(call, err) < 0 ||
        part_read(call, id, *offset, (size_t)(EVIDENCE_BLOCK - *offset % EVIDENCE_BLOCK), &content, &part, err) < 0)
        return -1;
    call_end(call);
    if (strlen(content.sha256) != SHA256_HEX_SIZE - 1)
        return corrupt(id, err);
    memcpy(ret_sha256, content.sha256, SHA256_HEX_SIZE);
    if (part.length == 0)
        return 0;
    sha256_sum_add(sum, part.data, part.length);
    answer.offset = *offset;
    answer.data = data_of(part);
    *offset += (int64_t)part.length;
    return stream_send(stream, &answer.base, err) < 0 ? -1 : 1;
}

int download_evidence_file(struct call *call, const ProtobufCMessage *message, struct rpc_stream *stream,
                           struct err *err)
{
    const Isms__Inputs__V1__DownloadEvidenceFileRequest *request =
        (const Isms__Inputs__V1__DownloadEvidenceFileRequest *)message;
    struct sha256_sum *sum CLEANUP(sha256_sum_freep) = sha256_sum_new();
    struct arena_mark mark = arena_mark(call_arena(call));
    int64_t offset = request->offset;
    char sha256[SHA256_HEX_SIZE];
    char hex[SHA256_HEX_SIZE];
    int sent;
    if (!sum)
        return err_set(err, ERR_OVERLOADED);
    do {
        sent = part_send(call, request->id, &offset, sum, stream, sha256, err);
        arena_rewind(call_arena(call), &mark);
    } while (sent > 0);
    call_log(call, "evidence_bytes", "%lld", (long long)(offset - request->offset));
    if (sent < 0 || request->offset > 0)
        return sent;
    struct sha256 hash = sha256_sum_value(sum);
    hex_encode(&hash, sizeof(hash), hex);
    return strcmp(hex, sha256) == 0 ? 0 : corrupt(request->id, err);
}
