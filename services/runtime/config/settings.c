/* settings.c: every source writes its texts over those of the one below it; then all are parsed.
 *
 * So a wrong value that a higher source replaces does no harm, and each setting is reported once, with the
 * place that it came from. The table carries everything else: this file knows no setting by name. */
#include <isms/config/settings.h>

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "settings_value.h"

#define SETTING_TYPE_STRING {.kind = SETTING_STRING}
#define SETTING_TYPE_PATH {.kind = SETTING_PATH}
#define SETTING_TYPE_ADDRESS {.kind = SETTING_ADDRESS}
#define SETTING_TYPE_BOOL {.kind = SETTING_BOOL}
#define SETTING_TYPE_CHOICE(names) {.kind = SETTING_CHOICE, .choices = (names)}
#define SETTING_TYPE_INT(low, high) {.kind = SETTING_INT, .least = (low), .most = (high)}
#define SETTING_TYPE_DURATION(low, high) {.kind = SETTING_DURATION, .least = (low), .most = (high)}
#define MILLISECONDS(count) ((count) * INT64_C(1000))
#define MINUTES(count) MILLISECONDS((count) * INT64_C(60000))
#define HOURS(count) MINUTES((count) * INT64_C(60))

enum { FILE_MAX = 64 * 1024, MEMORY_MAX = 4 * 1024 * 1024, PROBLEMS_MAX = 256 * 1024 };

static const char PREFIX[] = "ISMS_";
static const char TEST_PREFIX[] = "ISMS_TEST_";
static const char CONFIG_VARIABLE[] = "ISMS_CONFIG";
static const char FILE_SUFFIX[] = "_FILE";

static const struct setting {
    const char *name;
    struct setting_type type;
    const char *value; /* the default */
    const char *doc;
    size_t offset; /* in struct settings */
} table[] = {
#define X(name, type, value, doc) {#name, SETTING_TYPE_##type, value, doc, offsetof(struct settings, name)},
#include <isms/config/settings.def>
#undef X
};

enum { SETTING_COUNT = sizeof(table) / sizeof(table[0]) };

struct loading {
    struct arena *memory;
    struct buf *problems;
    bool failed;
    struct {
        const char *text;
        const char *origin; /* for people: "settings.conf line 3"; NULL: the default */
        bool in_file;       /* set in the settings file, where twice is a mistake */
        bool in_environment;
    } values[SETTING_COUNT];
};

static void PRINTF_LIKE(2, 3) problem(struct loading *loading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(loading->problems, format, arguments);
    va_end(arguments);
    buf_char(loading->problems, '\n');
    loading->failed = true;
}

/* The row of a name in which `-` may stand for `_`, and capitals for small letters when `upper`. -1: none. */
static int setting_find(const char *name, size_t length, bool upper)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *candidate = table[i].name;
        size_t matched = 0;
        while (matched < length && candidate[matched]) {
            char expected = candidate[matched];
            char given = name[matched];
            if (upper ? given != (char)toupper((unsigned char)expected)
                      : given != expected && !(given == '-' && expected == '_'))
                break;
            matched++;
        }
        if (matched == length && !candidate[matched])
            return i;
    }
    return -1;
}

static void value_set(struct loading *loading, int i, const char *text, const char *origin)
{
    loading->values[i].text = text;
    loading->values[i].origin = origin;
}

/* The whole of a small text file; NULL with the problem noted. */
static char *file_read(struct loading *loading, const char *path, const char *origin)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        problem(loading, "%s: cannot open %s: %s", origin, path, strerror(errno));
        return NULL;
    }
    char *text = arena_alloc(loading->memory, FILE_MAX + 1);
    size_t length = text ? fread(text, 1, FILE_MAX + 1, file) : 0;
    bool broken = !text || ferror(file);
    fclose(file);
    if (broken)
        problem(loading, "%s: cannot read %s", origin, path);
    else if (length > FILE_MAX)
        problem(loading, "%s: %s is larger than %d bytes", origin, path, FILE_MAX);
    else if (memchr(text, '\0', length))
        problem(loading, "%s: %s is not a text file", origin, path);
    else
        return text;
    return NULL;
}

/* Cuts white space off both ends, in place. */
static char *text_trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

static void file_line_load(struct loading *loading, char *line, const char *path, int number)
{
    line = text_trim(line);
    if (!*line || *line == '#')
        return;
    char *equals = strchr(line, '=');
    if (!equals) {
        problem(loading, "%s line %d: not of the form name = value", path, number);
        return;
    }
    *equals = '\0';
    const char *name = text_trim(line);
    int i = setting_find(name, strlen(name), false);
    if (i < 0) {
        problem(loading, "%s line %d: there is no setting \"%s\"", path, number, name);
    } else if (loading->values[i].in_file) {
        problem(loading, "%s line %d: %s is set a second time", path, number, name);
    } else {
        loading->values[i].in_file = true;
        value_set(loading, i, text_trim(equals + 1), arena_printf(loading->memory, "%s line %d", path, number));
    }
}

static void file_load(struct loading *loading, const char *path)
{
    char *rest = file_read(loading, path, "settings file");
    for (int number = 1; rest; number++) {
        char *line = strsep(&rest, "\n");
        file_line_load(loading, line, path, number);
    }
}

/* ISMS_NAME_FILE: the value is what that file holds, less the line's end. */
static void environment_file_load(struct loading *loading, int i, const char *variable, const char *path)
{
    char *text = file_read(loading, path, variable);
    if (!text)
        return;
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    value_set(loading, i, text, variable);
}

static void variable_load(struct loading *loading, const char *variable)
{
    const char *equals = strchr(variable, '=');
    if (!equals || strncmp(variable, PREFIX, strlen(PREFIX)) != 0 ||
        strncmp(variable, TEST_PREFIX, strlen(TEST_PREFIX)) == 0)
        return;
    size_t length = (size_t)(equals - variable);
    const char *origin = arena_strndup(loading->memory, variable, length);
    if (!origin || strcmp(origin, CONFIG_VARIABLE) == 0)
        return;

    const char *name = origin + strlen(PREFIX);
    length -= strlen(PREFIX);
    size_t suffix = strlen(FILE_SUFFIX);
    int i = setting_find(name, length, true);
    bool indirect = i < 0 && length > suffix && strcmp(name + length - suffix, FILE_SUFFIX) == 0;
    if (indirect)
        i = setting_find(name, length - suffix, true);
    if (i < 0 || (indirect && table[i].type.kind != SETTING_STRING)) {
        problem(loading, "%s: there is no such setting", origin);
        return;
    }
    if (loading->values[i].in_environment) {
        problem(loading, "%s: %s is set in the environment a second time", origin, table[i].name);
        return;
    }
    loading->values[i].in_environment = true;
    if (indirect)
        environment_file_load(loading, i, origin, equals + 1);
    else
        value_set(loading, i, equals + 1, origin);
}

static bool argument_is_command(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "--version") == 0 ||
           strcmp(argument, "--check-config") == 0;
}

/* The value of --config at argv[*i], which it may move on to the next argument; NULL: it is not --config. */
static const char *argument_config(int argc, char **argv, int *i)
{
    static const char option[] = "--config";
    size_t length = strlen(option);
    if (strncmp(argv[*i], option, length) != 0 || (argv[*i][length] && argv[*i][length] != '='))
        return NULL;
    if (argv[*i][length])
        return argv[*i] + length + 1;
    return *i + 1 < argc ? argv[++*i] : "";
}

static void argument_load(struct loading *loading, const char *argument)
{
    size_t length = strcspn(argument, "=");
    bool option = strncmp(argument, "--", 2) == 0;
    int i = option ? setting_find(argument + 2, length - 2, false) : -1;
    if (i < 0)
        problem(loading, "command line: there is no option \"%.*s\"", (int)length, argument);
    else if (!argument[length])
        problem(loading, "command line: write %s=value", argument);
    else
        value_set(loading, i, argument + length + 1, "command line");
}

static void sources_load(struct loading *loading, int argc, char **argv)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        value_set(loading, i, table[i].value, NULL);

    const char *path = getenv(CONFIG_VARIABLE);
    for (int i = 1; i < argc; i++) {
        const char *value = argument_config(argc, argv, &i);
        path = value ? value : path;
    }
    if (path)
        file_load(loading, path);
    for (char **variable = environ; *variable; variable++)
        variable_load(loading, *variable);
    for (int i = 1; i < argc; i++)
        if (!argument_config(argc, argv, &i) && !argument_is_command(argv[i]))
            argument_load(loading, argv[i]);
}

static void value_store(struct settings *settings, const struct setting *setting, const char *text,
                        int64_t number)
{
    void *member = (char *)settings + setting->offset;
    switch (setting->type.kind) {
    case SETTING_STRING:
    case SETTING_PATH:
    case SETTING_ADDRESS:
    case SETTING_CHOICE:
        *(const char **)member = text;
        break;
    case SETTING_INT:
        *(int *)member = (int)number;
        break;
    case SETTING_DURATION:
        *(int64_t *)member = number;
        break;
    case SETTING_BOOL:
        *(bool *)member = number != 0;
        break;
    }
}

static void value_refuse(struct loading *loading, int i)
{
    char storage[256];
    struct buf accepted;
    buf_init_fixed(&accepted, storage, sizeof(storage));
    setting_type_describe(&table[i].type, &accepted);
    const char *origin = loading->values[i].origin ? loading->values[i].origin : "default";
    if (table[i].type.kind == SETTING_STRING)
        problem(loading, "%s: must not be empty (%s)", table[i].name, origin);
    else
        problem(loading, "%s: must be %s, is \"%s\" (%s)", table[i].name, accepted.data,
                loading->values[i].text, origin);
}

static void values_parse(struct loading *loading, struct settings *ret_settings)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *text = loading->values[i].text;
        bool unset = !*text && !*table[i].value;
        int64_t number = 0;
        if (!unset && !setting_value_parse(&table[i].type, text, &number)) {
            value_refuse(loading, i);
            continue;
        }
        const char *kept = arena_strdup(loading->memory, text);
        if (kept)
            value_store(ret_settings, &table[i], kept, number);
    }
}

static void required_check(struct loading *loading, const char *required)
{
    while (*(required += strspn(required, " "))) {
        size_t length = strcspn(required, " ");
        int i = setting_find(required, length, false);
        if (i < 0 || !*loading->values[i].text)
            problem(loading, "%.*s: must be set", (int)length, required);
        required += length;
    }
}

int settings_load(const struct settings_program *program, int argc, char **argv, struct settings *ret_settings,
                  struct buf *problems)
{
    struct settings settings CLEANUP(settings_release) = {0};
    arena_init(&settings.memory, MEMORY_MAX);
    struct loading loading = {.memory = &settings.memory, .problems = problems};
    sources_load(&loading, argc, argv);
    values_parse(&loading, &settings);
    required_check(&loading, program->required);
    if (arena_exhausted(&settings.memory))
        problem(&loading, "settings: too much text");
    if (loading.failed)
        return -1;
    *ret_settings = settings;
    settings = (struct settings){0}; /* the caller's now */
    return 0;
}

void settings_release(struct settings *settings)
{
    arena_release(&settings->memory);
}

void settings_help(const struct settings_program *program, struct buf *buf)
{
    buf_printf(buf, "%s: %s\n\n", program->name, program->purpose);
    buf_printf(buf, "Usage: %s [--config FILE] [--name=value]...\n\n", program->name);
    buf_text(buf, "  --config FILE   read settings from FILE, lines of name = value (also: ISMS_CONFIG)\n"
                  "  --check-config  check the settings and exit\n"
                  "  --version       print the version and exit\n"
                  "  --help          print this and exit\n\n"
                  "A setting comes from its default, the settings file, the environment as ISMS_NAME\n"
                  "(text also as ISMS_NAME_FILE, a file that holds it) or --name=value; the later wins.\n\n");
    buf_printf(buf, "  %-24s %-24s %-18s %s\n", "setting", "accepted", "default", "meaning");
    for (int i = 0; i < SETTING_COUNT; i++) {
        char storage[64];
        struct buf accepted;
        buf_init_fixed(&accepted, storage, sizeof(storage));
        setting_type_describe(&table[i].type, &accepted);
        buf_printf(buf, "  %-24s %-24s %-18s %s\n", table[i].name, accepted.data,
                   *table[i].value ? table[i].value : "-", table[i].doc);
    }
}

static bool argument_given(int argc, char **argv, const char *argument)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], argument) == 0)
            return true;
    return false;
}

bool settings_start(const struct settings_program *program, int argc, char **argv,
                    struct settings *ret_settings, int *ret_status)
{
    struct buf text CLEANUP(buf_release);
    struct settings settings CLEANUP(settings_release) = {0};
    buf_init(&text, PROBLEMS_MAX);
    *ret_status = 0;
    if (argument_given(argc, argv, "--help")) {
        settings_help(program, &text);
        fputs(text.data, stdout);
        return false;
    }
    if (argument_given(argc, argv, "--version")) {
        printf("%s %s\n", program->name, program->version);
        return false;
    }
    if (settings_load(program, argc, argv, &settings, &text) != 0) {
        fprintf(stderr, "%s: the settings are not valid\n%s", program->name, text.data);
        *ret_status = 1;
        return false;
    }
    if (argument_given(argc, argv, "--check-config")) {
        puts("configuration ok");
        return false;
    }
    *ret_settings = settings;
    settings = (struct settings){0}; /* the caller's now */
    return true;
}
