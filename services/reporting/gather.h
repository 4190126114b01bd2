/* gather.h: fetches what a report is made of from the services that own it. */
#ifndef ISMS_REPORTING_GATHER_H
#define ISMS_REPORTING_GATHER_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/rpc/call.h>

#include "report.h"

/* Everything in full and consistent, or an error; in call_arena(). */
int report_gather(struct call *call, const char *review_id, struct report_facts *ret_facts,
                  struct err *err) MUST_CHECK;

#endif
