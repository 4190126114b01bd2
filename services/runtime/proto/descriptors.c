/* descriptors.c: looking things up in the model that descriptors_build.c makes. All tables are sorted arrays.
 */
#include <isms/proto/descriptors.h>

#include <stdlib.h>
#include <string.h>

#include "internal.h"

const struct method *descriptors_methods(const struct descriptors *descriptors, unsigned *ret_count)
{
    *ret_count = descriptors->method_count;
    return descriptors->methods;
}

static int method_compare_path(const void *path, const void *method)
{
    return strcmp(path, (*(const struct method *const *)method)->path);
}

const struct method *descriptors_method(const struct descriptors *descriptors, const char *path)
{
    const struct method *const *found = bsearch(path, descriptors->methods_by_path, descriptors->method_count,
                                                sizeof(*found), method_compare_path);
    return found ? *found : NULL;
}

static int message_compare_name(const void *name, const void *message)
{
    return strcmp(name, ((const struct message_type *)message)->name);
}

const struct message_type *descriptors_message(const struct descriptors *descriptors, const char *name)
{
    return bsearch(name, descriptors->messages, descriptors->message_count, sizeof(*descriptors->messages),
                   message_compare_name);
}

const struct message_type *descriptors_message_of(const struct descriptors *descriptors,
                                                  const ProtobufCMessageDescriptor *descriptor)
{
    unsigned low = 0;
    unsigned high = descriptors->message_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        const struct message_type *message = descriptors->messages_by_address[middle];
        if (message->descriptor == descriptor)
            return message;
        if ((uintptr_t)message->descriptor < (uintptr_t)descriptor)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct field_type *message_type_field(const struct message_type *message, const char *name)
{
    for (unsigned i = 0; i < message->field_count; i++)
        if (strcmp(message->fields[i].name, name) == 0)
            return &message->fields[i];
    return NULL;
}

const struct proto_file *descriptors_file(const struct descriptors *descriptors, const char *name)
{
    for (unsigned i = 0; i < descriptors->file_count; i++)
        if (strcmp(descriptors->files[i].name, name) == 0)
            return &descriptors->files[i];
    return NULL;
}

static int symbol_compare_name(const void *name, const void *symbol)
{
    return strcmp(name, ((const struct symbol *)symbol)->name);
}

const struct proto_file *descriptors_file_of_symbol(const struct descriptors *descriptors, const char *symbol)
{
    if (*symbol == '.')
        symbol++;
    const struct symbol *found = bsearch(symbol, descriptors->symbols, descriptors->symbol_count,
                                         sizeof(*descriptors->symbols), symbol_compare_name);
    return found ? found->file : NULL;
}

const struct proto_file *descriptors_file_of_extension(const struct descriptors *descriptors,
                                                       const char *extended, int32_t number)
{
    for (unsigned i = 0; i < descriptors->extension_count; i++)
        if (descriptors->extensions[i].number == number &&
            strcmp(descriptors->extensions[i].extended, extended) == 0)
            return descriptors->extensions[i].file;
    return NULL;
}

unsigned descriptors_extensions(const struct descriptors *descriptors, const char *extended,
                                int32_t *ret_numbers, unsigned max)
{
    unsigned count = 0;
    for (unsigned i = 0; i < descriptors->extension_count; i++)
        if (strcmp(descriptors->extensions[i].extended, extended) == 0) {
            if (count < max)
                ret_numbers[count] = descriptors->extensions[i].number;
            count++;
        }
    return count;
}

const char *enum_long_name(const struct enum_type *type, int value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type->descriptor, value);
    return found ? found->name : NULL;
}

const char *enum_short_name(const struct enum_type *type, int value)
{
    const char *name = enum_long_name(type, value);
    return name ? name + type->prefix_length : NULL;
}

bool enum_value_of(const struct enum_type *type, const char *name, size_t length, int *ret_value)
{
    const ProtobufCEnumDescriptor *descriptor = type->descriptor;
    for (unsigned i = 0; i < descriptor->n_value_names; i++) {
        const ProtobufCEnumValueIndex *candidate = &descriptor->values_by_name[i];
        const char *shorter = candidate->name + type->prefix_length;
        if ((strlen(shorter) == length && memcmp(shorter, name, length) == 0) ||
            (strlen(candidate->name) == length && memcmp(candidate->name, name, length) == 0)) {
            *ret_value = descriptor->values[candidate->index].value;
            return true;
        }
    }
    return false;
}
