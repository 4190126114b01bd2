/* snapshot_content.c: the proto file says what is in it and message_canonical() how it is written; nothing
 * is left to decide but the version. */
#include "snapshot_content.h"

#include <isms/base/buf.h>
#include <isms/proto/message.h>

enum { VERSION = 1 };

int snapshot_content_write(const struct descriptors *descriptors, Isms__Inputs__V1__SnapshotContent *content,
                           struct arena *arena, struct slice *ret_bytes,
                           char ret_sha256[static SHA256_HEX_SIZE], struct err *err)
{
    static char kind[] = "isms.inputs.snapshot";
    content->version = VERSION;
    content->kind = kind;
    const struct message_type *type = descriptors_message_of(descriptors, content->base.descriptor);
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, SNAPSHOT_CONTENT_MAX);
    if (message_canonical(type, &content->base, &buf, err) < 0)
        return -1;
    char *bytes = buf.failed ? NULL : arena_memdup(arena, buf.data, buf.length);
    if (!bytes)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The snapshot needs more memory than a call may use.");
    struct sha256 hash = sha256_of(bytes, buf.length);
    hex_encode(hash.bytes, sizeof(hash.bytes), ret_sha256);
    *ret_bytes = (struct slice){.data = bytes, .length = buf.length};
    return 0;
}
