/* attributes.h: the compiler attributes this code base leans on, under readable names.
 *
 * CLEANUP(f) runs f(&variable) when the variable goes out of scope, so that a function has one way out
 * whatever happens in it. MUST_CHECK makes ignoring a result a compile error. */
#ifndef ISMS_BASE_ATTRIBUTES_H
#define ISMS_BASE_ATTRIBUTES_H

#define CLEANUP(function) __attribute__((cleanup(function)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define UNUSED __attribute__((unused))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
