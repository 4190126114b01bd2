/* command_org.c: `ismsctl org create|show|list`. */

#include <string.h>

#include <jansson.h>

#include "ctl.h"

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

int command_org(const struct session *session, struct err *err)
{
    const char *verb = session->options->arguments[1];
    const char *name = strcmp(verb, "create") == 0 ? "CreateOrganisation"
                       : strcmp(verb, "show") == 0 ? "GetOrganisation"
                       : strcmp(verb, "list") == 0 ? "ListOrganisations"
                                                   : NULL;
    struct slice request = slice_of("{}");
    const struct method *method;
    struct slice response;

    if (!name)
        return err_setf(err, ERR_FIELD_INVALID, "org takes create, show or list.");
    if (strcmp(verb, "create") == 0 && create_request(session, &request, err) < 0)
        return -1;
    if (session_method(session, name, &method, err) < 0 || session_call(session, method, request, &response, err) < 0)
        return -1;
    return output_print(response, session->options->json, err);
}
