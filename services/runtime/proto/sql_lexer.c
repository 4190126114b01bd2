/* sql_lexer.c: just enough of PostgreSQL's lexical rules (its manual, section 4.1): strings with and without
 * escapes, quoted identifiers, dollar quotes, both comments (block comments nest), casts. */
#include "sql_lexer.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c);
}

/* Behind the closing quote of a quoted text that begins at `at`; NULL: it has none. */
static const char *quoted_end(const char *at, bool escapes)
{
    char quote = *at++;
    for (; *at; at++) {
        if (escapes && *at == '\\' && at[1])
            at++;
        else if (*at == quote && at[1] == quote)
            at++;
        else if (*at == quote)
            return at + 1;
    }
    return NULL;
}

static const char *block_comment_end(const char *at)
{
    unsigned depth = 0;
    for (; *at; at++) {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at++;
        } else if (at[0] == '*' && at[1] == '/') {
            at++;
            if (--depth == 0)
                return at + 1;
        }
    }
    return NULL;
}

/* $tag$ ... $tag$; `at` itself where no dollar quote begins there. */
static const char *dollar_quote_end(const char *at)
{
    const char *tag_end = at + 1;
    if (is_name_start(*tag_end))
        while (is_name(*tag_end))
            tag_end++;
    if (*tag_end != '$')
        return at;
    size_t length = (size_t)(tag_end - at) + 1;
    for (const char *c = tag_end + 1; *c; c++)
        if (*c == '$' && strncmp(c, at, length) == 0)
            return c + length;
    return NULL;
}

/* Behind the letters, digits, underscores and inner dots of a parameter's name. */
static const char *parameter_end(const char *at)
{
    while (isalnum((unsigned char)*at) || *at == '_' ||
           (*at == '.' && (isalnum((unsigned char)at[1]) || at[1] == '_')))
        at++;
    return at;
}

static struct sql_token token(struct sql_lexer *lexer, enum sql_token_kind kind, const char *start,
                              const char *end)
{
    size_t at = lexer->at;
    if (!end) {
        kind = SQL_UNTERMINATED;
        end = start + strlen(start);
    }
    lexer->at = (size_t)(end - lexer->text);
    return (struct sql_token){
        .kind = kind, .text = {.data = start, .length = (size_t)(end - start)}, .at = at};
}

struct sql_token sql_lexer_next(struct sql_lexer *lexer)
{
    const char *at = lexer->text + lexer->at;
    const char *end;
    switch (*at) {
    case '\0':
        return token(lexer, SQL_END, at, at);
    case ';':
        return token(lexer, SQL_SEMICOLON, at, at + 1);
    case '\'':
    case '"':
        return token(lexer, SQL_TEXT, at, quoted_end(at, false));
    case '-':
        if (at[1] == '-')
            return token(lexer, SQL_COMMENT, at, at + strcspn(at, "\n"));
        break;
    case '/':
        if (at[1] == '*')
            return token(lexer, SQL_COMMENT, at, block_comment_end(at));
        break;
    case '$':
        if (isdigit((unsigned char)at[1]))
            return token(lexer, SQL_POSITIONAL, at, at + 1 + strspn(at + 1, "0123456789"));
        end = dollar_quote_end(at);
        if (end != at)
            return token(lexer, SQL_TEXT, at, end);
        break;
    case ':':
        if (at[1] == ':' || at[1] == '=')
            return token(lexer, SQL_TEXT, at, at + 2);
        if (isalpha((unsigned char)at[1]) || at[1] == '_')
            return token(lexer, SQL_PARAMETER, at + 1, parameter_end(at + 1));
        break;
    default:
        break;
    }
    if (is_name_start(*at)) { /* whole words, so that neither e'..' nor a$b is taken apart */
        if ((*at == 'e' || *at == 'E') && at[1] == '\'') {
            end = quoted_end(at + 1, true);
            return token(lexer, SQL_TEXT, at, end);
        }
        end = at;
        while (is_name(*end) || *end == '$')
            end++;
        return token(lexer, SQL_TEXT, at, end);
    }
    end = at + 1;
    if (isspace((unsigned char)*at))
        while (isspace((unsigned char)*end))
            end++;
    return token(lexer, SQL_TEXT, at, end);
}
