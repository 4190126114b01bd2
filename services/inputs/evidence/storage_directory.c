/* storage_directory.c: openat(), fsync(), rename().
 *
 * A file that is uploaded has a name of its own, and gets the final one by a rename when it was compared with its hash:
 * whatever has the final name is whole. Each step may be repeated after a crash at any point of it. */
#include "storage_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <isms/obs/log.h>

#define PART ".part"

enum { NAME_SIZE = UUID_TEXT_SIZE + sizeof(PART) };

struct directory {
    int root;
};

/* What is worked on: the organisation's folder, and the file's two names in it. */
struct place {
    int folder;
    char part[NAME_SIZE];
    char kept[UUID_TEXT_SIZE];
};

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void place_leave(struct place *place)
{
    close_fd(&place->folder);
}

static int failed(struct err *err, const char *step)
{
    LOG(ERROR, "the evidence directory failed", LOG_STR("step", step), LOG_STR("cause", strerror(errno)));
    return err_set(err, ERR_STORAGE_UNAVAILABLE);
}

/* The folder of an organisation that has files: rather a volume that is away than a loss. */
static int away(struct err *err)
{
    errno = ENOENT;
    return failed(err, "opening a folder");
}

static int gone(const struct place *place, struct err *err)
{
    LOG(ERROR, "an evidence file has fewer bytes than were acknowledged", LOG_STR("file", place->kept));
    return err_set(err, ERR_DATA_CORRUPT);
}

static int sync_fd(int fd, const char *step, struct err *err)
{
    return fsync(fd) == 0 ? 0 : failed(err, step);
}

/* 1: entered; 0: there is no such folder. */
static int place_enter(const struct directory *directory, struct directory_file file, bool make,
                       struct place *ret_place, struct err *err)
{
    char folder[UUID_TEXT_SIZE];
    uuid_format(file.folder, folder);
    uuid_format(file.id, ret_place->kept);
    snprintf(ret_place->part, sizeof(ret_place->part), "%s" PART, ret_place->kept);
    if (make && mkdirat(directory->root, folder, 0700) < 0 && errno != EEXIST)
        return failed(err, "making a folder");
    /* Whoever made it may not have come so far. */
    if (make && sync_fd(directory->root, "syncing the directory", err) < 0)
        return -1;
    ret_place->folder = openat(directory->root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (ret_place->folder >= 0)
        return 1;
    return errno == ENOENT ? 0 : failed(err, "opening a folder");
}

int directory_open(const char *path, struct directory **ret_directory, struct err *err)
{
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || faccessat(root, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        err_setf(err, ERR_STORAGE_UNAVAILABLE, "evidence_directory %s: %s", path, strerror(errno));
        close_fd(&root);
        return -1;
    }
    struct directory *directory = calloc(1, sizeof(*directory));
    if (!directory) {
        close(root);
        return err_setf(err, ERR_INTERNAL, "out of memory");
    }
    directory->root = root;
    *ret_directory = directory;
    return 0;
}

void directory_close(struct directory *directory)
{
    if (directory)
        close(directory->root);
    free(directory);
}

static int bytes_write(int fd, int64_t offset, struct slice bytes, struct err *err)
{
    while (bytes.length > 0) {
        ssize_t count = pwrite(fd, bytes.data, bytes.length, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(err, "writing");
        bytes.data += count;
        bytes.length -= (size_t)count;
        offset += count;
    }
    return sync_fd(fd, "syncing a file", err);
}

int directory_write(const struct directory *directory, struct directory_file file, int64_t offset,
                    struct slice bytes, struct err *err)
{
    struct place place CLEANUP(place_leave) = {.folder = -1};
    bool first = offset == 0;
    int entered = place_enter(directory, file, first, &place, err);
    if (entered <= 0)
        return entered < 0 ? -1 : away(err);
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (first ? O_CREAT : 0);
    int fd CLEANUP(close_fd) = openat(place.folder, place.part, flags, 0600);
    if (fd < 0)
        return errno == ENOENT ? gone(&place, err) : failed(err, "opening a file");
    if (bytes_write(fd, offset, bytes, err) < 0)
        return -1;
    return first ? sync_fd(place.folder, "syncing a folder", err) : 0;
}

int directory_read(const struct directory *directory, struct directory_file file, int64_t offset, char *ret_bytes,
                   size_t length, struct err *err)
{
    struct place place CLEANUP(place_leave) = {.folder = -1};
    int entered = place_enter(directory, file, false, &place, err);
    if (entered <= 0)
        return entered < 0 ? -1 : away(err);
    int fd CLEANUP(close_fd) = openat(place.folder, place.kept, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        fd = openat(place.folder, place.part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? gone(&place, err) : failed(err, "opening a file");
    while (length > 0) {
        ssize_t count = pread(fd, ret_bytes, length, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(err, "reading");
        if (count == 0)
            return gone(&place, err);
        ret_bytes += count;
        length -= (size_t)count;
        offset += count;
    }
    return 0;
}

int directory_keep(const struct directory *directory, struct directory_file file, struct err *err)
{
    struct place place CLEANUP(place_leave) = {.folder = -1};
    int entered = place_enter(directory, file, false, &place, err);
    if (entered <= 0)
        return entered < 0 ? -1 : away(err);
    if (fchmodat(place.folder, place.part, 0400, 0) < 0 && errno != ENOENT)
        return failed(err, "protecting a file");
    if (renameat(place.folder, place.part, place.folder, place.kept) < 0) {
        if (errno != ENOENT)
            return failed(err, "naming a file");
        if (faccessat(place.folder, place.kept, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            return gone(&place, err);
    }
    return sync_fd(place.folder, "syncing a folder", err);
}

int directory_remove(const struct directory *directory, struct directory_file file, struct err *err)
{
    struct place place CLEANUP(place_leave) = {.folder = -1};
    int entered = place_enter(directory, file, false, &place, err);
    if (entered <= 0)
        return entered; /* nothing was ever written */
    if ((unlinkat(place.folder, place.part, 0) < 0 && errno != ENOENT) ||
        (unlinkat(place.folder, place.kept, 0) < 0 && errno != ENOENT))
        return failed(err, "removing a file");
    return sync_fd(place.folder, "syncing a folder", err);
}
