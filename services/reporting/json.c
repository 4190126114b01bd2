/* json.c: walks a document and writes JSON, one object a block, members in a fixed order. */
#include "json.h"

#include <string.h>

#include <isms/base/clock.h>
#include <isms/base/json_text.h>

static void string_member(struct buf *buf, const char *name, const char *text)
{
    if (text_is_empty(text))
        return;
    buf_printf(buf, ",\"%s\":", name);
    json_text_append(buf, text, strlen(text));
}

static void strings(struct buf *buf, const char *const *texts, unsigned count)
{
    buf_char(buf, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i)
            buf_char(buf, ',');
        json_text_append(buf, texts[i], strlen(texts[i]));
    }
    buf_char(buf, ']');
}

/* A cell is a text, or {"text", "detail", "tone"} where it is more than that. */
static void cell_render(struct buf *buf, const struct cell *cell)
{
    const char *text = cell->text ? cell->text : "";
    bool plain = cell->tone == TONE_PLAIN && text_is_empty(cell->detail);

    if (!plain)
        buf_text(buf, "{\"text\":");
    json_text_append(buf, text, strlen(text));
    if (plain)
        return;
    string_member(buf, "detail", cell->detail);
    if (cell->tone != TONE_PLAIN)
        string_member(buf, "tone", tone_name(cell->tone));
    buf_char(buf, '}');
}

static void rows(struct buf *buf, const struct block *block)
{
    buf_text(buf, ",\"rows\":[");
    for (const struct row *row = block->rows; row; row = row->next) {
        buf_char(buf, '[');
        for (unsigned i = 0; i < block->column_count; i++) {
            if (i)
                buf_char(buf, ',');
            cell_render(buf, &row->cells[i]);
        }
        buf_text(buf, row->next ? "]," : "]");
    }
    buf_char(buf, ']');
}

static void chart(struct buf *buf, const struct chart *chart)
{
    string_member(buf, "unit", chart->unit);
    if (chart->has_target)
        buf_printf(buf, ",\"target\":[%.17g,%.17g]", chart->target_low, chart->target_high);
    buf_text(buf, ",\"points\":[");
    for (size_t i = 0; i < chart->point_count; i++) {
        char day[CLOCK_DATE_SIZE];
        date_format(date_from_days((int64_t)chart->points[i].day), day);
        buf_printf(buf, "%s{\"date\":\"%s\",\"value\":%.17g}", i ? "," : "", day, chart->points[i].value);
    }
    buf_char(buf, ']');
}

static void blocks(struct buf *buf, const struct block *block)
{
    static const char *const kinds[] = {"section", "paragraph", "facts", "figures", "table", "chart"};

    buf_char(buf, '[');
    for (; block; block = block->next) {
        buf_printf(buf, "{\"kind\":\"%s\"", kinds[block->kind]);
        string_member(buf, "title", block->title);
        string_member(buf, "note", block->note);
        string_member(buf, "text", block->text);
        if (block->kind == BLOCK_TABLE) {
            buf_text(buf, ",\"columns\":");
            strings(buf, block->columns, block->column_count);
        }
        if (block->kind == BLOCK_TABLE || block->kind == BLOCK_FACTS || block->kind == BLOCK_FIGURES)
            rows(buf, block);
        if (block->kind == BLOCK_CHART)
            chart(buf, &block->chart);
        if (block->kind == BLOCK_SECTION) {
            buf_text(buf, ",\"blocks\":");
            blocks(buf, block->children);
        }
        buf_text(buf, block->next ? "}," : "}");
    }
    buf_char(buf, ']');
}

void json_render(const struct document *document, struct buf *buf)
{
    buf_text(buf, "{\"format\":\"isms.report/1\"");
    string_member(buf, "owner", document->owner);
    string_member(buf, "title", document->title);
    string_member(buf, "subtitle", document->subtitle);
    string_member(buf, "status", document->status);
    buf_text(buf, ",\"blocks\":");
    blocks(buf, document->root.children);
    buf_text(buf, "}\n");
}
