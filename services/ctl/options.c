/* options.c: the command line of ismsctl, and its help. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

enum { CREDENTIAL_MAX = 16 << 10, TIMEOUT_MAX_S = 3600 };

static const struct option long_options[] = {
    {"address", required_argument, NULL, 'a'},   {"credential-file", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},            {"timeout", required_argument, NULL, 't'},
    {"key", required_argument, NULL, 'k'},       {"kind", required_argument, NULL, 'K'},
    {"source", required_argument, NULL, 's'},    {"metric", required_argument, NULL, 'm'},
    {"map", required_argument, NULL, 'M'},       {"dry-run", no_argument, NULL, 'n'},
    {"resume", required_argument, NULL, 'r'},    {"name", required_argument, NULL, 'N'},
    {"administrator", required_argument, NULL, 'A'}, {"time-zone", required_argument, NULL, 'z'},
    {"ca", required_argument, NULL, 'C'},        {"help", no_argument, NULL, 'h'},
    {"profile", required_argument, NULL, 'P'},   {"sheet", required_argument, NULL, 'S'},
    {"header-row", required_argument, NULL, 'H'}, {"last-row", required_argument, NULL, 'L'},
    {NULL, 0, NULL, 0},
};

void options_help(void)
{
    fputs("usage: ismsctl [OPTION]... COMMAND\n"
          "\n"
          "  call METHOD [JSON|@FILE|-]   call any method, for example:\n"
          "                                 ismsctl call ListActions '{\"unfinished\": true}'\n"
          "  methods [TEXT]               the methods there are, with what they take\n"
          "  import FILE                  import inputs or measurements (CSV, .xlsx, OSCAL as .json):\n"
          "                                 ismsctl import findings.csv --kind finding --source jira \\\n"
          "                                   --map 'Issue key=external_id' --map 'Summary=title'\n"
          "                               without --map or --profile, a CSV file's columns are named after the\n"
          "                               fields they hold, as export writes them (docs/import.md)\n"
          "  export                       inputs of a --kind, or measurements of a --metric, as CSV on stdout:\n"
          "                                 ismsctl export --kind finding > findings.csv\n"
          "  org show|export FILE         the organisation; everything it stored, as JSON lines, and its\n"
          "                               evidence files in the folder FILE.evidence (docs/export.md)\n"
          "  org create|list|suspend ID|resume ID|erase ID\n"
          "                               organisations, by platform administrators\n"
          "  member erase ID              erase a person's data for good\n"
          "  verify RECORD                check a signed record offline (the JSON of GetRecord)\n"
          "\n"
          "  --address HOST:PORT          the service to call; else ISMS_INPUTS_ADDRESS, ISMS_REVIEWS_ADDRESS,\n"
          "                               ISMS_ACTIONS_ADDRESS, ISMS_REPORTING_ADDRESS by the method's service\n"
          "  --credential-file FILE       access token or API key; else ISMS_CREDENTIAL\n"
          "  --ca FILE                    speak TLS, and trust these certificates; else ISMS_CA_FILE\n"
          "  --json                       print JSON\n"
          "  --timeout SECONDS            60; 3600 for a stream\n"
          "  import: --kind KIND | --metric ID, --source NAME, --map COLUMN=FIELD…, --profile ID, --dry-run,\n"
          "          --sheet NAME, --header-row N, --last-row N, --resume ID\n"
          "  export: --kind KIND, --source NAME | --metric ID\n"
          "  org erase: --name NAME       the organisation's, to be sure\n"
          "  org create: --name NAME, --administrator NAME, --time-zone ZONE\n"
          "  verify: --key FILE           the installation's public key (PEM), known from elsewhere\n",
          stdout);
}

static int credential_read(const char *path, struct arena *arena, const char **ret_credential)
{
    struct slice content;
    struct err err = {0};

    if (file_read(path, CREDENTIAL_MAX, arena, &content, &err) < 0) {
        fprintf(stderr, "ismsctl: %s\n", err.message);
        return -1;
    }
    size_t length = content.length;
    while (length > 0 && strchr(" \t\r\n", content.data[length - 1]))
        length--;
    *ret_credential = arena_strndup(arena, content.data, length);
    return 0;
}

static int timeout_parse(const char *text, int *ret_seconds)
{
    char *end = NULL;
    errno = 0;
    long seconds = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || seconds < 1 || seconds > TIMEOUT_MAX_S) {
        fprintf(stderr, "ismsctl: --timeout takes 1 to %d seconds\n", TIMEOUT_MAX_S);
        return -1;
    }
    *ret_seconds = (int)seconds;
    return 0;
}

static int mapping_add(struct options *options, const char *text)
{
    if (!strchr(text, '=') || options->mapping_count == ARRAY_SIZE(options->mappings)) {
        fprintf(stderr, "ismsctl: --map takes COLUMN=FIELD, at most %zu times\n", ARRAY_SIZE(options->mappings));
        return -1;
    }
    options->mappings[options->mapping_count++] = text;
    return 0;
}

static int option_take(struct options *options, int letter, struct arena *arena)
{
    switch (letter) {
    case 'a': options->address = optarg; return 0;
    case 'c': return credential_read(optarg, arena, &options->credential);
    case 'j': options->json = true; return 0;
    case 't': return timeout_parse(optarg, &options->timeout_s);
    case 'C': options->ca_file = optarg; return 0;
    case 'k': options->key_file = optarg; return 0;
    case 'K': options->kind = optarg; return 0;
    case 's': options->source = optarg; return 0;
    case 'm': options->metric = optarg; return 0;
    case 'M': return mapping_add(options, optarg);
    case 'n': options->dry_run = true; return 0;
    case 'r': options->resume = optarg; return 0;
    case 'N': options->name = optarg; return 0;
    case 'A': options->administrator = optarg; return 0;
    case 'z': options->time_zone = optarg; return 0;
    case 'P': options->profile = optarg; return 0;
    case 'S': options->sheet = optarg; return 0;
    case 'H': options->header_row = optarg; return 0;
    case 'L': options->last_row = optarg; return 0;
    case 'h': options->help = true; return 0;
    default: return -1; /* getopt has said what is wrong */
    }
}

char *kind_of(const struct options *options, struct arena *arena)
{
    char *kind = arena_strdup(arena, options->kind ? options->kind : "");

    for (char *letter = kind; letter && *letter; letter++)
        *letter = (char)(*letter >= 'a' && *letter <= 'z' ? *letter - 'a' + 'A' : *letter == '-' ? '_' : *letter);
    return kind;
}

int options_parse(int argc, char **argv, struct arena *arena, struct options *ret_options)
{
    struct options options = {.credential = getenv("ISMS_CREDENTIAL"), .ca_file = getenv("ISMS_CA_FILE")};
    int letter;

    while ((letter = getopt_long(argc, argv, "jh", long_options, NULL)) != -1)
        if (option_take(&options, letter, arena) < 0)
            return -1;
    for (; optind < argc; optind++) {
        if (options.argument_count == ARRAY_SIZE(options.arguments)) {
            fputs("ismsctl: too many arguments; quote the JSON\n", stderr);
            return -1;
        }
        options.arguments[options.argument_count++] = argv[optind];
    }
    *ret_options = options;
    return 0;
}
