/* xlsx_strings.c: sharedStrings.xml; runs of rich text are put together, phonetic hints left out. */
#include "xlsx_strings.h"

#include <stdlib.h>
#include <string.h>

enum { PART_MAX = 256 * 1024 * 1024, FIRST_ROOM = 1024 };

void xlsx_strings_init(struct xlsx_strings *strings)
{
    *strings = (struct xlsx_strings){0};
    buf_init(&strings->text, XLSX_STRINGS_BYTES_MAX);
}

void xlsx_strings_release(struct xlsx_strings *strings)
{
    buf_release(&strings->text);
    free(strings->starts);
}

static void string_begin(struct xlsx_strings *strings)
{
    if (strings->count == strings->room) {
        size_t room = strings->room ? 2 * strings->room : FIRST_ROOM;
        uint32_t *starts = realloc(strings->starts, room * sizeof(*starts));
        if (!starts || room > 2 * XLSX_STRINGS_MAX) {
            strings->fault = "has more texts than a workbook to import may have";
            if (starts)
                strings->starts = starts;
            return;
        }
        strings->starts = starts;
        strings->room = room;
    }
    strings->starts[strings->count++] = (uint32_t)strings->text.length;
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct xlsx_strings *strings = context;
    (void)attributes;
    if (strings->fault)
        return;
    if (strcmp(name, "si") == 0)
        string_begin(strings);
    strings->phonetic += strcmp(name, "rPh") == 0;
    strings->texts += strcmp(name, "t") == 0;
}

static void on_end(void *context, const char *name)
{
    struct xlsx_strings *strings = context;
    if (strings->fault)
        return;
    if (strcmp(name, "si") == 0)
        buf_char(&strings->text, '\0');
    strings->phonetic -= strcmp(name, "rPh") == 0;
    strings->texts -= strcmp(name, "t") == 0;
    if (strings->text.failed)
        strings->fault = "has more text than a workbook to import may have";
}

static void on_text(void *context, const char *text, int length)
{
    struct xlsx_strings *strings = context;
    if (!strings->fault && strings->count > 0 && strings->texts > 0 && strings->phonetic == 0)
        buf_append(&strings->text, text, (size_t)length);
}

static bool is_done(void *context)
{
    const struct xlsx_strings *strings = context;
    return strings->fault != NULL;
}

int xlsx_strings_read(struct xlsx_strings *strings, struct xlsx_package *package, const char *part,
                      const char **ret_fault)
{
    static const struct xlsx_handlers handlers = {on_start, on_end, on_text, is_done};
    if (xlsx_package_read(package, part, PART_MAX, &handlers, strings, ret_fault) < 0)
        return -1;
    *ret_fault = strings->fault;
    return strings->fault ? -1 : 0;
}

const char *xlsx_string(const struct xlsx_strings *strings, const char *number)
{
    char *end;
    unsigned long index = strtoul(number, &end, 10);
    bool known = *number && !*end && index < strings->count && strings->text.data;
    return known ? strings->text.data + strings->starts[index] : NULL;
}
