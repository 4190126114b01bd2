/* json_members.c: see json_members.h.
 *
 * Nesting is bounded before jansson sees a stranger's text, since it descends by recursion to a depth of 2048. In what
 * an operator wrote, an unknown member is refused: it is a known one, misspelt. */
#include "json_members.h"

#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 16, TEXT_MAX = 255 };

static const int64_t TIME_MAX_S = 253402300799; /* 9999-12-31T23:59:59Z */

static bool nesting_is_bounded(const char *text, size_t length)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > NESTING_MAX)
            return false;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return true;
}

/* Without memory jansson may say that the text is wrong, or leave a member out, which would be a wrong refusal. */
static _Thread_local bool memory_failed;

static void *watched_malloc(size_t size)
{
    void *memory = malloc(size);
    memory_failed |= !memory;
    return memory;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(watched_malloc, free);
}

json_t *json_object_read(const char *text, size_t length, bool *ret_no_memory)
{
    *ret_no_memory = memory_failed = false;
    if (!nesting_is_bounded(text, length))
        return NULL;
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    *ret_no_memory = memory_failed;
    if (object && (memory_failed || !json_is_object(object))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

bool json_numeric_date(const json_t *value, int64_t *ret_time_us)
{
    if (!json_is_number(value))
        return false;
    double seconds = json_number_value(value);
    if (!(seconds >= 0 && seconds <= (double)TIME_MAX_S))
        return false;
    *ret_time_us = json_is_integer(value) ? (int64_t)json_integer_value(value) * 1000000
                                          : (int64_t)(seconds * 1e6);
    return true;
}

bool json_text_copy(const json_t *value, char *ret_text, size_t size)
{
    size_t length = json_is_string(value) ? json_string_length(value) : 0;
    if (length == 0 || length >= size)
        return false;
    memcpy(ret_text, json_string_value(value), length + 1);
    return true;
}

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
