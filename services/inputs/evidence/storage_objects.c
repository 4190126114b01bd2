/* storage_objects.c: the statements of the back end "postgresql". */
#include "storage_objects.h"

#include <google/protobuf/empty.pb-c.h>
#include <isms/inputs/v1/evidence_statements.pb-c.h>
#include <isms/obs/log.h>

/* Runs the statement on the file; the tenant is the transaction's. */
static int object_run(struct call *call, const char *statement, const struct stored_file *file,
                      Isms__Inputs__V1__EvidenceObject *object, ProtobufCMessage *response, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(file->id, id);
    object->id = id;
    return call_statement(call, statement, &object->base, response, err);
}

int object_write(struct call *call, const struct stored_file *file, int64_t offset, struct slice bytes,
                 struct err *err)
{
    Isms__Inputs__V1__EvidenceObject object = ISMS__INPUTS__V1__EVIDENCE_OBJECT__INIT;
    Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;
    object.offset = offset;
    object.data = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)bytes.data, .len = bytes.length};
    return object_run(call, "WriteObject", file, &object, &nothing.base, err);
}

int object_read(struct call *call, const struct stored_file *file, int64_t offset, size_t length,
                struct slice *ret_bytes, struct err *err)
{
    Isms__Inputs__V1__EvidenceObject object = ISMS__INPUTS__V1__EVIDENCE_OBJECT__INIT;
    Isms__Inputs__V1__EvidenceObject found = ISMS__INPUTS__V1__EVIDENCE_OBJECT__INIT;
    object.offset = offset;
    object.size = (int64_t)length;
    if (object_run(call, "ReadObject", file, &object, &found.base, err) < 0)
        return -1;
    if (found.data.len != length) {
        char id[UUID_TEXT_SIZE];
        uuid_format(file->id, id);
        LOG(ERROR, "an evidence file has fewer bytes than were acknowledged", LOG_STR("file", id));
        return err_set(err, ERR_DATA_CORRUPT);
    }
    *ret_bytes = (struct slice){.data = (const char *)found.data.data, .length = length};
    return 0;
}

int object_remove(struct call *call, const struct stored_file *file, struct err *err)
{
    Isms__Inputs__V1__EvidenceObject object = ISMS__INPUTS__V1__EVIDENCE_OBJECT__INIT;
    Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;
    return object_run(call, "RemoveObject", file, &object, &nothing.base, err);
}
