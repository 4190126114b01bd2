/* library.h: the tests' model of isms.library.v1, built once a program. */
#ifndef TESTS_PROTO_LIBRARY_H
#define TESTS_PROTO_LIBRARY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <isms/base/arena.h>
#include <isms/base/err.h>
#include <isms/library/v1/library.pb-c.h>
#include <isms/proto/descriptors.h>
#include <isms/proto/json.h>

typedef Isms__Library__V1__Book book_message;

extern const struct descriptors_source library_descriptors_source;

static struct descriptors *library;
static struct arena arena;

static inline int library_setup(void **state)
{
    struct err err = {0};
    (void)state;
    arena_init(&arena, 64 * 1024 * 1024);
    if (descriptors_new(&library_descriptors_source, &library, &err) == 0)
        return 0;
    print_error("%s\n", err.message);
    return -1;
}

static inline int library_teardown(void **state)
{
    (void)state;
    descriptors_free(library);
    arena_release(&arena);
    return 0;
}

static inline const struct message_type *library_type(const char *name)
{
    char full[100];
    snprintf(full, sizeof(full), "isms.library.v1.%s", name);
    const struct message_type *type = descriptors_message(library, full);
    assert_non_null(type);
    return type;
}

/* A message out of its JSON. */
static inline void *library_read(const char *name, const char *json)
{
    struct err err = {0};
    ProtobufCMessage *message = NULL;
    if (json_read(library_type(name), json, strlen(json), false, &arena, &message, &err) < 0)
        fail_msg("%s: %s: %s", json, err.violations[0].field, err.violations[0].description);
    return message;
}

static inline const char *library_write(const char *name, const void *message, struct json_style style)
{
    struct err err = {0};
    struct buf buf;
    buf_init_arena(&buf, &arena, 1024 * 1024);
    if (json_write(library_type(name), message, style, &buf, &err) < 0)
        fail_msg("%s", err.message);
    return buf.data;
}

#endif
