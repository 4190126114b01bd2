/* fuzz_oscal.c: any bytes as an OSCAL document: inputs that keep the rules of their fields, known by an id, of levels
 * that do not fall; or errors. */
#include <string.h>

#include <isms/proto/validate.h>

#include "fuzz.h"
#include "fuzz_types.h"
#include "import_read.h"

enum { MEMORY_MAX = 32 << 20 };

static int64_t file_part(void *context, int64_t offset, void *into, size_t size)
{
    const struct slice *file = context;
    size_t rest = offset < (int64_t)file->length ? file->length - (size_t)offset : 0;
    memcpy(into, file->data + offset, rest < size ? rest : size);
    return (int64_t)(rest < size ? rest : size);
}

static int item_check(void *context, const struct import_item *item)
{
    int *level = context;
    struct err err = {0};
    const ProtobufCMessageDescriptor *type = item->message->descriptor;
    BUG_IF(message_validate(descriptors_message_of(fuzz_descriptors(), type), item->message, &err) < 0);
    BUG_IF(((const Isms__Inputs__V1__Input *)item->message)->external_id[0] == '\0' || item->level < *level);
    *level = item->level;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena CLEANUP(arena_release);
    struct slice file = {.data = (const char *)data, .length = size};
    struct import_source source = {.length = (int64_t)size, .read = file_part, .context = &file};
    Isms__Inputs__V1__Import import;
    struct import_errors errors CLEANUP(import_errors_release);
    struct import_outcome outcome;
    struct err err = {0};
    int level = 0;
    arena_init(&arena, MEMORY_MAX);
    import_errors_init(&errors);
    isms__inputs__v1__import__init(&import);
    import.format = ISMS__INPUTS__V1__IMPORT_FORMAT__IMPORT_FORMAT_OSCAL;
    import.source = "fuzz";
    struct import_reading reading = {.descriptors = fuzz_descriptors(), .import = &import, .source = &source,
                                     .arena = &arena, .on_item = item_check, .context = &level};
    if (import_read(&reading, &errors, &outcome, &err) == 0)
        BUG_IF((int)errors.listed > errors.count);
    return 0;
}
