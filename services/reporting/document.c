/* document.c: building the tree. Blocks and rows are lists in the order they were added. */
#include "document.h"

#include <string.h>

/* Where the arena is exhausted, building goes on in this block; the whole tree is thrown away at the end. */
static struct block *block_add(struct document *document, struct block *parent, enum block_kind kind)
{
    struct block *block = ARENA_NEW(document->arena, struct block);

    if (!block)
        return parent;
    block->kind = kind;
    if (parent->last_child)
        parent->last_child->next = block;
    else
        parent->children = block;
    parent->last_child = block;
    return block;
}

void document_init(struct document *document, struct arena *arena, const char *title)
{
    *document = (struct document){
        .arena = arena, .language = "en", .owner = "", .title = title, .subtitle = "", .status = ""};
}

struct block *document_section(struct document *document, struct block *parent, const char *title,
                               const char *note)
{
    struct block *block = block_add(document, parent, BLOCK_SECTION);

    block->title = title;
    block->note = note;
    return block;
}

void document_paragraph(struct document *document, struct block *parent, const char *text)
{
    if (!text_is_empty(text))
        block_add(document, parent, BLOCK_PARAGRAPH)->text = text;
}

static struct block *pairs_add(struct document *document, struct block *parent, enum block_kind kind)
{
    struct block *block = block_add(document, parent, kind);

    block->column_count = 2;
    return block;
}

struct block *document_facts(struct document *document, struct block *parent)
{
    return pairs_add(document, parent, BLOCK_FACTS);
}

struct block *document_figures(struct document *document, struct block *parent)
{
    return pairs_add(document, parent, BLOCK_FIGURES);
}

struct block *document_table(struct document *document, struct block *parent, const char *const *columns,
                             unsigned column_count)
{
    struct block *block = block_add(document, parent, BLOCK_TABLE);

    block->columns = columns;
    block->column_count = column_count;
    return block;
}

struct block *document_chart(struct document *document, struct block *parent, const char *title,
                             const struct chart *chart)
{
    struct block *block = block_add(document, parent, BLOCK_CHART);

    block->title = title;
    block->chart = *chart;
    return block;
}

void document_row(struct document *document, struct block *table, const struct cell *cells)
{
    struct row *row = ARENA_NEW(document->arena, struct row);
    struct cell *copy = arena_memdup(document->arena, cells, table->column_count * sizeof *cells);

    if (!row || !copy)
        return;
    row->cells = copy;
    if (table->last_row)
        table->last_row->next = row;
    else
        table->rows = row;
    table->last_row = row;
}

void document_fact(struct document *document, struct block *facts, const char *name, const char *value)
{
    if (!text_is_empty(value))
        document_row(document, facts, (struct cell[]){CELL(name), CELL(value)});
}

const char *tone_name(enum tone tone)
{
    static const char *const names[] = {"plain", "good", "warning", "bad", "muted"};

    return names[tone];
}
