/* uuid.h: RFC 9562 UUIDs. Version 7 (time-ordered) for new ids, version 5 (SHA-1 of a name) where the
 * same cause must give the same id, whatever crashed in between. */
#ifndef ISMS_BASE_UUID_H
#define ISMS_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT_SIZE = 37 };

struct uuid {
    uint8_t bytes[16];
};

struct uuid uuid_v7(void); /* any thread */
struct uuid uuid_v5(struct uuid name_space, const void *name, size_t length); /* at most 1024 bytes */

/* Exactly the 36-character form, either case. false: not one. */
bool uuid_parse(const char *text, struct uuid *ret_uuid);
void uuid_format(struct uuid uuid, char text[static UUID_TEXT_SIZE]); /* lower case */
bool uuid_is_nil(struct uuid uuid);
bool uuid_equals(struct uuid a, struct uuid b);

#endif
