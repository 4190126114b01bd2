/* storage.h: where the bytes of evidence files are.
 *
 * Two back ends, one interface. "postgresql" keeps a large object for each file (storage_objects.c), in the transaction
 * that the caller has open; "filesystem" a file in a folder (storage_directory.h), beside it. Each file's row names
 * the one that has it, so that the setting evidence_storage counts for new files only, and files of both kinds
 * are served as long as evidence_directory is set.
 *
 * What the row says is the database's to decide, under its lock, before anything is done here: that a chunk goes where
 * the last one ended, that a file is still being uploaded, whose it is. So that a crash between the two does no harm, a
 * write may be repeated (it is the same bytes at the same place), and so may keep and remove.
 *
 * Failures: STORAGE_UNAVAILABLE (the disk is full, a volume is away), DATA_CORRUPT where less is there than was
 * acknowledged. Any thread. */
#ifndef ISMS_INPUTS_STORAGE_H
#define ISMS_INPUTS_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/base/uuid.h>
#include <isms/rpc/call.h>

#include "storage_directory.h"

struct storage {
    const char *preferred;       /* the back end of new files, by its name */
    struct directory *directory; /* of the back end "filesystem"; NULL: there is none */
};

/* One file; `back_end` out of its row. */
struct stored_file {
    const char *back_end;
    struct uuid tenant;
    struct uuid id;
};

/* Returns when the bytes are as durable as the open writing transaction will be. */
int storage_write(const struct storage *storage, struct call *call, const struct stored_file *file, int64_t offset,
                  struct slice bytes, struct err *err) MUST_CHECK;

/* Exactly `length` bytes, in call_arena(). Needs an open transaction. */
int storage_read(const struct storage *storage, struct call *call, const struct stored_file *file, int64_t offset,
                 size_t length, struct slice *ret_bytes, struct err *err) MUST_CHECK;

/* Nothing more will be written. */
int storage_keep(const struct storage *storage, const struct stored_file *file, struct err *err) MUST_CHECK;

/* Forgets the file, whether or not anything of it is there. In the writing transaction that has made it REMOVED. */
int storage_remove(const struct storage *storage, struct call *call, const struct stored_file *file,
                   struct err *err) MUST_CHECK;

#endif
