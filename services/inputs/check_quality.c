/* check_quality.c: CheckQuality and GetQualityFigures. The looking is one statement, in a transaction of its own; each
 * page looks anew, since what is wrong is what the person who reads the list is mending. */
#include <isms/auth/principal.h>
#include <isms/base/uuid.h>

#include "quality.h"
#include "service.h"
#include "trends.h"

int check_quality(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__CheckQualityRequest *request = (const Isms__Inputs__V1__CheckQualityRequest *)message;
    Isms__Inputs__V1__CheckQualityResponse *list = (Isms__Inputs__V1__CheckQualityResponse *)response;
    Isms__Inputs__V1__QualityQuestion question = ISMS__INPUTS__V1__QUALITY_QUESTION__INIT;
    char caller[UUID_TEXT_SIZE];
    uuid_format(call_principal(call)->id, caller);
    question.page_size = request->page_size;
    question.page_token = request->page_token;
    question.period = request->period;
    question.agenda_item = request->agenda_item;
    question.owner_id = request->mine ? caller : request->owner_id;
    if (period_check(request->period, err) < 0 ||
        quality_choose(request->check, request->severity, call_arena(call), &question, err) < 0 ||
        call_begin_read(call, err) < 0 || call_statement(call, "QualityIssues", &question.base, response, err) < 0)
        return -1;
    for (size_t i = 0; i < list->n_issues; i++)
        if (quality_explain(call_arena(call), list->issues[i], err) < 0)
            return -1;
    return 0;
}

int get_quality_figures(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                        struct err *err)
{
    const Isms__Inputs__V1__GetQualityFiguresRequest *request =
        (const Isms__Inputs__V1__GetQualityFiguresRequest *)message;
    Isms__Inputs__V1__QualityQuestion question = ISMS__INPUTS__V1__QUALITY_QUESTION__INIT;
    question.period = request->period;
    if (period_check(request->period, err) < 0 ||
        quality_choose(ISMS__INPUTS__V1__QUALITY_CHECK__QUALITY_CHECK_UNSPECIFIED,
                       ISMS__INPUTS__V1__QUALITY_SEVERITY__QUALITY_SEVERITY_UNSPECIFIED, call_arena(call), &question,
                       err) < 0 ||
        call_begin_read(call, err) < 0)
        return -1;
    return call_statement(call, "QualityFigures", &question.base, response, err);
}
