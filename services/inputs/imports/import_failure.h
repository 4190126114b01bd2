/* import_failure.h: what becomes of an import whose work has failed.
 *
 * Plain code: what is counted, and since when, is in the database (NoteImportFailure.sql). */
#ifndef ISMS_INPUTS_IMPORT_FAILURE_H
#define ISMS_INPUTS_IMPORT_FAILURE_H

#include <isms/base/err.h>

/* In a row, without a row more that was read, checked or stored. With what lies between them, eight minutes. */
enum { IMPORT_FAILURES_MAX = 10, IMPORT_FAILURE_TEXT_SIZE = 200 };

enum import_failure {
    IMPORT_HELD_UP,         /* by what is not about the import, and passes: tried again for as long as it takes */
    IMPORT_OVERTAKEN,       /* cancelled, or another replica has done it: nothing is left to be done here */
    IMPORT_FAILED,          /* tried again, but not for ever */
    IMPORT_FAILED_FOR_GOOD, /* would be the same the next time */
};

enum import_failure import_failure_of(enum err_reason reason);

/* What is told to who looks at the import: why it ended, and what to do. `failures`: how many in a row. */
void import_failure_text(enum err_reason reason, int failures, char ret_text[static IMPORT_FAILURE_TEXT_SIZE]);

#endif
