/* json_text.c: JSON strings. Plain runs are appended whole; one byte at a time would be slow. */
#include <isms/base/json_text.h>

#include <string.h>

#include "utf8_sequence.h"

static void escape_append(struct buf *buf, char character)
{
    static const char letters[] = "btnfr";
    static const char controls[] = "\b\t\n\f\r";
    const char *control = character ? strchr(controls, character) : NULL;
    if (character == '"' || character == '\\')
        buf_printf(buf, "\\%c", character);
    else if (control)
        buf_printf(buf, "\\%c", letters[control - controls]);
    else
        buf_printf(buf, "\\u%04x", (unsigned)character);
}

void json_text_append(struct buf *buf, const char *text, size_t length)
{
    buf_char(buf, '"');
    size_t start = 0; /* of the run that needs no change */
    size_t i = 0;
    while (i < length) {
        size_t size = utf8_sequence(text + i, length - i);
        bool plain = size > 1 || (size == 1 && text[i] >= ' ' && text[i] != '"' && text[i] != '\\');
        if (plain) {
            i += size;
            continue;
        }
        buf_append(buf, text + start, i - start);
        if (size == 0)
            buf_text(buf, "\xEF\xBF\xBD");
        else
            escape_append(buf, text[i]);
        start = ++i;
    }
    buf_append(buf, text + start, length - start);
    buf_char(buf, '"');
}
