/* json_members.c: see json_members.h. An unknown member is refused: it is a known one, misspelt. */
#include "json_members.h"

#include <string.h>

enum { TEXT_MAX = 255 };

int json_members_check(const json_t *object, const char *const *names, struct err *err)
{
    if (!json_is_object(object))
        return err_setf(err, ERR_FIELD_INVALID, "it must be an object.");
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *const *name = names;
        while (*name && strcmp(*name, json_object_iter_key(at)) != 0)
            name++;
        if (!*name)
            return err_setf(err, ERR_FIELD_INVALID, "there is no member \"%.40s\".", json_object_iter_key(at));
    }
    return 0;
}

int json_member_text(const json_t *object, const char *name, struct arena *arena, const char **ret_text,
                     struct err *err)
{
    const json_t *value = json_object_get(object, name);
    size_t length = json_string_length(value);
    if (!value)
        return 0;
    if (length == 0 || length > TEXT_MAX)
        return err_setf(err, ERR_FIELD_INVALID, "\"%s\" must be a text of 1 to %d bytes.", name, TEXT_MAX);
    *ret_text = arena_strdup(arena, json_string_value(value));
    return *ret_text ? 0 : err_set(err, ERR_INTERNAL);
}
