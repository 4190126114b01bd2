/* output.c: JSON for programs, or one value a line for people. */

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <isms/base/buf.h>

#include "ctl.h"

enum { INDENT = 2, TEXT_MAX = 512 << 20 };

static void value_print(const json_t *value, int depth);

static void indent_print(int depth)
{
    printf("%*s", depth * INDENT, "");
}

/* Text of several lines stands below its name, so that it can be read and copied. */
static void text_print(const char *text, int depth)
{
    if (!strchr(text, '\n')) {
        puts(text);
        return;
    }
    puts("|");
    while (*text) {
        size_t length = strcspn(text, "\n");
        indent_print(depth + 1);
        printf("%.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void member_print(const char *name, const json_t *value, int depth)
{
    printf("%s:", name);
    if (json_is_object(value) || json_is_array(value)) {
        putchar('\n');
        value_print(value, depth + 1);
    } else {
        putchar(' ');
        value_print(value, depth);
    }
}

static void item_print(const json_t *item, int depth)
{
    const char *name;
    json_t *value;
    bool first = true;

    indent_print(depth);
    fputs("- ", stdout);
    if (!json_is_object(item)) {
        value_print(item, depth + 1);
        return;
    }
    json_object_foreach((json_t *)item, name, value) {
        if (!first)
            indent_print(depth + 1);
        first = false;
        member_print(name, value, depth + 1);
    }
}

static void value_print(const json_t *value, int depth)
{
    const char *name;
    json_t *inner;
    size_t index;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_object_foreach((json_t *)value, name, inner) {
            indent_print(depth);
            member_print(name, inner, depth);
        }
        break;
    case JSON_ARRAY:
        json_array_foreach((json_t *)value, index, inner)
            item_print(inner, depth);
        break;
    case JSON_STRING: text_print(json_string_value(value), depth); break;
    case JSON_INTEGER: printf("%lld\n", (long long)json_integer_value(value)); break;
    case JSON_REAL: printf("%.17g\n", json_real_value(value)); break;
    case JSON_TRUE: puts("true"); break;
    case JSON_FALSE: puts("false"); break;
    case JSON_NULL: puts("null"); break;
    }
}

int output_print(struct slice json, bool as_json, struct err *err)
{
    json_error_t where;
    CLEANUP(json_decrefp) json_t *value = json_loadb(json.data, json.length, JSON_DECODE_ANY, &where);

    if (!value)
        return err_setf(err, ERR_INTERNAL, "The response is no JSON: %s", where.text);
    if (as_json) {
        json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
        putchar('\n');
    } else {
        value_print(value, 0);
    }
    return 0;
}

static void error_print_json(const struct err *err)
{
    CLEANUP(json_decrefp) json_t *error = json_pack("{s:s, s:i, s:s, s:{}, s:[]}", "reason",
                                                    err_reason_name(err->reason), "code", err_grpc_code(err->reason),
                                                    "message", err->message, "metadata", "violations");
    for (unsigned i = 0; i < err->metadata_count && i < ERR_METADATA_MAX; i++)
        json_object_set_new(json_object_get(error, "metadata"), err->metadata[i].key,
                            json_string(err->metadata[i].value));
    for (unsigned i = 0; i < err->violation_count && i < ERR_VIOLATIONS_MAX; i++)
        json_array_append_new(json_object_get(error, "violations"),
                              json_pack("{s:s, s:s}", "field", err->violations[i].field, "description",
                                        err->violations[i].description));
    json_dumpf(error, stderr, JSON_INDENT(2));
    fputc('\n', stderr);
}

void output_error(const struct err *err, bool as_json)
{
    if (as_json) {
        error_print_json(err);
        return;
    }
    fprintf(stderr, "%s: %s\n", err_reason_name(err->reason), err->message);
    for (unsigned i = 0; i < err->violation_count && i < ERR_VIOLATIONS_MAX; i++)
        fprintf(stderr, "  %s: %s\n", err->violations[i].field, err->violations[i].description);
    for (unsigned i = 0; i < err->metadata_count && i < ERR_METADATA_MAX; i++)
        if (err->violation_count == 0 || strcmp(err->metadata[i].key, "field") != 0) /* was named with its violation */
            fprintf(stderr, "  %s = %s\n", err->metadata[i].key, err->metadata[i].value);
    fprintf(stderr, "%s\n", err_reason_advice(err->reason));
}
