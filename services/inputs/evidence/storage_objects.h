/* storage_objects.h: evidence files as large objects of PostgreSQL; see storage.h for what each function promises.
 *
 * They are reached by functions of the database's owner only, which look for the file's row under the tenant:
 * 005_evidence.sql. What is written and removed is so with the transaction that the call has open. */
#ifndef ISMS_INPUTS_STORAGE_OBJECTS_H
#define ISMS_INPUTS_STORAGE_OBJECTS_H

#include "storage.h"

int object_write(struct call *call, const struct stored_file *file, int64_t offset, struct slice bytes,
                 struct err *err) MUST_CHECK;
int object_read(struct call *call, const struct stored_file *file, int64_t offset, size_t length,
                struct slice *ret_bytes, struct err *err) MUST_CHECK;
int object_remove(struct call *call, const struct stored_file *file, struct err *err) MUST_CHECK;

#endif
