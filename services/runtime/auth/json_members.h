/* json_members.h: JSON objects and their members, a stranger's (tokens, documents of issuers) and an operator's (the
 * issuers file); private to the auth layer. */
#ifndef ISMS_AUTH_JSON_MEMBERS_H
#define ISMS_AUTH_JSON_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

/* A JSON object of bounded nesting without duplicate members; NULL when it is none, or *ret_no_memory. */
json_t *json_object_read(const char *text, size_t length, bool *ret_no_memory);

/* Has jansson allocate so that this can be told apart. Once, at start. */
void json_memory_watch(void);

/* A claim that is a NumericDate (RFC 7519 section 2) of the years 1970 to 9999, in microseconds. */
bool json_numeric_date(const json_t *value, int64_t *ret_time_us);

/* Copies a JSON string that is not empty and fits. */
bool json_text_copy(const json_t *value, char *ret_text, size_t size);

/* For what an operator wrote: every failure is FIELD_INVALID and names the member. Texts are copied into an arena. */

/* Whether it is an object with no members but those named; the list ends with NULL. */
int json_members_check(const json_t *object, const char *const *names, struct err *err) MUST_CHECK;

/* A text that is not empty and has at most 255 bytes; NULL where there is none. */
int json_member_text(const json_t *object, const char *name, struct arena *arena, const char **ret_text,
                     struct err *err) MUST_CHECK;

#endif
