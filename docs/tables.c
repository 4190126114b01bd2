/* tables.c: prints the reference pages of the .def tables, for docs/generate.sh.
 *
 * The tables are included as the services include them, so that a page cannot say anything else than the code.
 * Not part of the build. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char GENERATED[] = "<!-- Made by docs/generate.sh; do not edit. -->\n";

/* --- errors --------------------------------------------------------------------------------------------- */

static const char *const grpc_codes[] = {
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};

static void print_errors(void)
{
    static const struct {
        const char *name;
        int code;
        const char *text;
        const char *advice;
    } errors[] = {
#define X(name, code, text, advice) {#name, code, text, advice},
#include <isms/base/errors.def>
#undef X
    };
    static const struct {
        const char *name;
        const char *reason;
        const char *text;
    } causes[] = {
#define X(name, reason, text) {#name, #reason, text},
#include <isms/auth/token_causes.def>
#undef X
    };
    printf("# Errors\n\n%s\n"
           "Every refused call ends with a gRPC status whose details (`grpc-status-details-bin`,\n"
           "google.rpc.Status) hold an `ErrorInfo` with domain `isms-review`, one of the reasons below,\n"
           "and facts as metadata: always `trace_id`, and what the reason names. `BadRequest` lists\n"
           "wrong fields, `PreconditionFailure` what stands in the way of a state, `RetryInfo` when a\n"
           "retry helps. Write programs against reasons; texts may change.\n\n"
           "| reason | gRPC status | what it says | what to do |\n|---|---|---|---|\n", GENERATED);
    for (size_t i = 0; i < COUNT(errors); i++)
        printf("| `%s` | %s | %s | %s |\n", errors[i].name, grpc_codes[errors[i].code], errors[i].text,
               errors[i].advice);
    printf("\n## Refused tokens\n\n"
           "The fact `cause` says what is wrong with an access token (or with an assertion between\n"
           "services). Of an API key nothing is said but that it is not valid.\n\n"
           "| cause | reason | what it says |\n|---|---|---|\n");
    for (size_t i = 0; i < COUNT(causes); i++)
        printf("| `%s` | `%s` | %s |\n", causes[i].name, causes[i].reason, causes[i].text);
}

/* --- settings ------------------------------------------------------------------------------------------- */

enum { TYPE_SIZE = 80 };
#define MILLISECONDS(count) ((count) * 1000LL)
#define MINUTES(count) ((count) * 60000000LL)
#define HOURS(count) ((count) * 3600000000LL)

static const char *duration_text(long long us, char text[static TYPE_SIZE])
{
    static const struct {
        long long us;
        const char *unit;
    } units[] = {{3600000000LL, "h"}, {60000000LL, "m"}, {1000000LL, "s"}, {1000LL, "ms"}};
    for (size_t i = 0; i < COUNT(units); i++)
        if (us > 0 && us % units[i].us == 0) {
            snprintf(text, TYPE_SIZE, "%lld%s", us / units[i].us, units[i].unit);
            return text;
        }
    return "0";
}

static const char *range_text(const char *what, const char *least, const char *most)
{
    static char text[TYPE_SIZE * 2];
    snprintf(text, sizeof(text), "%s, %s to %s", what, least, most);
    return text;
}

static const char *integer_type(long least, long most)
{
    char from[TYPE_SIZE];
    char to[TYPE_SIZE];
    snprintf(from, sizeof(from), "%ld", least);
    snprintf(to, sizeof(to), "%ld", most);
    return range_text("number", from, to);
}

static const char *duration_type(long long least, long long most)
{
    char from[TYPE_SIZE];
    char to[TYPE_SIZE];
    return range_text("duration", duration_text(least, from), duration_text(most, to));
}

/* "a|b" as a table cell holds it. */
static const char *choice_type(const char *choices)
{
    static char text[TYPE_SIZE];
    snprintf(text, sizeof(text), "one of %s", choices);
    for (char *bar = text; (bar = strchr(bar, '|')); bar++)
        *bar = '/';
    return text;
}

#define TYPE_STRING "text"
#define TYPE_PATH "path of a readable file"
#define TYPE_ADDRESS "host:port"
#define TYPE_BOOL "true or false"
#define TYPE_INT(least, most) integer_type(least, most)
#define TYPE_DURATION(least, most) duration_type(least, most)
#define TYPE_CHOICE(choices) choice_type(choices)

static void setting_print(const char *name, const char *type, const char *value, const char *doc)
{
    char variable[TYPE_SIZE] = "ISMS_";
    size_t length = strlen(variable);
    for (const char *letter = name; *letter && length + 1 < sizeof(variable); letter++)
        variable[length++] = (char)(*letter >= 'a' && *letter <= 'z' ? *letter - 'a' + 'A' : *letter);
    variable[length] = '\0';
    const char *quote = *value ? "`" : "";
    printf("| `%s` | `%s` | %s | %s%s%s | %s |\n", name, variable, type, quote, *value ? value : "not set",
           quote, doc);
}

static void print_settings(void)
{
    printf("# Settings\n\n%s\n"
           "All four services take the same settings. A value comes from, lowest to highest: the\n"
           "default; `name = value` in the file that `--config FILE` or `ISMS_CONFIG` names; the\n"
           "variable below, or for a text `<variable>_FILE`, which names a file with the value (how\n"
           "Kubernetes hands secrets over); `--name=value`. An unknown name is refused wherever it\n"
           "stands, and everything that is wrong is reported at once. `--help` prints this table,\n"
           "`--check-config` judges what is set without starting. Durations are written `500ms`, `20s`,\n"
           "`5m`, `24h`.\n\n"
           "| setting | variable | type | default | what it is |\n|---|---|---|---|---|\n", GENERATED);
#define X(name, type, value, doc) setting_print(#name, TYPE_##type, value, doc);
#include <isms/config/settings.def>
#undef X
}

/* --- roles ---------------------------------------------------------------------------------------------- */

enum permission {
#define X(name, text_name, text) PERMISSION_##name,
#include <isms/auth/permissions.def>
#undef X
    PERMISSION_COUNT
};

static void print_roles(void)
{
    static const struct {
        const char *name;
        const char *text;
    } permissions[] = {
#define X(name, text_name, text) {text_name, text},
#include <isms/auth/permissions.def>
#undef X
    };
#define P(name) | 1ULL << PERMISSION_##name
    static const struct {
        const char *name;
        const char *text;
        unsigned long long permissions;
    } roles[] = {
#define X(name, text, permissions) {#name, text, 0 permissions},
#include <isms/auth/roles.def>
#undef X
    };
#undef P
    printf("# Roles and permissions\n\n%s\n"
           "A member or an API key has roles; a role has permissions; a method asks for one permission\n"
           "(see [api.md](api.md)). There is no default: what is not listed is refused. Which rows a\n"
           "caller sees of what it may read is decided by row-level policies in the database, by the\n"
           "caller's scope: all of the organisation; its own (`ACTION_OWNER` alone); the reviews it was\n"
           "named for (`AUDITOR` alone); the list of organisations\n"
           "(`PLATFORM_ADMIN`, in the platform's own organisation only). What an API key may do can be narrowed\n"
           "to some of these permissions, and a `PLATFORM_AGENT`'s key acts for organisations: [keys.md](keys.md).\n\n"
           "| role | what for |\n|---|---|\n", GENERATED);
    for (size_t i = 0; i < COUNT(roles); i++)
        printf("| `%s` | %s |\n", roles[i].name, roles[i].text);
    printf("\n## Who may do what\n\n| permission | what it allows |");
    for (size_t i = 0; i < COUNT(roles); i++)
        printf(" %s |", roles[i].name);
    printf("\n|---|---|");
    for (size_t i = 0; i < COUNT(roles); i++)
        printf(":-:|");
    printf("\n");
    for (size_t permission = 0; permission < COUNT(permissions); permission++) {
        printf("| `%s` | %s |", permissions[permission].name, permissions[permission].text);
        for (size_t i = 0; i < COUNT(roles); i++)
            printf(" %s |", roles[i].permissions >> permission & 1 ? "yes" : "");
        printf("\n");
    }
}

/* --- metrics -------------------------------------------------------------------------------------------- */

enum kind { COUNTER, GAUGE, HISTOGRAM };

static void print_metrics(void)
{
    static const char *const kinds[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    static const struct {
        const char *name;
        enum kind kind;
        const char *help;
        const char *labels[3];
    } metrics[] = {
#define X(name, kind, help, label1, label2, label3, buckets) {#name, kind, help, {label1, label2, label3}},
#include <isms/obs/metrics.def>
#undef X
    };
    printf("# Metrics\n\n%s\n"
           "Served at `/metrics` of the admin port (`admin_listen`) in Prometheus' text format. The\n"
           "names of the gRPC metrics are those that Go's gRPC middleware made standard. No label ever\n"
           "holds an organisation.\n\n"
           "| metric | kind | labels | what it says |\n|---|---|---|---|\n", GENERATED);
    for (size_t i = 0; i < COUNT(metrics); i++) {
        printf("| `%s` | %s | ", metrics[i].name, kinds[metrics[i].kind]);
        for (size_t label = 0; label < COUNT(metrics[i].labels) && metrics[i].labels[label]; label++)
            printf("%s`%s`", label ? ", " : "", metrics[i].labels[label]);
        printf(" | %s |\n", metrics[i].help);
    }
}

/* --- data quality --------------------------------------------------------------------------------------- */

static void print_quality(void)
{
    static const struct {
        const char *name;
        const char *severity;
        const char *kinds;
        const char *text;
        const char *hint;
    } checks[] = {
#define X(name, severity, kinds, text, hint) {#name, #severity, kinds, text, hint},
#include "../services/inputs/quality.def"
#undef X
    };
    printf("# Data quality before a review\n\n%s\n"
           "`CheckQuality` says what is wrong with the data that a review of a period would freeze if it\n"
           "were opened now: missing, stale, without owner, out of range, duplicated, contradictory. It is a\n"
           "work list: the worst first, then in the order of the agenda, by number. Each issue names the\n"
           "input with its owner, or the item of the agenda where a whole one is meant, the field to look\n"
           "at, what is wrong in a sentence, and what to do next. An ISMS manager goes through all of it; a\n"
           "contributor asks with `mine` for what is theirs. It takes `quality.read` ([roles.md](roles.md)),\n"
           "which an auditor does not have: what is judged is not frozen yet.\n\n"
           "`GetQualityFigures` counts the same for each item of the agenda, with the share of its inputs\n"
           "that are sound: those without an issue worse than a hint, in per cent. Where nothing of an item\n"
           "that clause 9.3.2 asks for was recorded in the period, the share is 0, however sound the rest is.\n\n"
           "| severity | what it means |\n|---|---|\n"
           "| `BLOCKING` | The meeting cannot judge the matter as it stands. The worst end. |\n"
           "| `WARNING` | The meeting would ask for it. |\n"
           "| `HINT` | Worth a look. |\n\n"
           "Nothing is refused because of an issue, and none is stored: whatever is mended is gone from the\n"
           "next page. A review can be opened with all of them; what is not considered in it is the\n"
           "conformity check's matter ([conformity.md](conformity.md)).\n\n"
           "## How it is judged\n\n"
           "- Judged are all inputs but those deleted, or closed before the period: what a review freezes.\n"
           "- Days are those of the organisation's time zone. What is due today is not overdue.\n"
           "- An item counts as recorded with an input that took effect, was made or was changed in the\n"
           "  period, or a metric that has a value in it.\n"
           "- Which values a metric owes, and until when, is the trend's judgement: a span of its frequency that\n"
           "  ends in the period asks for one by `grace_days` after its last day. Those missing after the newest\n"
           "  value are `METRIC_STALE`, those before it `POINTS_MISSING`: together, what the trend expects\n"
           "  and does not have.\n"
           "- An outlier lies further from the median of the period's values than 3.5 times the median\n"
           "  absolute deviation, scaled to a standard deviation by 0.6745 (Iglewicz and Hoaglin 1993); fewer\n"
           "  than eight values have none. A corrected value counts as corrected.\n"
           "- Titles are compared without case, punctuation and spaces; of findings within their audit, of\n"
           "  compliance within its framework, and among what is open.\n"
           "- Levels of risks are judged on the scheme as it is now; the appetite is the risk's own, or the\n"
           "  scheme's.\n\n"
           "## The checks\n\n"
           "| check | severity | looked for in | what is wrong | what to do |\n|---|---|---|---|---|\n",
           GENERATED);
    for (size_t i = 0; i < COUNT(checks); i++)
        printf("| `%s` | %s | %s | %s. | %s |\n", checks[i].name, checks[i].severity, checks[i].kinds, checks[i].text,
               checks[i].hint);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } pages[] = {
        {"errors", print_errors}, {"settings", print_settings},
        {"roles", print_roles}, {"metrics", print_metrics},
        {"quality", print_quality}};
    for (size_t i = 0; argc == 2 && i < COUNT(pages); i++)
        if (strcmp(argv[1], pages[i].name) == 0) {
            pages[i].print();
            return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    fprintf(stderr, "usage: tables errors|settings|roles|metrics|quality\n");
    return EXIT_FAILURE;
}
