/* validate.h: a request against the rules its proto file states.
 *
 * Only fields that are set are judged, but for required ones. "Required" means: a message is there, a text or
 * bytes are not empty, an enum is not UNSPECIFIED, a repeated field has an item; on a member of a oneof it
 * means that one of the oneof's members is set; a number whose range excludes 0 is not 0. (On other numbers
 * and on bools it would mean nothing and is refused at start.) Repeated fields and maps have at most max_items
 * items, 100 where the rule is silent. Of a repeated message that is judged_by_service only the number of items is
 * judged: its service calls message_validate() on each. */
#ifndef ISMS_PROTO_VALIDATE_H
#define ISMS_PROTO_VALIDATE_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/proto/descriptors.h>

/* Clears what is output_only, brings map entries into key order, and judges everything else. FIELD_INVALID
 * with one violation a wrong field, as a client writes it ("inputs[3].title"). Any thread. */
int message_validate(const struct message_type *type, ProtobufCMessage *message, struct err *err) MUST_CHECK;

#endif
