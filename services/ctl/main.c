/* main.c: ismsctl, the command line. One table of commands; each is a file of its own. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* The largest file imported, and what its JSON form may take. */
enum { ARENA_MAX = 512 << 20 };

static const struct command {
    const char *name;
    int (*run)(const struct session *session, struct err *err);
    unsigned arguments_min;
    unsigned arguments_max;
} commands[] = {
    {"call", command_call, 1, 2},    {"methods", command_methods, 0, 1}, {"import", command_import, 1, 1},
    {"export", command_table, 0, 0}, {"org", command_org, 1, 2},         {"member", command_org, 2, 2},
    {"verify", command_verify, 1, 1},
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_release) struct arena arena;
    CLEANUP(descriptors_freep) struct descriptors *descriptors = NULL;
    struct options options;
    struct err err = {0};

    arena_init(&arena, ARENA_MAX);
    if (options_parse(argc, argv, &arena, &options) < 0)
        return EXIT_USAGE;
    if (options.help || options.argument_count == 0) {
        options_help();
        return options.help ? EXIT_SUCCESS : EXIT_USAGE;
    }
    const struct command *command = command_find(options.arguments[0]);
    unsigned given = options.argument_count - 1;
    if (!command || given < command->arguments_min || given > command->arguments_max) {
        fprintf(stderr, "ismsctl: %s '%s'; see ismsctl --help\n",
                command ? "wrong number of arguments for" : "there is no command", options.arguments[0]);
        return EXIT_USAGE;
    }
    struct session session = {.options = &options, .arena = &arena};
    int result = descriptors_new(&isms_descriptors_source, &descriptors, &err);
    session.descriptors = descriptors;
    if (result == 0)
        result = command->run(&session, &err);
    if (result < 0) {
        output_error(&err, options.json);
        return EXIT_REFUSED;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_REFUSED;
}
