/* json_token.c: strings, numbers and punctuation out of a JSON text that need not end in NUL. */
#include "json_token.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/utf8.h>

int json_fail(struct json_reader *reader, const struct path *path, const char *format, ...)
{
    char field[PATH_TEXT_SIZE] = "";
    char text[160];
    path_format(path, NULL, field);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_field(reader->err, field, "%s", text);
}

int json_exhausted(struct json_reader *reader)
{
    return err_set(reader->err, ERR_MESSAGE_TOO_LARGE);
}

char json_peek(struct json_reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at)
        reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

bool json_take(struct json_reader *reader, char character)
{
    if (json_peek(reader) != character || reader->at == reader->end)
        return false;
    reader->at++;
    return true;
}

bool json_take_word(struct json_reader *reader, const char *word)
{
    size_t length = strlen(word);
    (void)json_peek(reader);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static int hex_read(struct json_reader *reader, unsigned *ret_unit)
{
    unsigned unit = 0;
    if (reader->end - reader->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, tolower((unsigned char)*reader->at++), 16);
        if (!digit)
            return -1;
        unit = unit << 4 | (unsigned)(digit - digits);
    }
    *ret_unit = unit;
    return 0;
}

/* Behind "\u": one code point, of one unit or a surrogate pair, as UTF-8. NUL has no place in our strings. */
static int code_point_read(struct json_reader *reader, char **out)
{
    unsigned point;
    if (hex_read(reader, &point) < 0 || point == 0 || (point >= 0xdc00 && point <= 0xdfff))
        return -1;
    if (point >= 0xd800 && point <= 0xdbff) {
        unsigned low;
        if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return -1;
        reader->at += 2;
        if (hex_read(reader, &low) < 0 || low < 0xdc00 || low > 0xdfff)
            return -1;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    char *to = *out;
    if (point < 0x80) {
        *to++ = (char)point;
    } else if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
        *to++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    } else {
        *to++ = (char)(0xf0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 0x3f));
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    }
    *out = to;
    return 0;
}

/* The closing quote of a string that begins at reader->at, so that its memory can be had in one piece. */
static const char *string_end(const struct json_reader *reader)
{
    for (const char *c = reader->at; c < reader->end; c++) {
        if (*c == '"')
            return c;
        if ((unsigned char)*c < 0x20)
            return NULL;
        if (*c == '\\')
            c++;
    }
    return NULL;
}

/* Unescaping never makes a text longer. */
int json_take_string(struct json_reader *reader, const struct path *path, char **ret_text)
{
    if (!json_take(reader, '"'))
        return json_fail(reader, path, "is not a JSON string");
    const char *end = string_end(reader);
    if (!end)
        return json_fail(reader, path, "has a string without end, or with control characters");
    char *text = arena_alloc(reader->arena, (size_t)(end - reader->at) + 1);
    if (!text)
        return json_exhausted(reader);
    char *out = text;
    while (reader->at < end) {
        char c = *reader->at++;
        if (c != '\\') {
            *out++ = c;
            continue;
        }
        static const char letters[] = "\"\\/bfnrt";
        static const char meanings[] = "\"\\/\b\f\n\r\t";
        char letter = *reader->at++;
        const char *found = memchr(letters, letter, sizeof(letters) - 1);
        if (found)
            *out++ = meanings[found - letters];
        else if (letter != 'u' || code_point_read(reader, &out) < 0)
            return json_fail(reader, path, "has an escape that is not valid");
    }
    reader->at = end + 1;
    if (!utf8_is_valid(text, (size_t)(out - text)))
        return json_fail(reader, path, "is not UTF-8");
    *ret_text = text;
    return 0;
}

int json_number(struct json_reader *reader, const struct path *path, char text[static JSON_NUMBER_MAX])
{
    bool quoted = json_take(reader, '"');
    if (!quoted)
        (void)json_peek(reader);
    const char *start = reader->at;
    while (reader->at < reader->end && (isalnum((unsigned char)*reader->at) || strchr("+-.", *reader->at)) &&
           *reader->at)
        reader->at++;
    size_t length = (size_t)(reader->at - start);
    if (length == 0 || length >= JSON_NUMBER_MAX || (quoted && !json_take(reader, '"')))
        return json_fail(reader, path, "is not a number");
    memcpy(text, start, length);
    text[length] = '\0';
    if (quoted && isalpha((unsigned char)text[text[0] == '-']))
        return strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0
                   ? 0
                   : json_fail(reader, path, "is not a number");
    size_t digits = text[0] == '-';
    if (!isdigit((unsigned char)text[digits]) ||
        (text[digits] == '0' && isdigit((unsigned char)text[digits + 1])) ||
        strspn(text, "0123456789+-.eE") != length)
        return json_fail(reader, path, "is not a number");
    return 0;
}
