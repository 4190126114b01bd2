/* body.c: the bytes of requests and answers between gRPC's slices and ours.
 *
 * gRPC is told not to inflate requests (a 2 MB one was seen to become 2.2 GB before any of our code ran):
 * the buffer comes marked as compressed, and is inflated here into at most `max` bytes. An answer is packed
 * straight into the slice that gRPC will send. */
#include "internal.h"

#include <string.h>

#include <grpc/byte_buffer_reader.h>
#include <zlib.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/proto/message.h>

enum { GZIP_WINDOW_BITS = 15 + 16 /* with a gzip header */, INFLATE_STEP = 16 * 1024 };

static struct slice slice_view(const grpc_slice *slice)
{
    return (struct slice){.data = (const char *)GRPC_SLICE_START_PTR(*slice),
                          .length = GRPC_SLICE_LENGTH(*slice)};
}

static int too_large(size_t max, struct err *err)
{
    err_set(err, ERR_MESSAGE_TOO_LARGE);
    err_fact(err, "limit_bytes", "%zu", max);
    return -1;
}

static int malformed(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_MALFORMED, "The message is not valid gzip data.");
}

static int inflate_slice(z_stream *stream, struct slice input, struct buf *output, bool *ended, struct err *err)
{
    stream->next_in = (Bytef *)(uintptr_t)input.data;
    stream->avail_in = (uInt)input.length;
    stream->avail_out = 1;
    while (stream->avail_in > 0 || stream->avail_out == 0) { /* a full step may have more behind it */
        char step[INFLATE_STEP];
        stream->next_out = (Bytef *)step;
        stream->avail_out = sizeof(step);
        int result = *ended ? Z_DATA_ERROR : inflate(stream, Z_NO_FLUSH); /* nothing may follow the end */
        if (result == Z_BUF_ERROR && stream->avail_in == 0)
            break; /* there was nothing behind it */
        if (result != Z_OK && result != Z_STREAM_END)
            return malformed(err);
        buf_append(output, step, sizeof(step) - stream->avail_out);
        if (output->failed)
            return too_large(output->max, err);
        *ended = result == Z_STREAM_END;
        if (*ended && stream->avail_in == 0)
            break;
    }
    return 0;
}

static int body_inflate(grpc_byte_buffer *body, size_t max, struct arena *arena, struct slice *ret_bytes,
                        struct err *err)
{
    struct buf output;
    z_stream stream = {0};
    buf_init_arena(&output, arena, max);
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
        return err_set(err, ERR_OVERLOADED);
    bool ended = false;
    int result = 0;
    const grpc_slice_buffer *slices = &body->data.raw.slice_buffer;
    for (size_t i = 0; i < slices->count && result == 0; i++)
        result = inflate_slice(&stream, slice_view(&slices->slices[i]), &output, &ended, err);
    inflateEnd(&stream);
    if (result < 0)
        return -1;
    if (!ended)
        return malformed(err);
    *ret_bytes = (struct slice){.data = output.data, .length = output.length};
    return 0;
}

int body_read(grpc_byte_buffer *body, size_t max, struct arena *arena, struct slice *ret_bytes, struct err *err)
{
    BUG_IF(body->type != GRPC_BB_RAW);
    if (body->data.raw.compression == GRPC_COMPRESS_GZIP)
        return body_inflate(body, max, arena, ret_bytes, err);
    if (body->data.raw.compression != GRPC_COMPRESS_NONE)
        return err_set(err, ERR_ENCODING_UNSUPPORTED);

    size_t length = grpc_byte_buffer_length(body);
    if (length > max)
        return too_large(max, err);
    const grpc_slice_buffer *slices = &body->data.raw.slice_buffer;
    if (slices->count == 1) {
        *ret_bytes = slice_view(&slices->slices[0]);
        return 0;
    }
    char *whole = arena_alloc(arena, length);
    if (!whole)
        return too_large(max, err);
    size_t used = 0;
    for (size_t i = 0; i < slices->count; i++) {
        struct slice part = slice_view(&slices->slices[i]);
        memcpy(whole + used, part.data, part.length);
        used += part.length;
    }
    *ret_bytes = (struct slice){.data = whole, .length = length};
    return 0;
}

int call_unpack(struct call *call, struct err *err)
{
    struct slice bytes;
    if (body_read(call->body, call->server->options.message_max, &call->arena, &bytes, err) < 0)
        return -1;
    return message_unpack(call->served->method->request->descriptor, bytes.data, bytes.length, &call->arena,
                          &call->request, err);
}

grpc_byte_buffer *body_of_message(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    grpc_byte_buffer *body = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return body;
}

grpc_byte_buffer *body_of_bytes(struct slice bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes.data ? bytes.data : "", bytes.length);
    grpc_byte_buffer *body = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return body;
}
