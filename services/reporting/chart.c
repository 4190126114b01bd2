/* chart.c: a line over time, with the target as a band or a line.
 *
 * Coordinates are rounded to a tenth of a unit and printed with a fixed format, so that the same series is the
 * same bytes everywhere. The value axis begins at zero where that costs less than half of the height: a chart
 * that cuts the axis makes small changes look large. */
#include "chart.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include <isms/base/clock.h>

#include "html.h"

enum { WIDTH = 440, HEIGHT = 190, LEFT = 48, RIGHT = 44, TOP = 16, BOTTOM = 28, GRID_LINES = 4, DOTS_MAX = 40 };

struct scale {
    double first_day, last_day;
    double low, high;
};

static double x_of(const struct scale *scale, double day)
{
    double span = scale->last_day - scale->first_day;

    if (span <= 0)
        return (LEFT + WIDTH - RIGHT) / 2.0;
    return LEFT + (day - scale->first_day) / span * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct scale *scale, double value)
{
    return HEIGHT - BOTTOM - (value - scale->low) / (scale->high - scale->low) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, at least a GRID_LINES-th of the span. */
static double step_of(double span)
{
    double rough = span / GRID_LINES;
    double power = pow(10, floor(log10(rough)));
    double unit = rough / power;

    return (unit <= 1 ? 1 : unit <= 2 ? 2 : unit <= 5 ? 5 : 10) * power;
}

static struct scale scale_of(const struct chart *chart, double *ret_step)
{
    struct scale scale = {.low = DBL_MAX, .high = -DBL_MAX};

    scale.first_day = chart->points[0].day;
    scale.last_day = chart->points[chart->point_count - 1].day;
    for (size_t i = 0; i < chart->point_count; i++) {
        scale.low = fmin(scale.low, chart->points[i].value);
        scale.high = fmax(scale.high, chart->points[i].value);
    }
    if (chart->has_target) {
        scale.low = fmin(scale.low, chart->target_low);
        scale.high = fmax(scale.high, chart->target_high);
    }
    if (scale.low > 0 && scale.low < scale.high / 2)
        scale.low = 0;
    if (scale.high - scale.low < 1e-9 * fmax(1, fabs(scale.high))) {
        double room = fmax(1, fabs(scale.high) / 10);
        scale.low -= room;
        scale.high += room;
    }
    double step = step_of(scale.high - scale.low);
    scale.low = floor(scale.low / step) * step;
    scale.high = ceil(scale.high / step) * step;
    *ret_step = step;
    return scale;
}

static void grid_render(const struct scale *scale, double step, struct buf *buf)
{
    int lines = (int)lround((scale->high - scale->low) / step);

    for (int i = 0; i <= lines; i++) {
        double value = scale->low + i * step;
        double y = y_of(scale, value);
        buf_printf(buf, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
                   WIDTH - RIGHT, y, y);
        /* + 0.0 makes -0 a 0. */
        buf_printf(buf, "<text class=\"axis\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>", LEFT - 8,
                   y + 4, (fabs(value) < step / 2 ? 0 : value) + 0.0);
    }
}

static void days_render(const struct scale *scale, struct buf *buf)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    int labels = scale->last_day > scale->first_day ? 3 : 1;

    for (int i = 0; i < labels; i++) {
        char text[CLOCK_DATE_SIZE];
        double day =
            scale->first_day + (scale->last_day - scale->first_day) * i / (labels > 1 ? labels - 1 : 1);
        date_format(date_from_days((int64_t)day), text);
        buf_printf(buf, "<text class=\"axis\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
                   x_of(scale, day), HEIGHT - 8, labels == 1 ? "middle" : anchors[i], text);
    }
}

static void target_render(const struct chart *chart, const struct scale *scale, struct buf *buf)
{
    double top = y_of(scale, chart->target_high);
    double bottom = y_of(scale, chart->target_low);

    if (!chart->has_target)
        return;
    if (bottom - top > 0.5)
        buf_printf(buf, "<rect class=\"band\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>", LEFT, top,
                   WIDTH - LEFT - RIGHT, bottom - top);
    else
        buf_printf(buf, "<line class=\"target\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
                   WIDTH - RIGHT, top, top);
    buf_printf(buf, "<text class=\"axis\" x=\"%d\" y=\"%.1f\">target</text>", LEFT + 4,
               top > TOP + 12 ? top - 5 : top + 14);
}

static void line_render(const struct chart *chart, const struct scale *scale, struct buf *buf)
{
    const struct chart_point *points = chart->points;
    size_t last = chart->point_count - 1;

    buf_printf(buf, "<polyline class=\"line %s\" points=\"", tone_name(chart->tone));
    for (size_t i = 0; i <= last; i++)
        buf_printf(buf, "%s%.1f,%.1f", i ? " " : "", x_of(scale, points[i].day), y_of(scale, points[i].value));
    buf_text(buf, "\"/>");
    for (size_t i = 0; i <= last; i++)
        if (chart->point_count <= DOTS_MAX || i == last)
            buf_printf(buf, "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>",
                       tone_name(chart->tone), x_of(scale, points[i].day), y_of(scale, points[i].value),
                       i == last ? "3.5" : "2");
    buf_printf(buf, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">%.4g</text>",
               x_of(scale, points[last].day) + 8, y_of(scale, points[last].value) + 4,
               points[last].value + 0.0);
}

void chart_render(const struct chart *chart, const char *title, struct buf *buf)
{
    double step;

    if (chart->point_count == 0)
        return;
    struct scale scale = scale_of(chart, &step);
    buf_printf(buf, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_text(buf, title);
    buf_printf(buf, ": from %.6g to %.6g ", chart->points[0].value,
               chart->points[chart->point_count - 1].value);
    html_text(buf, chart->unit);
    buf_text(buf, "\">");
    grid_render(&scale, step, buf);
    days_render(&scale, buf);
    target_render(chart, &scale, buf);
    line_render(chart, &scale, buf);
    buf_text(buf, "</svg>\n");
}
