/* intake.c: tokens for people outside, and what they submit.
 *
 * A token is an API key with the role INTAKE, bound to one form: the same look-up, revision check and revocation as any
 * key, in every service, and one permission. Its transactions have the scope "none", so that nothing but the form is
 * there for them to see. */
#include <isms/auth/api_key.h>
#include <isms/auth/principal.h>
#include <isms/inputs/v1/statements.pb-c.h>

#include "intake_answers.h"
#include "service.h"

int issue_intake_token(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__IssueIntakeTokenRequest *issue = (const void *)request;
    Isms__Inputs__V1__IssueIntakeTokenResponse *issued = (void *)response;
    Isms__Inputs__V1__NewIntakeToken new = ISMS__INPUTS__V1__NEW_INTAKE_TOKEN__INIT;
    struct arena *arena = call_arena(call);
    struct api_key key CLEANUP(api_key_clear) = api_key_make(call_principal(call)->tenant, call_new_id(call, 1));
    struct sha256 hash = api_key_hash(&key);
    char id[UUID_TEXT_SIZE];
    char *text = arena_alloc(arena, API_KEY_TEXT_SIZE);
    issued->token = ARENA_NEW(arena, Isms__Inputs__V1__IntakeToken);
    if (!text || !issued->token)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    isms__inputs__v1__intake_token__init(issued->token);
    uuid_format(key.id, id);
    api_key_format(&key, text);
    new.id = id;
    new.form_id = issue->form_id;
    new.name = issue->name;
    new.secret_sha256 = (ProtobufCBinaryData){.data = hash.bytes, .len = sizeof(hash.bytes)};
    new.expire_time = issue->expire_time;
    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "IssueIntakeToken", &new.base, &issued->token->base, err) < 0 ||
        call_commit(call, response, err) < 0)
        return -1;
    issued->intake_token = text; /* after the commit: the answer that is kept has no secret */
    return 0;
}

int submit_intake(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__SubmitIntakeRequest *submission = (const void *)request;
    Isms__Inputs__V1__IntakeStanding standing = ISMS__INPUTS__V1__INTAKE_STANDING__INIT;
    Isms__Inputs__V1__NewIntakeSubmission new;
    /* The order of writes first: two submissions at once cannot both find the last place. */
    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "IntakeStanding", request, &standing.base, err) < 0 ||
        intake_room_check(&standing, call_now_us(call), err) < 0 ||
        intake_answers_check(standing.form, submission, err) < 0 ||
        intake_compose(standing.form, submission, call_arena(call), &new, err) < 0)
        return -1;
    return call_statement(call, "SubmitIntake", &new.base, response, err);
}
