/* chart.h: a series over time as an SVG picture, for html.c. */
#ifndef ISMS_REPORTING_CHART_H
#define ISMS_REPORTING_CHART_H

#include <isms/base/buf.h>

#include "document.h"

/* Appends an <svg> element. Nothing for a chart without a point. */
void chart_render(const struct chart *chart, const char *title, struct buf *buf);

#endif
