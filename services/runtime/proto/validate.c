/* validate.c: one walk over the tree, driven by the field tables.
 *
 * An update names in its mask what it changes; the rest of the resource it carries need not be complete.
 * Hence a required field inside the resource is missed only where the mask touches it, and one that is
 * immutable not at all. The depth is bounded: no request type contains itself (checked at start). */
#include <isms/proto/validate.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/base/utf8.h>
#include <isms/base/uuid.h>
#include <isms/proto/mask.h>

#include "internal.h"

enum { PATTERN_TEXT_MAX = 1000, EMAIL_MAX = 254, ZONE_MAX = 64 };

struct validation {
    const struct field_type *resource; /* of an update with a mask; else NULL */
    const Google__Protobuf__FieldMask *mask;
    struct err *err;
};

/* A message on the way down. */
struct place {
    const struct path *path;
    const struct path *resource; /* the node of the update's resource, once inside it */
    bool immutable;              /* inside a field that an update cannot change */
};

static int PRINTF_LIKE(3, 4)
    violation(struct validation *validation, const struct path *path, const char *format, ...)
{
    char field[PATH_TEXT_SIZE];
    char text[160];
    path_format(path, NULL, field);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_field(validation->err, field, "%s", text);
}

static bool email_is_valid(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || at == text || !at[1] || strchr(at + 1, '@') || strlen(text) > EMAIL_MAX)
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    return true;
}

static bool uri_is_valid(const char *text)
{
    if (!isalpha((unsigned char)*text))
        return false;
    const char *c = text;
    while (isalnum((unsigned char)*c) || *c == '+' || *c == '-' || *c == '.')
        c++;
    if (*c != ':' || !c[1])
        return false;
    /* What a browser would run where somebody makes a link of it. */
    static const char *const refused[] = {"javascript:", "data:", "vbscript:"};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (strncasecmp(text, refused[i], strlen(refused[i])) == 0)
            return false;
    for (; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    return true;
}

/* The names of the tz database: parts of letters, digits, _, + and -, between slashes, a letter first. */
static bool time_zone_is_valid(const char *text)
{
    static const char folder[] = "/usr/share/zoneinfo";
    char file[sizeof(folder) + ZONE_MAX + 1];
    size_t length = strlen(text);
    if (length > ZONE_MAX || !isalpha((unsigned char)*text) || text[length - 1] == '/' || strstr(text, "//"))
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_+-/", *c))
            return false;
    snprintf(file, sizeof(file), "%s/%s", folder, text);
    if (access(folder, F_OK) != 0)
        return true;
    /* The folder holds other files and folders too ("leapseconds", "Europe"); RFC 8536 files say what they are. */
    char magic[4] = "";
    FILE *zone = fopen(file, "re");
    bool is_zone = zone && fread(magic, sizeof(magic), 1, zone) == 1 && memcmp(magic, "TZif", sizeof(magic)) == 0;
    if (zone)
        fclose(zone);
    return is_zone;
}

static bool sha256_is_valid(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* What the text should have been, or NULL where it is. */
static const char *format_fault(Isms__Options__V1__Format format, const char *text)
{
    struct uuid uuid;
    struct date date;
    switch (format) {
    case ISMS__OPTIONS__V1__FORMAT__FORMAT_UUID:
        return uuid_parse(text, &uuid) ? NULL : "is not a UUID of 36 characters";
    case ISMS__OPTIONS__V1__FORMAT__FORMAT_DATE:
        return date_parse(text, &date) ? NULL : "is not a date YYYY-MM-DD";
    case ISMS__OPTIONS__V1__FORMAT__FORMAT_EMAIL:
        return email_is_valid(text) ? NULL : "is not an e-mail address";
    case ISMS__OPTIONS__V1__FORMAT__FORMAT_TIME_ZONE:
        return time_zone_is_valid(text) ? NULL : "is not a time zone name such as Europe/Berlin";
    case ISMS__OPTIONS__V1__FORMAT__FORMAT_URI:
        return uri_is_valid(text) ? NULL : "is not an absolute URI such as https://example.com/a";
    case ISMS__OPTIONS__V1__FORMAT__FORMAT_SHA256:
        return sha256_is_valid(text) ? NULL : "is not 64 lower-case hexadecimal digits";
    default:
        return NULL;
    }
}

static int length_judge(struct validation *validation, const struct field_type *field, const struct path *path,
                        size_t length, const char *unit)
{
    if (field->rules->max_length && length > (size_t)field->rules->max_length)
        return violation(validation, path, "has %zu %s, more than %d", length, unit, field->rules->max_length);
    if (length < (size_t)field->rules->min_length)
        return violation(validation, path, "has %zu %s, fewer than %d", length, unit, field->rules->min_length);
    return 0;
}

static int text_judge(struct validation *validation, const struct field_type *field, const struct path *path,
                      const char *text)
{
    if (!text)
        text = "";
    size_t length = utf8_length(text, strlen(text));
    if (length_judge(validation, field, path, length, "characters") < 0)
        return -1;
    const char *fault = format_fault(field->rules->format, text);
    if (fault)
        return violation(validation, path, "%s", fault);
    if (field->pattern && length > PATTERN_TEXT_MAX)
        return violation(validation, path, "has %zu characters, more than %d", length, PATTERN_TEXT_MAX);
    if (field->pattern && regexec(field->pattern, text, 0, NULL, 0) != 0)
        return violation(validation, path, "does not match the pattern %s", field->rules->pattern);
    return 0;
}

static double number_of(const struct field_type *field, const void *value)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)value;
    case PROTOBUF_C_TYPE_FLOAT:
        return (double)*(const float *)value;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return *(const uint32_t *)value;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (double)*(const uint64_t *)value;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return (double)*(const int64_t *)value;
    default:
        return *(const int32_t *)value;
    }
}

static int number_judge(struct validation *validation, const struct field_type *field, const struct path *path,
                        const void *value)
{
    bool real =
        field->descriptor->type == PROTOBUF_C_TYPE_DOUBLE || field->descriptor->type == PROTOBUF_C_TYPE_FLOAT;
    double number = number_of(field, value);
    if (real && !__builtin_isfinite(number))
        return violation(validation, path, "is not a finite number");
    const Isms__Options__V1__Range *range = field->rules->range;
    if (range && !(number >= range->min && number <= range->max))
        return violation(validation, path, "is not between %.15g and %.15g", range->min, range->max);
    return 0;
}

/* Timestamp and Duration share their layout; only their bounds differ. */
static int time_judge(struct validation *validation, const struct path *path, ProtobufCMessage *message,
                      const struct message_type *type)
{
    int64_t seconds = *MEMBER(message, &type->fields[0], int64_t);
    int32_t nanos = *MEMBER(message, &type->fields[1], int32_t);
    if (type->kind == MESSAGE_TIMESTAMP) {
        if (seconds < INT64_C(-62135596800) || seconds > INT64_C(253402300799) || nanos < 0 ||
            nanos > 999999999)
            return violation(validation, path, "is not a time between the years 1 and 9999");
        /* Times are kept to the microsecond; PostgreSQL would round, and out of the year 9999. */
        *MEMBER(message, &type->fields[1], int32_t) = nanos - nanos % 1000;
        return 0;
    }
    const int64_t most = INT64_C(315576000000);
    if (seconds < -most || seconds > most || nanos < -999999999 || nanos > 999999999 ||
        (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
        return violation(validation, path, "is not a duration");
    return 0;
}

static void message_judge(struct validation *validation, const struct message_type *type,
                          ProtobufCMessage *message, const struct place *place);

static void value_judge(struct validation *validation, const struct field_type *field, const void *value,
                        const struct place *place)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING:
        (void)text_judge(validation, field, place->path, *(char *const *)value);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        (void)length_judge(validation, field, place->path, ((const ProtobufCBinaryData *)value)->len, "bytes");
        return;
    case PROTOBUF_C_TYPE_MESSAGE: {
        ProtobufCMessage *message = *(ProtobufCMessage *const *)value;
        if (!message)
            (void)violation(validation, place->path, "is missing");
        else if (field->message->kind == MESSAGE_TIMESTAMP || field->message->kind == MESSAGE_DURATION)
            (void)time_judge(validation, place->path, message, field->message);
        else if (field->message->kind != MESSAGE_FIELD_MASK)
            message_judge(validation, field->message, message, place);
        return;
    }
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return;
    default:
        (void)number_judge(validation, field, place->path, value);
        return;
    }
}

/* Entries of maps of one key type: text keys by bytes, the others by value. */
static int entry_compare(const void *a, const void *b, void *context)
{
    const struct field_type *key = context;
    const void *left = MEMBER(*(ProtobufCMessage *const *)a, key, char);
    const void *right = MEMBER(*(ProtobufCMessage *const *)b, key, char);
    if (key->descriptor->type == PROTOBUF_C_TYPE_STRING) {
        const char *left_text = *(char *const *)left;
        const char *right_text = *(char *const *)right;
        return strcmp(left_text ? left_text : "", right_text ? right_text : "");
    }
    if (field_size(key) == 8)
        return (*(const int64_t *)left > *(const int64_t *)right) -
               (*(const int64_t *)left < *(const int64_t *)right);
    return (*(const int32_t *)left > *(const int32_t *)right) -
           (*(const int32_t *)left < *(const int32_t *)right);
}

/* The order of a map's entries means nothing and differs between encodings of the same request, whose hash
 * must not. (Small arrays are sorted without malloc(); their size has been bounded.) */
static int map_sort(struct validation *validation, const struct field_type *field, ProtobufCMessage *message,
                    const struct path *path)
{
    void *key = (void *)(uintptr_t)&field->message->fields[0];
    ProtobufCMessage **entries = *MEMBER(message, field, ProtobufCMessage **);
    size_t count = *QUANTIFIER(message, field, size_t);
    qsort_r(entries, count, sizeof(*entries), entry_compare, key);
    for (size_t i = 1; i < count; i++)
        if (entry_compare(&entries[i - 1], &entries[i], key) == 0)
            return violation(validation, path, "has the same key twice");
    return 0;
}

static void items_judge(struct validation *validation, const struct field_type *field,
                        ProtobufCMessage *message, struct path *path, struct place *place)
{
    size_t count = *QUANTIFIER(message, field, size_t);
    size_t max = field->rules->max_items ? (size_t)field->rules->max_items : REPEATED_ITEMS_DEFAULT;
    if (count > max) {
        (void)violation(validation, path, "has %zu items, more than %zu", count, max);
        return;
    }
    if (count < (size_t)field->rules->min_items)
        (void)violation(validation, path, "has %zu items, fewer than %d", count, field->rules->min_items);
    if ((field->is_map && map_sort(validation, field, message, path) < 0) || field->rules->judged_by_service)
        return;
    const char *items = *MEMBER(message, field, char *);
    for (size_t i = 0; i < count; i++) {
        path->index = (long)i;
        if (field->descriptor->type == PROTOBUF_C_TYPE_ENUM && ((const int32_t *)(const void *)items)[i] == 0)
            (void)violation(validation, path, "names no value"); /* that stands for a field that is not set */
        value_judge(validation, field, items + i * field_size(field), place);
    }
}

static bool oneof_is_set(const struct field_type *field, const ProtobufCMessage *message)
{
    return *QUANTIFIER(message, field, uint32_t) != 0;
}

/* A missing field is wrong unless the update's mask leaves it alone. */
static void required_judge(struct validation *validation, const struct field_type *field,
                           const ProtobufCMessage *message, const struct path *path, const struct place *place)
{
    struct path node = *path;
    if (field_is_in_oneof(field)) {
        if (oneof_is_set(field, message))
            return;
        node.name = field->oneof;
    }
    if (place->resource) {
        char relative[PATH_TEXT_SIZE];
        path_format(path, place->resource, relative);
        if (place->immutable || field->rules->immutable || !mask_touches(validation->mask, relative))
            return;
    }
    (void)violation(validation, &node, "is required");
}

static void field_judge(struct validation *validation, const struct field_type *field,
                        ProtobufCMessage *message, const struct place *around)
{
    struct path path = {.parent = around->path, .name = field->name, .index = -1};
    struct place place = {.path = &path,
                          .resource = around->resource,
                          .immutable = around->immutable || (around->resource && field->rules->immutable)};
    if (field == validation->resource)
        place.resource = &path;
    if (field->rules->output_only)
        field_clear(field, message);
    else if (!field_is_set(field, message)) {
        if (field->rules->required)
            required_judge(validation, field, message, &path, around);
        if (field_is_repeated(field) && field->rules->min_items && !field->rules->required && !around->resource)
            (void)violation(validation, &path, "has 0 items, fewer than %d", field->rules->min_items);
    } else if (field_is_repeated(field))
        items_judge(validation, field, message, &path, &place);
    else
        value_judge(validation, field, MEMBER(message, field, char), &place);
}

static void message_judge(struct validation *validation, const struct message_type *type,
                          ProtobufCMessage *message, const struct place *place)
{
    const struct field_type *missing = NULL; /* the first member of a oneof speaks for all */
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *field = &type->fields[i];
        if (field_is_in_oneof(field) && field->rules->required && !oneof_is_set(field, message)) {
            if (missing && missing->oneof == field->oneof)
                continue;
            missing = field;
        }
        field_judge(validation, field, message, place);
    }
}

int message_validate(const struct message_type *type, ProtobufCMessage *message, struct err *err)
{
    struct err found = {0};
    struct validation validation = {.err = &found};
    const struct field_type *mask = request_mask(type);
    if (mask) {
        validation.resource = request_resource(type);
        validation.mask = *MEMBER(message, mask, Google__Protobuf__FieldMask *);
    }
    message_judge(&validation, type, message, &(struct place){0});
    if (found.reason == ERR_OK)
        return 0;
    *err = found;
    return -1;
}
