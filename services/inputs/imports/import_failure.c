/* import_failure.c: reasons told apart: a database that is away for long must not end an import, and what the service
 * cannot do must not be tried for ever. */
#include "import_failure.h"

#include <stdio.h>

enum import_failure import_failure_of(enum err_reason reason)
{
    switch (reason) {
    case ERR_WRONG_STATE:
        return IMPORT_OVERTAKEN;
    case ERR_CREDENTIAL_INVALID:
    case ERR_MESSAGE_TOO_LARGE:
        return IMPORT_FAILED_FOR_GOOD;
    case ERR_DATABASE_UNAVAILABLE:
    case ERR_OUTCOME_UNKNOWN: /* the connection broke: what was committed is found out by looking */
    case ERR_CONFLICT:        /* somebody else was at the same rows: another replica, say, that lost its lease */
    case ERR_OVERLOADED:      /* no memory here; no room, or no connection, in the database */
    case ERR_SHUTTING_DOWN:
        return IMPORT_HELD_UP;
    default:
        return IMPORT_FAILED;
    }
}

void import_failure_text(enum err_reason reason, int failures, char ret_text[static IMPORT_FAILURE_TEXT_SIZE])
{
    switch (reason) {
    case ERR_CREDENTIAL_INVALID:
        snprintf(ret_text, IMPORT_FAILURE_TEXT_SIZE,
                 "who started the import may not act any more: have somebody import the file who may");
        break;
    case ERR_MESSAGE_TOO_LARGE:
        snprintf(ret_text, IMPORT_FAILURE_TEXT_SIZE,
                 "the file needs more memory than an import may use: import it in parts");
        break;
    default:
        snprintf(ret_text, IMPORT_FAILURE_TEXT_SIZE,
                 "the service failed at it %d times in a row (%s): import the file again; where that fails too, "
                 "tell the operators the import's id", failures, err_reason_name(reason));
    }
}
