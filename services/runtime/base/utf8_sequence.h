/* utf8_sequence.h: one character of UTF-8, for the files of this layer that walk through text. */
#ifndef ISMS_BASE_UTF8_SEQUENCE_H
#define ISMS_BASE_UTF8_SEQUENCE_H

#include <stddef.h>

/* The bytes of the well-formed character at the start of `text`; 0: there is none. */
size_t utf8_sequence(const char *text, size_t length);

#endif
