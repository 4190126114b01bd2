/* requests.c: see requests.h. Answers are looked at as bytes, since unpacking them would be most of what this
 * program does, on cores that it shares with what it measures. */
#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>

#include <grpc/health/v1/health.pb-c.h>
#include <isms/actions/v1/actions.pb-c.h>

enum { IDS_MAX = 1000 * 1000, UUID_LENGTH = UUID_TEXT_SIZE - 1 };

const char *request_kind_name(enum request_kind kind)
{
    static const char *const names[REQUEST_KINDS] = {"get", "list", "create", "echo"};
    return names[kind];
}

const char *request_path(enum request_kind kind)
{
    static const char *const paths[REQUEST_KINDS] = {
        "/isms.actions.v1.ActionService/GetAction", "/isms.actions.v1.ActionService/ListActions",
        "/isms.actions.v1.ActionService/CreateAction", "/grpc.health.v1.Health/Check"};
    return paths[kind];
}

static void file_closep(FILE **file)
{
    if (*file)
        fclose(*file);
}

int requests_read(const char *path, const char *owner, struct requests *ret_requests)
{
    CLEANUP(file_closep) FILE *file = fopen(path, "re");
    struct requests requests = {.owner = owner, .ids = calloc(IDS_MAX, sizeof(*requests.ids))};
    char line[UUID_TEXT_SIZE + 1];
    struct uuid uuid;

    if (!file || !requests.ids) {
        perror(path);
        free(requests.ids);
        return -1;
    }
    while (requests.id_count < IDS_MAX && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (uuid_parse(line, &uuid))
            uuid_format(uuid, requests.ids[requests.id_count++]);
    }
    if (requests.id_count == 0) {
        fprintf(stderr, "%s holds no ids\n", path);
        free(requests.ids);
        return -1;
    }
    *ret_requests = requests;
    return 0;
}

static size_t create_pack(const struct requests *requests, uint64_t random, uint8_t *bytes)
{
    Isms__Actions__V1__Action action = ISMS__ACTIONS__V1__ACTION__INIT;
    Isms__Actions__V1__CreateActionRequest request = ISMS__ACTIONS__V1__CREATE_ACTION_REQUEST__INIT;
    char id[UUID_TEXT_SIZE];
    char due[sizeof("2030-01-01")];

    uuid_format(uuid_v7(), id);
    snprintf(due, sizeof(due), "2030-%02u-%02u", (unsigned)(random % 12) + 1, (unsigned)(random / 12 % 28) + 1);
    action.title = (char *)"Restore test of the backups";
    action.description = (char *)"Restore last month's backup on a spare machine and compare.";
    action.owner_id = (char *)(uintptr_t)requests->owner;
    action.due_date = due;
    request.action = &action;
    request.request_id = id;
    return isms__actions__v1__create_action_request__pack(&request, bytes);
}

size_t request_pack(const struct requests *requests, enum request_kind kind, uint64_t random,
                    uint8_t bytes[static REQUEST_SIZE_MAX])
{
    Isms__Actions__V1__GetActionRequest get = ISMS__ACTIONS__V1__GET_ACTION_REQUEST__INIT;
    Isms__Actions__V1__ListActionsRequest list = ISMS__ACTIONS__V1__LIST_ACTIONS_REQUEST__INIT;

    switch (kind) {
    case REQUEST_GET:
        get.id = requests->ids[random % requests->id_count];
        return isms__actions__v1__get_action_request__pack(&get, bytes);
    case REQUEST_LIST:
        list.page_size = REQUEST_PAGE;
        return isms__actions__v1__list_actions_request__pack(&list, bytes);
    case REQUEST_CREATE:
        return create_pack(requests, random, bytes);
    case REQUEST_ECHO:
    case REQUEST_KINDS:
        break;
    }
    return 0; /* an empty HealthCheckRequest */
}

/* How many times field 1, a message, stands at the beginning of the message. */
static unsigned items_count(const uint8_t *bytes, size_t length)
{
    unsigned count = 0;
    size_t at = 0;
    while (at < length && bytes[at] == (1 << 3 | 2)) {
        size_t item = 0;
        unsigned shift = 0;
        do {
            if (++at >= length || shift > 28)
                return 0;
            item |= (size_t)(bytes[at] & 0x7f) << shift;
            shift += 7;
        } while (bytes[at] & 0x80);
        at += 1 + item;
        count++;
    }
    return count;
}

bool answer_is_right(const struct requests *requests, enum request_kind kind, uint64_t random,
                     const uint8_t *bytes, size_t length)
{
    bool has_id = length > 2 + UUID_LENGTH && bytes[0] == (1 << 3 | 2) && bytes[1] == UUID_LENGTH;
    switch (kind) {
    case REQUEST_GET:
        return has_id && memcmp(bytes + 2, requests->ids[random % requests->id_count], UUID_LENGTH) == 0;
    case REQUEST_LIST:
        return items_count(bytes, length) == REQUEST_PAGE;
    case REQUEST_CREATE:
        return has_id;
    case REQUEST_ECHO:
        return length == 2 && bytes[0] == 1 << 3 &&
               bytes[1] == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    case REQUEST_KINDS:
        break;
    }
    BUG_IF(true);
    return false;
}
