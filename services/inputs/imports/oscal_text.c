/* oscal_text.c: paths in the manner of JSON: "characterizations[0].facets[1].name: impact". */
#include "oscal_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/base/utf8.h>

enum { PATH_SIZE = 1000 };

const char *oscal_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

const char *oscal_day(const json_t *object, const char *member, char storage[static 11])
{
    struct date date;
    snprintf(storage, 11, "%.10s", oscal_text(object, member));
    return date_parse(storage, &date) ? storage : "";
}

/* A path that is longer than anybody needs ends early, and not within a character. */
static void path_end(char path[static PATH_SIZE])
{
    path[utf8_cut(path, strlen(path), PATH_SIZE)] = '\0';
}

static void value_append(struct buf *text, char *path, size_t length, const json_t *value)
{
    const char *key;
    const json_t *item;
    size_t index;
    if (json_is_object(value) && json_object_size(value) > 0) {
        json_object_foreach((json_t *)value, key, item) {
            snprintf(path + length, PATH_SIZE - length, "%s%s", length ? "." : "", key);
            path_end(path);
            value_append(text, path, strlen(path), item);
        }
    } else if (json_is_array(value) && json_array_size(value) > 0) {
        json_array_foreach(value, index, item) {
            snprintf(path + length, PATH_SIZE - length, "[%zu]", index);
            path_end(path);
            value_append(text, path, strlen(path), item);
        }
    } else {
        char *scalar = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
        path[length] = '\0';
        buf_printf(text, "%s%s: %s", text->length > 0 ? "\n" : "", path,
                   scalar ? scalar : json_is_string(value) ? json_string_value(value) : "");
        free(scalar);
    }
    path[length] = '\0';
}

static bool is_taken(const char *const *taken, const char *key)
{
    for (; taken && *taken; taken++)
        if (strcmp(*taken, key) == 0)
            return true;
    return false;
}

void oscal_rest_append(struct buf *text, const json_t *object, const char *const *taken)
{
    char path[PATH_SIZE];
    const char *key;
    const json_t *value;
    bool first = true;
    json_object_foreach((json_t *)object, key, value) {
        if (is_taken(taken, key))
            continue;
        if (first && text->length > 0)
            buf_char(text, '\n'); /* an empty line before the first */
        first = false;
        snprintf(path, sizeof(path), "%s", key);
        path_end(path);
        value_append(text, path, strlen(path), value);
    }
}
