/* wording.c: words are made from the proto files' own names, so that a new value of an enum needs no line here.
 */
#include "wording.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/clock.h>

const char *or_dash(const char *text)
{
    return text_is_empty(text) ? "–" : text;
}

const char *word_of_name(struct arena *arena, const char *name)
{
    char *word = arena_strdup(arena, name);

    if (!word || !*word)
        return or_dash(NULL);
    for (char *letter = word; *letter; letter++) {
        if (strncmp(letter, "ISMS", 4) == 0)
            letter += 3; /* stays as it is */
        else if (letter > word)
            *letter = *letter == '_' ? ' ' : (char)tolower((unsigned char)*letter);
    }
    return word;
}

/* Every enum's first value is <PREFIX>UNSPECIFIED; what stands before that is the prefix of all. */
const char *word_of_enum(struct arena *arena, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);

    if (!found || !zero || value == 0)
        return or_dash(NULL);
    const char *end = strstr(zero->name, "UNSPECIFIED");
    return word_of_name(arena, found->name + (end ? end - zero->name : 0));
}

const char *word_of_time(struct arena *arena, const Google__Protobuf__Timestamp *time)
{
    char text[CLOCK_TEXT_SIZE];

    if (!time)
        return "";
    clock_format(time->seconds * 1000000 + time->nanos / 1000, text);
    return arena_printf(arena, "%.10s %.5s UTC", text, text + 11);
}

const char *word_of_number(struct arena *arena, double value, const char *unit)
{
    return arena_printf(arena, "%.6g%s%s", value + 0.0, unit && *unit ? " " : "", unit ? unit : "");
}
