/* json_token.h: the words of JSON, for json_read.c. Every function that answers -1 has filled in the error. */
#ifndef ISMS_PROTO_JSON_TOKEN_H
#define ISMS_PROTO_JSON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

#include "internal.h"

enum { JSON_NUMBER_MAX = 400 };

struct json_reader {
    const char *at;
    const char *end;
    struct arena *arena;
    bool ignore_unknown;
    unsigned depth;
    struct err *err;
};

/* Both answer -1. */
int json_fail(struct json_reader *reader, const struct path *path, const char *format, ...) PRINTF_LIKE(3, 4);
int json_exhausted(struct json_reader *reader);

/* The next character that is not white space; NUL at the end. */
char json_peek(struct json_reader *reader);

/* Goes over the character, or word, if it comes next. */
bool json_take(struct json_reader *reader, char character);
bool json_take_word(struct json_reader *reader, const char *word);

/* A string in the arena, NUL-terminated and UTF-8. */
int json_take_string(struct json_reader *reader, const struct path *path, char **ret_text);

/* A JSON number, or (where the mapping allows it) a string that holds one. */
int json_number(struct json_reader *reader, const struct path *path, char text[static JSON_NUMBER_MAX]);

#endif
