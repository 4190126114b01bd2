/* contribution.c: what is asked of members, where it takes more than a statement: who may say that it is delivered
 * depends on the caller's permissions; a hand-over answers with numbers, which are kept for a repeated request. */
#include <string.h>

#include <isms/auth/principal.h>
#include <isms/base/uuid.h>
#include <isms/inputs/v1/contributions.pb-c.h>

#include "service.h"

/* Its assignee, or whoever manages contributions. */
static int may_deliver(const struct call *call, const Isms__Inputs__V1__Contribution *contribution, struct err *err)
{
    const struct principal *principal = call_principal(call);
    char caller[UUID_TEXT_SIZE];
    uuid_format(principal->id, caller);
    if (strcmp(contribution->assignee_id, caller) == 0)
        return 0;
    return principal_require(principal, PERMISSION_CONTRIBUTIONS_MANAGE, err);
}

int deliver_contribution(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                         struct err *err)
{
    const Isms__Inputs__V1__DeliverContributionRequest *deliver = (const void *)request;
    Isms__Inputs__V1__GetContributionRequest get = ISMS__INPUTS__V1__GET_CONTRIBUTION_REQUEST__INIT;
    Isms__Inputs__V1__Contribution contribution = ISMS__INPUTS__V1__CONTRIBUTION__INIT;
    get.id = deliver->id;
    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "GetContribution", &get.base, &contribution.base, err) < 0 ||
        may_deliver(call, &contribution, err) < 0)
        return -1;
    if (contribution.state != ISMS__INPUTS__V1__CONTRIBUTION_STATE__CONTRIBUTION_STATE_REQUESTED) {
        err_set(err, ERR_WRONG_STATE);
        err_fact(err, "state", "%s",
                 contribution.state == ISMS__INPUTS__V1__CONTRIBUTION_STATE__CONTRIBUTION_STATE_DELIVERED
                     ? "DELIVERED" : "WITHDRAWN");
        err_fact(err, "allowed", "REQUESTED");
        return -1;
    }
    return call_statement(call, "DeliverContribution", request, response, err);
}

int hand_over(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__HandOverResponse *handed = (const void *)response;
    /* A dry run writes nothing, and so takes nothing: neither the order of writes nor the request_id. */
    if (call_begin_write(call, err) < 0 || call_statement(call, "HandOver", request, response, err) < 0)
        return -1;
    call_log(call, "handed_over", "%d", (int)(handed->inputs + handed->parties + handed->contributions));
    return 0;
}
