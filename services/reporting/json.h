/* json.h: a document as JSON: the same tree, for programs. The same document gives the same bytes. */
#ifndef ISMS_REPORTING_JSON_H
#define ISMS_REPORTING_JSON_H

#include <isms/base/buf.h>

#include "document.h"

/* Appends the document. Check buf->failed. */
void json_render(const struct document *document, struct buf *buf);

#endif
