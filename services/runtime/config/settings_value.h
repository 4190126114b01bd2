/* settings_value.h: the types of settings: what each accepts, says so, and makes of a text. */
#ifndef ISMS_CONFIG_SETTINGS_VALUE_H
#define ISMS_CONFIG_SETTINGS_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/buf.h>

enum setting_kind {
    SETTING_STRING,
    SETTING_PATH,
    SETTING_ADDRESS,
    SETTING_CHOICE,
    SETTING_INT,
    SETTING_DURATION,
    SETTING_BOOL
};

struct setting_type {
    enum setting_kind kind;
    int64_t least; /* INT, and DURATION in microseconds */
    int64_t most;
    const char *choices; /* CHOICE: "a|b" */
};

/* false: not accepted. INT, DURATION and BOOL leave their value in *ret_number; the others are the text. */
bool setting_value_parse(const struct setting_type *type, const char *text, int64_t *ret_number);

/* Appends what is accepted, short: "1 to 64", "host:port". */
void setting_type_describe(const struct setting_type *type, struct buf *buf);

#endif
