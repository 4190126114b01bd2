/* command_org.c: `ismsctl org VERB` and `ismsctl member erase`: the life of an organisation, and of what it knows of
 * its people. `org export` has a file of its own. */

#include <string.h>

#include <jansson.h>

#include "ctl.h"

static const struct verb {
    const char *command;
    const char *name;
    const char *method;
    bool takes_id;
} verbs[] = {
    {"org", "create", "CreateOrganisation", false},  {"org", "show", "GetOrganisation", false},
    {"org", "list", "ListOrganisations", false},     {"org", "suspend", "SuspendOrganisation", true},
    {"org", "resume", "ResumeOrganisation", true},   {"org", "erase", "EraseOrganisation", true},
    {"member", "erase", "EraseMember", true},
};

static const struct verb *verb_find(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(options->arguments[0], verbs[i].command) == 0 && strcmp(options->arguments[1], verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

static int request_text(const struct session *session, json_t *request, struct slice *ret_text, struct err *err)
{
    size_t length = json_dumpb(request, NULL, 0, 0);
    char *text = arena_alloc(session->arena, length + 1);

    if (!text)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    json_dumpb(request, text, length, 0);
    *ret_text = (struct slice){text, length};
    return 0;
}

static int create_request(const struct session *session, struct slice *ret_text, struct err *err)
{
    const struct options *options = session->options;

    if (!options->name || !options->administrator)
        return err_setf(err, ERR_FIELD_INVALID, "org create takes --name NAME and --administrator NAME.");
    CLEANUP(json_decrefp) json_t *request = json_pack(
        "{s:{s:s, s:s}, s:{s:s, s:[s]}}", "organisation", "name", options->name, "time_zone",
        options->time_zone ? options->time_zone : "UTC", "administrator", "name", options->administrator, "roles",
        "ROLE_TENANT_ADMIN");
    return request_text(session, request, ret_text, err);
}

/* What cannot be undone is asked for twice: by id and, as --name, by name. */
static int id_request(const struct session *session, const struct verb *verb, struct slice *ret_text, struct err *err)
{
    const struct options *options = session->options;
    bool takes_name = strcmp(verb->method, "EraseOrganisation") == 0;

    if (takes_name && !options->name)
        return err_setf(err, ERR_FIELD_INVALID, "org erase takes --name NAME, the organisation's, to be sure.");
    CLEANUP(json_decrefp) json_t *request = json_pack("{s:s}", "id", options->arguments[2]);
    if (takes_name)
        json_object_set_new(request, "name", json_string(options->name));
    return request_text(session, request, ret_text, err);
}

int command_org(const struct session *session, struct err *err)
{
    const struct options *options = session->options;
    const struct verb *verb = verb_find(options);
    struct slice request = slice_of("{}");
    const struct method *method;
    struct slice response;

    if (strcmp(options->arguments[0], "org") == 0 && strcmp(options->arguments[1], "export") == 0)
        return command_export(session, err);
    if (!verb || options->argument_count != (verb->takes_id ? 3 : 2))
        return err_setf(err, ERR_FIELD_INVALID,
                        "These there are: org create, show, list, suspend ID, resume ID, erase ID, export FILE; "
                        "member erase ID.");
    if (strcmp(verb->method, "CreateOrganisation") == 0 && create_request(session, &request, err) < 0)
        return -1;
    if (verb->takes_id && id_request(session, verb, &request, err) < 0)
        return -1;
    if (session_method(session, verb->method, &method, err) < 0 ||
        session_call(session, method, request, &response, err) < 0)
        return -1;
    return output_print(response, options->json, err);
}
