/* command_methods.c: `ismsctl methods [TEXT]`: what can be called, from the embedded descriptors. */

#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>

#include "ctl.h"

static const char *type_name(const struct field_type *field)
{
    if (field->message)
        return strrchr(field->message->name, '.') + 1;
    if (field->enumeration)
        return field->enumeration->descriptor->short_name;
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING: return "text";
    case PROTOBUF_C_TYPE_BYTES: return "bytes";
    case PROTOBUF_C_TYPE_BOOL: return "true or false";
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FLOAT: return "number";
    default: return "whole number";
    }
}

static void method_print(const struct method *method, bool with_fields)
{
    printf("%-28s %s%s\n", method->name, method->rules->permission, method->rules->write ? "  (changes data)" : "");
    for (unsigned i = 0; with_fields && i < method->request->field_count; i++) {
        const struct field_type *field = &method->request->fields[i];
        printf("    %-20s %s%s%s\n", field->name, type_name(field),
               field->descriptor->label == PROTOBUF_C_LABEL_REPEATED ? ", several" : "",
               field->rules->required ? ", required" : "");
    }
}

int command_methods(const struct session *session, struct err *err)
{
    const char *wanted = session->options->argument_count > 1 ? session->options->arguments[1] : NULL;
    unsigned count;
    const struct method *methods = descriptors_methods(session->descriptors, &count);
    const char *service = "";
    unsigned printed = 0;

    for (unsigned i = 0; i < count; i++) {
        if (strncmp(methods[i].package, "isms.", 5) != 0 || methods[i].rules->internal ||
            (wanted && !strcasestr(methods[i].path, wanted)))
            continue;
        if (strcmp(service, methods[i].service) != 0)
            printf("%s%s\n", printed ? "\n" : "", service = methods[i].service);
        method_print(&methods[i], wanted != NULL);
        printed++;
    }
    if (printed == 0)
        return err_setf(err, ERR_METHOD_UNKNOWN, "No method's name has '%s' in it.", wanted);
    return 0;
}
