/* settings.h: what an operator can set, in one table (settings.def).
 *
 * A setting's value comes from, lowest to highest: its default; `name = value` in the file that --config FILE
 * or ISMS_CONFIG names; ISMS_NAME in the environment, or, for a STRING, the content of the file that
 * ISMS_NAME_FILE names (how Kubernetes hands secrets over); --name=value. Nothing is guessed: an unknown name
 * anywhere is refused, and all that is wrong is reported at once. ISMS_TEST_* are the tests' own. */
#ifndef ISMS_CONFIG_SETTINGS_H
#define ISMS_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>

#define SETTING_C_STRING const char *
#define SETTING_C_PATH const char *
#define SETTING_C_ADDRESS const char *
#define SETTING_C_CHOICE(choices) const char *
#define SETTING_C_INT(least, most) int
#define SETTING_C_DURATION(least, most) int64_t /* microseconds */
#define SETTING_C_BOOL bool

/* Texts are never NULL; "" where nothing is set. They live as long as the struct. Read-only once loaded, hence
 * for any thread. */
struct settings {
#define X(name, type, value, doc) SETTING_C_##type name;
#include <isms/config/settings.def>
#undef X
    struct arena memory; /* of the texts */
};

/* What a main() says about itself. */
struct settings_program {
    const char *name;     /* "isms-actions" */
    const char *purpose;  /* one line for --help */
    const char *version;
    const char *required; /* settings it cannot do without, separated by spaces; may be "" */
};

/* Loads the settings of this process. -1: *problems has one line for each thing that is wrong, saying where it
 * was set and what is accepted. Values of STRING settings, which may be secrets, are never repeated there.
 * Ignores --help, --version and --check-config. */
int settings_load(const struct settings_program *program, int argc, char **argv, struct settings *ret_settings,
                  struct buf *problems) MUST_CHECK;

/* The same for a main(): answers --help, --version and --check-config on standard output, and reports problems
 * on standard error. false: nothing more to do, exit with *ret_status. */
bool settings_start(const struct settings_program *program, int argc, char **argv,
                    struct settings *ret_settings, int *ret_status) MUST_CHECK;

/* Accepts zeroed settings. Fits CLEANUP(). */
void settings_release(struct settings *settings);

/* What --help prints: how to call it, and the table. */
void settings_help(const struct settings_program *program, struct buf *buf);

#endif
