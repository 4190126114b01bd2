/* json_text.h: a text as a JSON string, for writers that need no JSON tree.
 *
 * Only what RFC 8259 demands is escaped, in the shortest form (that of RFC 8785). Every byte that is not part
 * of well-formed UTF-8 becomes U+FFFD, so that the result is JSON whatever the text holds. */
#ifndef ISMS_BASE_JSON_TEXT_H
#define ISMS_BASE_JSON_TEXT_H

#include <stddef.h>

#include <isms/base/buf.h>

/* Appends `text` with its quotes. */
void json_text_append(struct buf *buf, const char *text, size_t length);

#endif
