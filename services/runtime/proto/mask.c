/* mask.c: paths are short and few, so they are compared as text. */
#include <isms/proto/mask.h>

#include <stdio.h>
#include <string.h>

#include "internal.h"

bool mask_is_all(const Google__Protobuf__FieldMask *mask)
{
    return !mask || mask->n_paths == 0 || (mask->n_paths == 1 && strcmp(mask->paths[0], "*") == 0);
}

/* `path` is `above` or lies below it, be it in an item of a list ("questions[1].type"). */
static bool path_is_within(const char *path, const char *above)
{
    size_t length = strlen(above);
    return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '.' || path[length] == '[');
}

bool mask_covers(const Google__Protobuf__FieldMask *mask, const char *path)
{
    if (mask_is_all(mask))
        return true;
    for (size_t i = 0; i < mask->n_paths; i++)
        if (path_is_within(path, mask->paths[i]))
            return true;
    return false;
}

bool mask_touches(const Google__Protobuf__FieldMask *mask, const char *path)
{
    if (mask_covers(mask, path))
        return true;
    for (size_t i = 0; i < mask->n_paths; i++)
        if (path_is_within(mask->paths[i], path))
            return true;
    return false;
}

/* What is wrong with a path, or NULL. */
static const char *path_fault(const struct message_type *type, const char *path)
{
    char name[128];
    for (;;) {
        size_t length = strcspn(path, ".");
        if (length == 0 || length >= sizeof(name))
            return "is not a field";
        memcpy(name, path, length);
        name[length] = '\0';
        const struct field_type *field = message_type_field(type, name);
        if (!field)
            return "is not a field";
        if (field->rules->output_only)
            return "is set by the service";
        if (field->rules->immutable)
            return "cannot be changed after creation";
        if (!path[length])
            return NULL;
        if (!field->message || field_is_repeated(field) || field->message->kind != MESSAGE_PLAIN)
            return "has no fields of its own that could be changed; name it as a whole";
        type = field->message;
        path += length + 1;
    }
}

/* Gives the violations collected so far the reason of masks. */
static void mask_refuse(struct err *err)
{
    err->reason = ERR_MASK_INVALID;
    snprintf(err->message, sizeof(err->message), "%s", err_reason_text(ERR_MASK_INVALID));
}

int mask_check(const struct message_type *resource, const Google__Protobuf__FieldMask *mask, const char *field,
               struct err *err)
{
    if (mask_is_all(mask))
        return 0;
    if (mask->n_paths > MASK_PATHS_MAX)
        return err_setf(err, ERR_MASK_INVALID, "The update mask has more than %d paths.", MASK_PATHS_MAX);
    unsigned wrong = 0;
    for (size_t i = 0; i < mask->n_paths; i++) {
        const char *fault = path_fault(resource, mask->paths[i]);
        if (!fault)
            continue;
        if (wrong++ == 0)
            err_set(err, ERR_FIELD_INVALID);
        err_field(err, field, "'%s' %s", mask->paths[i], fault);
    }
    if (wrong == 0)
        return 0;
    mask_refuse(err);
    return -1;
}
