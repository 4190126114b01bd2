/* html.c: walks a document and writes HTML.
 *
 * Sober typography, colour only where it means something, and never as its only carrier: a tone is also in the
 * words. On paper, sections keep their headings, rows are not torn apart, and table heads repeat. What a
 * table's columns look like follows from what is in them: short ones are not wrapped, numbers stand under one
 * another. */
#include "html.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/embed.h>

#include "chart.h"

enum {
    SHORT_MAX = 18,        /* characters of a cell that are kept on one line… */
    SHORT_TOTAL_MAX = 64,  /* …while all such columns together have no more */
    REFERENCE_MAX = 24,    /* of "MR-2026-01-A03" or a date, which is never wrapped */
    WORD_MAX = 40,         /* bytes of a word that may widen its column; longer ones may be wrapped… */
    WORD_BREAK = 20,       /* …at every so many */
    COLUMNS_MAX = 16
};

/* report.css */
extern const struct embedded_file isms_report_style[];

/* --- text ----------------------------------------------------------------------------------------------- */

static void character(struct buf *buf, char letter)
{
    switch (letter) {
    case '&': buf_text(buf, "&amp;"); break;
    case '<': buf_text(buf, "&lt;"); break;
    case '>': buf_text(buf, "&gt;"); break;
    case '"': buf_text(buf, "&quot;"); break;
    case '\'': buf_text(buf, "&#39;"); break;
    case '\r': break;
    default:
        /* HTML has no place for other control characters. */
        if (((unsigned char)letter >= 0x20 && letter != 0x7f) || letter == '\n' || letter == '\t')
            buf_char(buf, letter);
    }
}

void html_text(struct buf *buf, const char *text)
{
    for (; text && *text; text++)
        character(buf, *text);
}

/* A date or a number such as "NC-2026-014"; browsers would break either after a hyphen. */
static bool is_reference(const char *word, size_t length)
{
    bool digit = false;

    if (length > REFERENCE_MAX || !memchr(word, '-', length))
        return false;
    for (size_t i = 0; i < length; i++)
        digit |= isdigit((unsigned char)word[i]) != 0;
    return digit;
}

static void cell_text(struct buf *buf, const char *text)
{
    while (text && *text) {
        size_t length = strcspn(text, " \n\t");
        bool reference = is_reference(text, length);
        if (reference)
            buf_text(buf, "<span class=\"ref\">");
        for (size_t i = 0; i < length; i++) {
            if (length > WORD_MAX && i > 0 && i % WORD_BREAK == 0 && ((unsigned char)text[i] & 0xc0) != 0x80)
                buf_text(buf, "<wbr>");
            character(buf, text[i]);
        }
        if (reference)
            buf_text(buf, "</span>");
        for (text += length; *text && strchr(" \n\t", *text); text++)
            character(buf, *text);
    }
}

static void element(struct buf *buf, const char *tag, const char *class, const char *text)
{
    if (class)
        buf_printf(buf, "<%s class=\"%s\">", tag, class);
    else
        buf_printf(buf, "<%s>", tag);
    html_text(buf, text);
    buf_printf(buf, "</%s>", tag);
}

static void detail(struct buf *buf, const char *text)
{
    if (text_is_empty(text))
        return;
    buf_text(buf, "<small>");
    cell_text(buf, text);
    buf_text(buf, "</small>");
}

static const char *class_of(enum tone tone)
{
    return tone == TONE_PLAIN ? NULL : tone_name(tone);
}

/* --- facts and figures ---------------------------------------------------------------------------------- */

static bool is_hash(const char *text)
{
    size_t length = strlen(text);

    return length >= 16 && strspn(text, "0123456789abcdef") == length;
}

static void facts_render(const struct block *block, struct buf *buf)
{
    buf_text(buf, "<dl>\n");
    for (const struct row *row = block->rows; row; row = row->next) {
        element(buf, "dt", NULL, row->cells[0].text);
        element(buf, "dd", is_hash(row->cells[1].text) ? "hash" : class_of(row->cells[1].tone),
                row->cells[1].text);
        buf_char(buf, '\n');
    }
    buf_text(buf, "</dl>\n");
}

static void figures_render(const struct block *block, struct buf *buf)
{
    buf_text(buf, "<dl class=\"figures\">\n");
    for (const struct row *row = block->rows; row; row = row->next) {
        buf_printf(buf, "<div class=\"%s\">", tone_name(row->cells[1].tone));
        element(buf, "dt", NULL, row->cells[0].text);
        element(buf, "dd", NULL, row->cells[1].text);
        if (!text_is_empty(row->cells[1].detail))
            element(buf, "dd", "detail", row->cells[1].detail);
        buf_text(buf, "</div>\n");
    }
    buf_text(buf, "</dl>\n");
}

/* --- tables --------------------------------------------------------------------------------------------- */

/* Characters of the longest line. */
static size_t line_longest(const char *text)
{
    size_t longest = 0;
    size_t length = 0;

    for (; text && *text; text++) {
        if (*text == '\n')
            length = 0;
        else if (((unsigned char)*text & 0xc0) != 0x80)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static bool is_number(const char *text)
{
    return strspn(text, "0123456789.-% ") == strlen(text);
}

static bool column_is_number(const struct block *block, unsigned column)
{
    bool some = false;

    for (const struct row *row = block->rows; row; row = row->next) {
        const struct cell *cell = &row->cells[column];
        bool nothing = text_is_empty(cell->text) || strcmp(cell->text, "–") == 0;
        if (!text_is_empty(cell->detail) || (!nothing && (!is_number(cell->text) || strlen(cell->text) > 8)))
            return false;
        some |= !nothing;
    }
    return some;
}

static size_t column_longest(const struct block *block, unsigned column)
{
    size_t longest = 0;

    for (const struct row *row = block->rows; row; row = row->next) {
        size_t text = line_longest(row->cells[column].text);
        size_t more = line_longest(row->cells[column].detail);
        longest = text > longest ? text : longest;
        longest = more > longest ? more : longest;
    }
    return longest;
}

/* The class of each column. true: beside its first column the table has nothing but numbers. */
static bool columns_look_at(const struct block *block, const char *classes[static COLUMNS_MAX])
{
    size_t total = 0;
    bool numbers = block->column_count > 1;

    for (unsigned i = 0; i < block->column_count && i < COLUMNS_MAX; i++) {
        size_t longest = column_longest(block, i);
        bool number = i > 0 && column_is_number(block, i);
        if (number)
            classes[i] = "number";
        else if (longest <= SHORT_MAX && total + longest <= SHORT_TOTAL_MAX)
            classes[i] = "short";
        if (classes[i])
            total += longest;
        numbers &= i == 0 ? classes[i] != NULL : number;
    }
    return numbers;
}

static void cell_render(const struct cell *cell, const char *class, struct buf *buf)
{
    const char *tone = class_of(cell->tone);

    if (class || tone)
        buf_printf(buf, "<td class=\"%s%s%s\">", class ? class : "", class && tone ? " " : "",
                   tone ? tone : "");
    else
        buf_text(buf, "<td>");
    cell_text(buf, cell->text);
    detail(buf, cell->detail);
    buf_text(buf, "</td>");
}

static void table_render(const struct block *block, struct buf *buf)
{
    const char *classes[COLUMNS_MAX] = {NULL};
    bool compact = columns_look_at(block, classes);

    buf_printf(buf, "<table%s>\n<thead><tr>", compact ? " class=\"compact\"" : "");
    for (unsigned i = 0; i < block->column_count; i++) {
        bool number = i < COLUMNS_MAX && classes[i] && strcmp(classes[i], "number") == 0;
        buf_printf(buf, "<th scope=\"col\"%s>", number ? " class=\"number\"" : "");
        html_text(buf, block->columns[i]);
        buf_text(buf, "</th>");
    }
    buf_text(buf, "</tr></thead>\n<tbody>\n");
    for (const struct row *row = block->rows; row; row = row->next) {
        buf_text(buf, "<tr>");
        for (unsigned i = 0; i < block->column_count; i++)
            cell_render(&row->cells[i], i < COLUMNS_MAX ? classes[i] : NULL, buf);
        buf_text(buf, "</tr>\n");
    }
    buf_text(buf, "</tbody>\n</table>\n");
}

/* --- the tree ------------------------------------------------------------------------------------------- */

/* Charts that follow one another stand side by side. Answers the last of them. */
static const struct block *charts_render(const struct block *block, struct buf *buf)
{
    buf_text(buf, "<div class=\"charts\">\n");
    for (;; block = block->next) {
        buf_text(buf, "<figure><figcaption>");
        html_text(buf, block->title);
        element(buf, "span", "note", block->chart.unit);
        buf_text(buf, "</figcaption>\n");
        chart_render(&block->chart, block->title, buf);
        buf_text(buf, "</figure>\n");
        if (!block->next || block->next->kind != BLOCK_CHART)
            break;
    }
    buf_text(buf, "</div>\n");
    return block;
}

static void blocks_render(const struct block *block, int level, struct buf *buf);

/* Below the first level, a section with a note is an item in a list of its kind. */
static void section_render(const struct block *block, int level, struct buf *buf)
{
    bool noted = !text_is_empty(block->note);

    buf_printf(buf, "<section%s>\n<h%d>", noted && level > 2 ? " class=\"card\"" : "", level);
    html_text(buf, block->title);
    if (noted)
        element(buf, "span", "note", block->note);
    buf_printf(buf, "</h%d>\n", level);
    blocks_render(block->children, level < 4 ? level + 1 : level, buf);
    buf_text(buf, "</section>\n");
}

static void blocks_render(const struct block *block, int level, struct buf *buf)
{
    for (; block; block = block->next) {
        switch (block->kind) {
        case BLOCK_SECTION: section_render(block, level, buf); break;
        case BLOCK_PARAGRAPH: element(buf, "p", NULL, block->text); buf_char(buf, '\n'); break;
        case BLOCK_FACTS: facts_render(block, buf); break;
        case BLOCK_FIGURES: figures_render(block, buf); break;
        case BLOCK_TABLE: table_render(block, buf); break;
        case BLOCK_CHART: block = charts_render(block, buf); break;
        }
    }
}

void html_render(const struct document *document, struct buf *buf)
{
    buf_printf(buf, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
               document->language);
    buf_text(buf, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  /* The page needs nothing from anywhere; whoever got markup past the escaping gets nothing. */
                  "<meta http-equiv=\"Content-Security-Policy\" "
                  "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                  "<title>");
    html_text(buf, document->title);
    buf_text(buf, " – ");
    html_text(buf, document->subtitle);
    buf_printf(buf, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n", isms_report_style->data);
    element(buf, "p", "owner", document->owner);
    element(buf, "h1", NULL, document->title);
    element(buf, "p", "subtitle", document->subtitle);
    if (*document->status) {
        buf_printf(buf, "\n<p class=\"status %s\">", tone_name(document->status_tone));
        html_text(buf, document->status);
        buf_text(buf, "</p>");
    }
    buf_text(buf, "\n</header>\n<main>\n");
    blocks_render(document->root.children, 2, buf);
    buf_text(buf, "</main>\n</body>\n</html>\n");
}
