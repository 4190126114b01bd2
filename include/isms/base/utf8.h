/* utf8.h: well-formed UTF-8, as the Unicode standard's table 3-7 has it. */
#ifndef ISMS_BASE_UTF8_H
#define ISMS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_is_valid(const char *text, size_t length);      /* surrogates and overlong forms are not */
size_t utf8_length(const char *text, size_t length);      /* code points; the text must be valid */
size_t utf8_cut(const char *text, size_t length, size_t max); /* the longest whole prefix of <= max bytes */

#endif
