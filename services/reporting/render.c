/* render.c: RenderReport. Gather, build the tree, walk it. */
#include <string.h>

#include <isms/reporting/v1/reporting.pb-c.h>

#include "gather.h"
#include "html.h"
#include "json.h"
#include "service.h"

enum { REPORT_MAX = 32 * 1024 * 1024 };

int report_render(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                  struct err *err)
{
    const Isms__Reporting__V1__RenderReportRequest *render = (const void *)request;
    Isms__Reporting__V1__RenderReportResponse *rendered = (void *)response;
    bool json = render->format == ISMS__REPORTING__V1__REPORT_FORMAT__REPORT_FORMAT_JSON;
    struct arena *arena = call_arena(call);
    struct report_facts facts;
    struct document document;
    struct buf content;
    if (report_gather(call, render->review_id, &facts, err) < 0)
        return -1;
    document_init(&document, arena, "Management review report");
    report_build(&facts, &document);
    buf_init_arena(&content, arena, REPORT_MAX);
    if (json)
        json_render(&document, &content);
    else
        html_render(&document, &content);
    char *sha256 = arena_alloc(arena, SHA256_HEX_SIZE);
    rendered->file_name = arena_printf(arena, "%s.%s", facts.review->number, json ? "json" : "html");
    if (content.failed || arena_exhausted(arena))
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The report needs more memory than a call may use.");
    struct sha256 hash = sha256_of(content.data, content.length);
    hex_encode(&hash, sizeof(hash), sha256);
    rendered->media_type = json ? "application/json" : "text/html; charset=utf-8";
    rendered->content = (ProtobufCBinaryData){.data = (uint8_t *)content.data, .len = content.length};
    rendered->sha256 = sha256;
    return 0;
}
