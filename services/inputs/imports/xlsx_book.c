/* xlsx_book.c: relationships lead from the package to the workbook, and from it to its sheets, texts and styles. */
#include "xlsx_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xlsx_value.h"

enum { PART_MAX = 16 * 1024 * 1024 };

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static void no_end(void *context, const char *name)
{
    (void)context;
    (void)name;
}

static void no_text(void *context, const char *text, int length)
{
    (void)context;
    (void)text;
    (void)length;
}

/* --- relationships -------------------------------------------------------------------------------------- */

/* What is looked for among a part's relationships. */
struct relations {
    const char *base;     /* the part they are of */
    const char *sheet_id; /* "" not known yet */
    struct xlsx_book *book;
};

/* A target is relative to the folder of the part, or begins at the package's root. */
static void target_resolve(const char *base, const char *target, char *ret_name)
{
    const char *slash = strrchr(base, '/');
    int folder = slash ? (int)(slash + 1 - base) : 0;
    while (strncmp(target, "./", 2) == 0)
        target += 2;
    if (*target == '/')
        snprintf(ret_name, XLSX_NAME_SIZE, "%s", target + 1);
    else
        snprintf(ret_name, XLSX_NAME_SIZE, "%.*s%s", folder, base, target);
}

static void relation_start(void *context, const char *name, const char **attributes)
{
    const struct relations *relations = context;
    struct xlsx_book *book = relations->book;
    const char *type = xlsx_attribute(attributes, "Type");
    const char *target = xlsx_attribute(attributes, "Target");
    if (strcmp(name, "Relationship") != 0)
        return;
    if (ends_with(type, "/officeDocument"))
        target_resolve(relations->base, target, book->workbook);
    else if (ends_with(type, "/sharedStrings"))
        target_resolve(relations->base, target, book->strings);
    else if (ends_with(type, "/styles"))
        target_resolve(relations->base, target, book->styles);
    else if (ends_with(type, "/worksheet") && strcmp(xlsx_attribute(attributes, "Id"), relations->sheet_id) == 0)
        target_resolve(relations->base, target, book->sheet);
}

static int relations_read(struct xlsx_book *book, struct xlsx_package *package, const char *base, const char *sheet_id,
                          const char **ret_fault)
{
    static const struct xlsx_handlers handlers = {relation_start, no_end, no_text, NULL};
    struct relations relations = {.base = base, .sheet_id = sheet_id, .book = book};
    char part[XLSX_NAME_SIZE + 20];
    const char *slash = strrchr(base, '/');
    int folder = slash ? (int)(slash + 1 - base) : 0;
    snprintf(part, sizeof(part), "%.*s_rels/%s.rels", folder, base, base + folder);
    return xlsx_package_read(package, part, PART_MAX, &handlers, &relations, ret_fault);
}

/* --- the workbook --------------------------------------------------------------------------------------- */

struct workbook {
    const char *wanted;
    char sheet_id[100];
    bool is_1904;
};

static void workbook_start(void *context, const char *name, const char **attributes)
{
    struct workbook *workbook = context;
    if (strcmp(name, "workbookPr") == 0) {
        const char *value = xlsx_attribute(attributes, "date1904");
        workbook->is_1904 = strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0;
    }
    bool is_wanted = strcmp(name, "sheet") == 0 && !workbook->sheet_id[0] &&
                     (!*workbook->wanted || strcasecmp(xlsx_attribute(attributes, "name"), workbook->wanted) == 0);
    for (size_t i = 0; is_wanted && attributes[i]; i += 2) {
        bool is_id = ends_with(attributes[i], ":id"); /* r:id; sheetId is another */
        if (is_id)
            snprintf(workbook->sheet_id, sizeof(workbook->sheet_id), "%s", attributes[i + 1]);
    }
}

/* --- styles --------------------------------------------------------------------------------------------- */

struct styles {
    struct xlsx_book *book;
    size_t format_count;
    int formats[XLSX_FORMATS_MAX]; /* of the workbook's own: those that are dates */
    bool in_cells;
    bool failed;
};

static bool style_is_date(const struct styles *styles, int format)
{
    for (size_t i = 0; i < styles->format_count; i++)
        if (styles->formats[i] == format)
            return true;
    return format < 164 && xlsx_format_is_date(format);
}

static void style_add(struct styles *styles, int format)
{
    struct xlsx_book *book = styles->book;
    if (book->style_count == XLSX_STYLES_MAX)
        return;
    if ((book->style_count & (book->style_count - 1)) == 0) {
        bool *dates = realloc(book->dates, 2 * (book->style_count + 1) * sizeof(*dates));
        styles->failed |= dates == NULL;
        if (!dates)
            return;
        book->dates = dates;
    }
    book->dates[book->style_count++] = style_is_date(styles, format);
}

static void styles_start(void *context, const char *name, const char **attributes)
{
    struct styles *styles = context;
    int format = (int)strtol(xlsx_attribute(attributes, "numFmtId"), NULL, 10);
    if (strcmp(name, "numFmt") == 0 && styles->format_count < XLSX_FORMATS_MAX &&
        xlsx_code_is_date(xlsx_attribute(attributes, "formatCode")))
        styles->formats[styles->format_count++] = format;
    styles->in_cells |= strcmp(name, "cellXfs") == 0;
    if (styles->in_cells && strcmp(name, "xf") == 0 && !styles->failed)
        style_add(styles, format);
}

static void styles_end(void *context, const char *name)
{
    struct styles *styles = context;
    if (strcmp(name, "cellXfs") == 0)
        styles->in_cells = false;
}

static int styles_read(struct xlsx_book *book, struct xlsx_package *package, const char **ret_fault)
{
    static const struct xlsx_handlers handlers = {styles_start, styles_end, no_text, NULL};
    *ret_fault = NULL;
    if (!book->styles[0] || !xlsx_package_has(package, book->styles))
        return 0;
    struct styles *styles = calloc(1, sizeof(*styles));
    if (!styles)
        return -1;
    styles->book = book;
    int result = xlsx_package_read(package, book->styles, PART_MAX, &handlers, styles, ret_fault);
    if (styles->failed)
        result = -1;
    free(styles);
    return result;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

void xlsx_book_release(struct xlsx_book *book)
{
    free(book->dates);
}

int xlsx_book_read(struct xlsx_book *book, struct xlsx_package *package, const char *sheet, const char **ret_fault)
{
    static const struct xlsx_handlers handlers = {workbook_start, no_end, no_text, NULL};
    struct workbook workbook = {.wanted = sheet};
    *book = (struct xlsx_book){0};
    if (relations_read(book, package, "", "", ret_fault) < 0)
        return -1;
    if (!book->workbook[0]) {
        *ret_fault = "is no workbook";
        return -1;
    }
    if (xlsx_package_read(package, book->workbook, PART_MAX, &handlers, &workbook, ret_fault) < 0 ||
        relations_read(book, package, book->workbook, workbook.sheet_id, ret_fault) < 0)
        return -1;
    book->is_1904 = workbook.is_1904;
    if (!workbook.sheet_id[0] || !book->sheet[0]) {
        *ret_fault = "has no such sheet of cells";
        return -1;
    }
    return styles_read(book, package, ret_fault);
}
