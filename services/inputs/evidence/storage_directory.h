/* storage_directory.h: evidence files in a folder of the file system.
 *
 *   <directory>/<organisation's id>/<file's id>.part    while it is uploaded
 *   <directory>/<organisation's id>/<file's id>         once it is kept, readable only
 *
 * Names are made of ids alone, and no symbolic link is followed below the directory. A write returns when it is on the
 * disk, folders included. Several replicas need the same volume, with POSIX rename and fsync (NFS will do).
 *
 * Failures are logged with their cause, and told without it: STORAGE_UNAVAILABLE, or DATA_CORRUPT where a file that
 * must be there is not, or is shorter. Any thread; one writer a file at a time. */
#ifndef ISMS_INPUTS_STORAGE_DIRECTORY_H
#define ISMS_INPUTS_STORAGE_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/base/uuid.h>

struct directory;

struct directory_file {
    struct uuid folder;
    struct uuid id;
};

/* The directory must be there, and this process must be able to write to it; the message says what is wrong. */
int directory_open(const char *path, struct directory **ret_directory, struct err *err) MUST_CHECK;
void directory_close(struct directory *directory); /* accepts NULL */

/* Offset 0 makes the file, and its folder where there is none. */
int directory_write(const struct directory *directory, struct directory_file file, int64_t offset,
                    struct slice bytes, struct err *err) MUST_CHECK;

/* Exactly `length` bytes, of the file as it is kept or, before, as it is uploaded. */
int directory_read(const struct directory *directory, struct directory_file file, int64_t offset, char *ret_bytes,
                   size_t length, struct err *err) MUST_CHECK;

/* Gives the file its name. Kept before: done. */
int directory_keep(const struct directory *directory, struct directory_file file, struct err *err) MUST_CHECK;

/* Takes away what there is of it, kept or not. */
int directory_remove(const struct directory *directory, struct directory_file file, struct err *err) MUST_CHECK;

#endif
