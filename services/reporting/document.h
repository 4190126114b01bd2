/* document.h: a report as a tree of blocks, before it has any format.
 *
 * The report is built once; every format is a walk over the same tree (html.h, json.h), so that no format can
 * say what another does not. A tree holds text and numbers only: what they look like is the walker's business.
 * All memory comes from one arena and lives as long as it; text that is passed in is not copied. Building never
 * fails visibly: where the arena is exhausted, arena_exhausted() says so at the end. */
#ifndef ISMS_REPORTING_DOCUMENT_H
#define ISMS_REPORTING_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/arena.h>

enum block_kind {
    BLOCK_SECTION,   /* title, note (a clause); children */
    BLOCK_PARAGRAPH, /* text, line breaks kept */
    BLOCK_FACTS,     /* rows of two cells: a name and a value */
    BLOCK_FIGURES,   /* the same, to be seen at a glance */
    BLOCK_TABLE,     /* header and rows */
    BLOCK_CHART      /* a series over time */
};

/* What a cell means, for its looks. */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARNING, TONE_BAD, TONE_MUTED };

struct cell {
    const char *text;
    const char *detail; /* what is said beside it in small print; may be NULL */
    enum tone tone;
};

struct row {
    struct cell *cells; /* as many as the block has columns */
    struct row *next;
};

struct chart_point {
    double day; /* since 1970-01-01 */
    double value;
};

struct chart {
    const char *unit;
    const struct chart_point *points; /* oldest first */
    size_t point_count;
    bool has_target;
    double target_low, target_high; /* the same for a single bound */
    enum tone tone;                 /* of the trend */
};

struct block {
    enum block_kind kind;
    const char *title; /* may be NULL */
    const char *note;  /* beside the title; may be NULL */
    const char *text;
    unsigned column_count;
    const char *const *columns; /* headers of a table */
    struct row *rows, *last_row;
    struct chart chart;
    struct block *children, *last_child;
    struct block *next;
};

struct document {
    struct arena *arena;
    const char *language; /* BCP 47 */
    const char *owner; /* the organisation */
    const char *title;
    const char *subtitle;
    const char *status; /* "Signed", "Draft": printed with the title */
    enum tone status_tone;
    struct block root; /* its children are the document */
};

void document_init(struct document *document, struct arena *arena, const char *title);

/* Each adds a block at the end of `parent`. */
struct block *document_section(struct document *document, struct block *parent, const char *title,
                               const char *note);
void document_paragraph(struct document *document, struct block *parent, const char *text); /* nothing for "" */
struct block *document_facts(struct document *document, struct block *parent);
struct block *document_figures(struct document *document, struct block *parent);
struct block *document_table(struct document *document, struct block *parent, const char *const *columns,
                             unsigned column_count);
struct block *document_chart(struct document *document, struct block *parent, const char *title,
                             const struct chart *chart);

/* Adds a fact; one with an empty value is left out. */
void document_fact(struct document *document, struct block *facts, const char *name, const char *value);

/* Adds a row of a table; `cells` has one for each column and is copied. */
void document_row(struct document *document, struct block *table, const struct cell *cells);

static inline bool text_is_empty(const char *text)
{
    return !text || !*text;
}

#define CELL(value) ((struct cell){.text = (value)})
#define CELL_TONE(value, how) ((struct cell){.text = (value), .tone = (how)})
#define CELL_DETAIL(value, more) ((struct cell){.text = (value), .detail = (more)})

const char *tone_name(enum tone tone); /* "plain", "good", … */

#endif
