/* main.c: isms-migrate, which makes and changes the database's schemas.
 *
 * The migrations are inside the program, so that an image and the schema it expects cannot part. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>

#include "migrate.h"
#include "platform_key.h"

extern const struct embedded_file migrations[];
extern const struct embedded_file roles[];

enum { STATUS_FAILED = 1, STATUS_USAGE = 2, URL_SIZE = 2048 };

static const char HELP[] =
    "isms-migrate [--database-url URL] [--dry-run] up|status|check|roles|platform-key NAME [ROLE...]\n"
    "\n"
    "Brings the database to the schemas this version works with.\n"
    "\n"
    "  up       apply what is pending, one line a file; safe to run again, and to run twice at once\n"
    "  status   list all migrations, applied or pending\n"
    "  check    status 1 if any is pending\n"
    "  roles    print the SQL that makes the database roles, for the database's administrator to run first\n"
    "  platform-key NAME [ROLE...]\n"
    "           make an API key of the platform's and print it, this once. Without roles it may create organisations\n"
    "           (PLATFORM_ADMIN); with PLATFORM_AGENT it may act for them, in the further roles that are named\n"
    "\n"
    "  --database-url URL   the database, as the role that owns its schemas; otherwise ISMS_DATABASE_URL, or\n"
    "                       the content of the file that ISMS_DATABASE_URL_FILE names\n"
    "  --dry-run            with up: say what would be applied, change nothing\n"
    "  --help, --version\n";

/* The URL from the environment; "" if there is none. */
static int url_find(char url[static URL_SIZE])
{
    const char *value = getenv("ISMS_DATABASE_URL");
    const char *path = getenv("ISMS_DATABASE_URL_FILE");
    url[0] = '\0';
    if (value && *value)
        return snprintf(url, URL_SIZE, "%s", value) < URL_SIZE ? 0 : -1;
    if (!path || !*path)
        return 0;
    FILE *file = fopen(path, "re");
    if (!file || !fgets(url, URL_SIZE, file)) {
        fprintf(stderr, "isms-migrate: %s: %s\n", path, file ? "empty" : strerror(errno));
        if (file)
            fclose(file);
        return -1;
    }
    fclose(file);
    url[strcspn(url, "\r\n")] = '\0';
    return 0;
}

static int command_find(const char *name, bool dry_run, enum migrate_command *ret_command)
{
    static const struct {
        const char *name;
        enum migrate_command command;
    } commands[] = {{"up", MIGRATE_UP}, {"status", MIGRATE_STATUS}, {"check", MIGRATE_CHECK}};
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].name, name) == 0 && (!dry_run || commands[i].command == MIGRATE_UP)) {
            *ret_command = dry_run ? MIGRATE_DRY_RUN : commands[i].command;
            return 0;
        }
    }
    return -1;
}

static int platform_key_command(const char *url, char **arguments, int count, struct err *err)
{
    struct role_set held = {0};
    for (int i = 2; i < count; i++) {
        enum role role;
        if (!role_from_name(slice_of(arguments[i]), &role))
            return err_setf(err, ERR_FIELD_INVALID, "There is no role '%s'.", arguments[i]);
        held = role_set_add(held, role);
    }
    return platform_key_make(url, arguments[1], held, stdout, err);
}

/* What is left of the command line; the URL is found already. */
static int command_run(const char *url, bool dry_run, char **arguments, int count, struct err *err)
{
    enum migrate_command command;
    if (count >= 2 && strcmp(arguments[0], "platform-key") == 0 && !dry_run)
        return platform_key_command(url, arguments, count, err);
    if (count == 1 && command_find(arguments[0], dry_run, &command) == 0)
        return migrate(url, migrations, command, stdout, err);
    fputs(HELP, stderr);
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"database-url", required_argument, NULL, 'd'}, {"dry-run", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},               {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    char found[URL_SIZE];
    const char *url = NULL;
    bool dry_run = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            url = optarg;
            break;
        case 'n':
            dry_run = true;
            break;
        case 'h':
            fputs(HELP, stdout);
            return 0;
        case 'v':
            puts("isms-migrate " ISMS_VERSION);
            return 0;
        default:
            return STATUS_USAGE;
        }
    }
    if (optind == argc - 1 && strcmp(argv[optind], "roles") == 0) {
        fputs(roles[0].data, stdout);
        return 0;
    }
    if (!url && url_find(found))
        return STATUS_USAGE;
    url = url ? url : found;
    if (!*url) {
        fputs("isms-migrate: no database: set --database-url or ISMS_DATABASE_URL\n", stderr);
        return STATUS_USAGE;
    }
    struct err err = {0};
    int result = command_run(url, dry_run, argv + optind, argc - optind, &err);
    if (result < 0)
        fprintf(stderr, "isms-migrate: %s\n", err.message);
    return result < 0 ? STATUS_FAILED : result;
}
