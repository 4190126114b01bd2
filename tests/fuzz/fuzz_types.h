/* fuzz_types.h: a message type of the product, picked by an input's first bytes. */
#ifndef ISMS_TESTS_FUZZ_TYPES_H
#define ISMS_TESTS_FUZZ_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <isms/proto/descriptors.h>

/* The embedded descriptors, made once. */
const struct descriptors *fuzz_descriptors(void);

enum { FUZZ_PICK_SIZE = 2 };

/* A request (or response) of one of our methods. Two bytes pick the method whose path hashes to them or next above,
 * so that the corpus keeps its meaning when methods are added. NULL where there are less than two bytes. */
const struct message_type *fuzz_type(const uint8_t *data, size_t size, bool response);

#endif
