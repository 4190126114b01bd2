/* sql_lexer.h: finds the parameters in a SQL text, and nothing where PostgreSQL would not look for any. */
#ifndef ISMS_PROTO_SQL_LEXER_H
#define ISMS_PROTO_SQL_LEXER_H

#include <stddef.h>

#include <isms/base/slice.h>

enum sql_token_kind {
    SQL_TEXT,      /* anything to be copied as it is */
    SQL_PARAMETER, /* :name; the token's text is the name */
    SQL_SEMICOLON,
    SQL_POSITIONAL, /* $1 */
    SQL_COMMENT,
    SQL_UNTERMINATED, /* a string, quoted identifier, comment or dollar quote without end */
    SQL_END
};

struct sql_token {
    enum sql_token_kind kind;
    struct slice text;
    size_t at; /* where it begins */
};

struct sql_lexer {
    const char *text; /* NUL-terminated */
    size_t at;
};

struct sql_token sql_lexer_next(struct sql_lexer *lexer);

#endif
