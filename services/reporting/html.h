/* html.h: a document as one HTML file: nothing loaded from elsewhere, good on screen and on A4 paper, readable
 * by a screen reader and without style sheets. The same document gives the same bytes. */
#ifndef ISMS_REPORTING_HTML_H
#define ISMS_REPORTING_HTML_H

#include <isms/base/buf.h>

#include "document.h"

/* Appends the file. Check buf->failed. */
void html_render(const struct document *document, struct buf *buf);

/* Appends text with what HTML gives a meaning escaped, and what it cannot hold replaced. */
void html_text(struct buf *buf, const char *text);

#endif
