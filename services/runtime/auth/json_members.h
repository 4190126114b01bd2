/* json_members.h: members of JSON objects that an operator wrote, with errors that name them; private to the auth
 * layer. Texts are copied into an arena. Every failure is FIELD_INVALID. */
#ifndef ISMS_AUTH_JSON_MEMBERS_H
#define ISMS_AUTH_JSON_MEMBERS_H

#include <jansson.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

/* Whether it is an object with no members but those named; the list ends with NULL. */
int json_members_check(const json_t *object, const char *const *names, struct err *err) MUST_CHECK;

/* A text that is not empty and has at most 255 bytes; NULL where there is none. */
int json_member_text(const json_t *object, const char *name, struct arena *arena, const char **ret_text,
                     struct err *err) MUST_CHECK;

#endif
