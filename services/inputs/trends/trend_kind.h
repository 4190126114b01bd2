/* trend_kind.h: what trends look at of each kind of input: a table, so that a kind is a row and nothing else.
 *
 * A dimension is where in an input, as the change log keeps it, the name stands that the input is counted under. Some
 * kinds have a history: what they were like at a time is what was recorded by then (a risk's level, an objective's
 * attainment). Of the others (a finding, a complaint) all that changes is corrected or closed, and they are counted as
 * they are known now. */
#ifndef ISMS_INPUTS_TREND_KIND_H
#define ISMS_INPUTS_TREND_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/inputs/v1/trends.pb-c.h>

enum { DIMENSIONS_MAX = 4, MEASURES_MAX = 4, NAMES_MAX = 8 };

/* What a named state is worth: of names that are listed best first, those before `good` are good, those from `bad` on
 * are bad; names that are not listed are worth nothing. */
struct ranking {
    const char *names[NAMES_MAX];
    int good;
    int bad;
};

struct dimension {
    const char *name;
    const char *path; /* "detail.risk.category"; InputHistory.sql adds a few things to an input's own */
    bool in_order;    /* its names come in their order */
};

/* An input in a span in which it came up, was closed or was open at the end. */
struct moment {
    bool opened;
    bool closed;
    bool open; /* at the span's end */
    bool overdue;
    bool recurs;
    bool marked;  /* the kind's day lies in the span */
    int rank;     /* in the kind's ranking; -1: none */
    double value; /* NAN: none */
    double limit; /* NAN: none */
    double days_to_close;
    const struct ranking *ranking;
};

/* EVENTS is a sum as well, of what happens in a span: one that is cut, or not over, has less of it. */
enum reduction { REDUCTION_SUM, REDUCTION_EVENTS, REDUCTION_MEAN, REDUCTION_MEDIAN };

struct measure {
    const char *name;
    const char *unit;
    Isms__Inputs__V1__Polarity polarity;
    enum reduction reduction;
    double (*sample)(const struct moment *moment); /* NAN: takes no part */
};

enum movement { MOVEMENT_NONE, MOVEMENT_RANK, MOVEMENT_LOWER_IS_BETTER, MOVEMENT_HIGHER_IS_BETTER };

struct trend_kind {
    Isms__Inputs__V1__InputKind kind;
    bool has_history;
    struct dimension dimensions[DIMENSIONS_MAX]; /* the first without a name ends them */
    int ranked;                                  /* the dimension that `ranking` is of */
    const struct ranking *ranking;               /* may be NULL */
    int cause;                                   /* the dimension that recurrences go by; 0: none */
    const char *day_path;                        /* the day a state was assessed or verified; NULL: none */
    const char *value_path;                      /* numbers; NULL: none */
    const char *limit_path;
    enum movement movement; /* what is better: of the ranking, or of the value */
    const struct measure *measures[MEASURES_MAX];
};

/* NULL: it has no such trend. */
const struct trend_kind *trend_kind_of(Isms__Inputs__V1__InputKind kind);

size_t trend_kind_dimensions(const struct trend_kind *kind);

/* -1: the name is not ranked. */
int ranking_of(const struct ranking *ranking, const char *name);

#endif
