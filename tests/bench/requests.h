/* requests.h: the calls that the bench makes of isms-actions: their bytes, and whether an answer is the right one.
 * Everything here may be used by several threads at once once requests_read() is done. */
#ifndef ISMS_BENCH_REQUESTS_H
#define ISMS_BENCH_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/uuid.h>

enum request_kind { REQUEST_GET, REQUEST_LIST, REQUEST_CREATE, REQUEST_ECHO, REQUEST_KINDS };

enum { REQUEST_SIZE_MAX = 512, REQUEST_PAGE = 50 };

struct requests {
    char (*ids)[UUID_TEXT_SIZE]; /* the actions that are there to get */
    size_t id_count;
    const char *owner;           /* a member's id, for new actions */
};

const char *request_kind_name(enum request_kind kind); /* "get", "list", "create", "echo" */
const char *request_path(enum request_kind kind);

/* Reads the ids, one a line, for the process' life. -1: said why on stderr. */
int requests_read(const char *path, const char *owner, struct requests *ret_requests) MUST_CHECK;

/* A request of the kind; `random` chooses which action. Answers its length. */
size_t request_pack(const struct requests *requests, enum request_kind kind, uint64_t random,
                    uint8_t bytes[static REQUEST_SIZE_MAX]);

/* Whether the answer is to that request: the action asked for, a full page, a new action, SERVING. */
bool answer_is_right(const struct requests *requests, enum request_kind kind, uint64_t random,
                     const uint8_t *bytes, size_t length);

#endif
