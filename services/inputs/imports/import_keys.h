/* import_keys.h: finds rows of a file that would be the same input or measurement, in bounded memory.
 *
 * What is kept of a key is a hash of 128 bits of it: that two different ones are taken for the same is not to be
 * expected in the life of any file. */
#ifndef ISMS_INPUTS_IMPORT_KEYS_H
#define ISMS_INPUTS_IMPORT_KEYS_H

#include <isms/base/attributes.h>
#include <isms/base/slice.h>

struct import_keys;

/* For at most `max` different keys. NULL: out of memory. */
struct import_keys *import_keys_new(unsigned max);
void import_keys_free(struct import_keys *keys);

/* How often the key was there before (0: this is the first), and in which line first. -1: out of memory, or more than
 * `max` keys. */
int import_keys_add(struct import_keys *keys, struct slice key, int line, int *ret_first_line) MUST_CHECK;

#endif
