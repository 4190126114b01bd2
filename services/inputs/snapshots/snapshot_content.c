/* snapshot_content.c: the proto file says what is in it and message_canonical() how it is written; nothing
 * is left to decide but the version. */
#include "snapshot_content.h"

#include <isms/proto/message.h>

enum { VERSION = 2 };

int snapshot_content_write(const struct descriptors *descriptors, Isms__Inputs__V1__SnapshotContent *content,
                           struct buf *bytes, char ret_sha256[static SHA256_HEX_SIZE], struct err *err)
{
    static char kind[] = "isms.inputs.snapshot";
    content->version = VERSION;
    content->kind = kind;
    const struct message_type *type = descriptors_message_of(descriptors, content->base.descriptor);
    if (message_canonical(type, &content->base, bytes, err) < 0)
        return -1;
    if (bytes->failed)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The snapshot would have more than %d MiB.",
                        SNAPSHOT_CONTENT_MAX >> 20);
    struct sha256 hash = sha256_of(bytes->data, bytes->length);
    hex_encode(hash.bytes, sizeof(hash.bytes), ret_sha256);
    return 0;
}
