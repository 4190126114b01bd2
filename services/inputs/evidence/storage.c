/* storage.c: to the back end that has the file. */
#include "storage.h"

#include <string.h>

#include <isms/obs/log.h>

#include "storage_objects.h"

static bool in_directory(const struct stored_file *file)
{
    return strcmp(file->back_end, "filesystem") == 0;
}

/* The directory that has the file; NULL with *err filled where none was set. */
static const struct directory *directory_of(const struct storage *storage, struct err *err)
{
    if (!storage->directory) {
        LOG(ERROR, "evidence files are in a directory, but evidence_directory is not set");
        err_set(err, ERR_STORAGE_UNAVAILABLE);
    }
    return storage->directory;
}

static struct directory_file name_of(const struct stored_file *file)
{
    return (struct directory_file){.folder = file->tenant, .id = file->id};
}

int storage_write(const struct storage *storage, struct call *call, const struct stored_file *file, int64_t offset,
                  struct slice bytes, struct err *err)
{
    if (!in_directory(file))
        return object_write(call, file, offset, bytes, err);
    const struct directory *directory = directory_of(storage, err);
    return directory ? directory_write(directory, name_of(file), offset, bytes, err) : -1;
}

int storage_read(const struct storage *storage, struct call *call, const struct stored_file *file, int64_t offset,
                 size_t length, struct slice *ret_bytes, struct err *err)
{
    if (!in_directory(file))
        return object_read(call, file, offset, length, ret_bytes, err);
    const struct directory *directory = directory_of(storage, err);
    if (!directory)
        return -1;
    char *buffer = arena_alloc(call_arena(call), length);
    if (!buffer)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (directory_read(directory, name_of(file), offset, buffer, length, err) < 0)
        return -1;
    *ret_bytes = (struct slice){.data = buffer, .length = length};
    return 0;
}

int storage_keep(const struct storage *storage, const struct stored_file *file, struct err *err)
{
    if (!in_directory(file))
        return 0; /* its row says so, and the database refuses further writes */
    const struct directory *directory = directory_of(storage, err);
    return directory ? directory_keep(directory, name_of(file), err) : -1;
}

int storage_remove(const struct storage *storage, struct call *call, const struct stored_file *file, struct err *err)
{
    if (!in_directory(file))
        return object_remove(call, file, err);
    const struct directory *directory = directory_of(storage, err);
    return directory ? directory_remove(directory, name_of(file), err) : -1;
}
