/* import_errors.c: the texts have an arena of their own, since the rows they are about come and go. */
#include "import_errors.h"

#include <string.h>

enum { MEMORY_MAX = 1024 * 1024, COLUMN_MAX = 300, MESSAGE_MAX = 1000 };

void import_errors_init(struct import_errors *errors)
{
    *errors = (struct import_errors){0};
    arena_init(&errors->arena, MEMORY_MAX);
}

void import_errors_release(struct import_errors *errors)
{
    arena_release(&errors->arena);
}

/* At most `max` bytes, not cut within a character. */
static char *text_keep(struct arena *arena, const char *text, size_t max)
{
    size_t length = strnlen(text, max + 1);
    if (length > max)
        for (length = max; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    return arena_strndup(arena, text, length);
}

void import_errors_add(struct import_errors *errors, int line, int row, const char *column, const char *message)
{
    errors->count++;
    if (errors->listed == IMPORT_ERRORS_MAX)
        return;
    Isms__Inputs__V1__ImportError *error = ARENA_NEW(&errors->arena, Isms__Inputs__V1__ImportError);
    if (!error)
        return;
    isms__inputs__v1__import_error__init(error);
    error->line = line;
    error->row = row;
    error->column = text_keep(&errors->arena, column, COLUMN_MAX);
    error->message = text_keep(&errors->arena, message, MESSAGE_MAX);
    if (error->column && error->message)
        errors->errors[errors->listed++] = error;
}
