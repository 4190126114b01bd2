/* export_files.h: the bytes of an export's evidence files, into a folder beside it.
 *
 * Which files there are is noted while their rows pass by, and then they are fetched one after the other: in memory are
 * 56 bytes a file, and of its content one message. A folder that is not whole is taken away again by
 * export_files_release(). One thread. */
#ifndef ISMS_CTL_EXPORT_FILES_H
#define ISMS_CTL_EXPORT_FILES_H

#include <stdint.h>

#include "ctl.h"

struct export_files {
    const struct session *session;
    const char *folder; /* for good once export_files_keep() said so */
    struct buf wanted;  /* of struct wanted_file */
    size_t written;     /* of the wanted ones, the first: those that lie in the folder, whole or not */
    int64_t count;      /* whole */
    int64_t bytes;
    int64_t gone; /* deleted since the point in time that the export is of */
};

/* What is told of each file: with its hash as hexadecimal digits, or (`hash` NULL) that it had gone. */
typedef int export_files_tell(void *context, const char *id, int64_t size, const char *hash, struct err *err);

/* Makes the folder, which must not be there yet, for nobody else to read. */
int export_files_init(struct export_files *files, const struct session *session, const char *folder,
                      struct err *err) MUST_CHECK;

/* Takes notice of a row of inputs.evidence_file. */
int export_files_note(struct export_files *files, const char *row, struct err *err) MUST_CHECK;

/* Fetches those that the rows call STORED, and compares each with its row. */
int export_files_fetch(struct export_files *files, export_files_tell *tell, void *context, struct err *err) MUST_CHECK;

/* The folder stays, unless it is empty. */
void export_files_keep(struct export_files *files);

/* Takes the folder away, unless it is to stay. Fits CLEANUP(); accepts a zeroed one. */
void export_files_release(struct export_files *files);

#endif
