/* The folder of evidence files: what a system call that fails at any point leaves, and that a repeat mends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_directory.h"

/* --- calls that fail --------------------------------------------------------------------------------------- */

static unsigned calls;   /* so far, of all that are wrapped */
static unsigned fail_at; /* the call that fails; 0: none */
static int fail_with = EIO;

static bool fails(void)
{
    errno = fail_with;
    return ++calls == fail_at;
}

ssize_t __real_pwrite(int fd, const void *data, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t offset)
{
    if (!fails())
        return __real_pwrite(fd, data, length > 700 ? 700 : length, offset); /* short ones are none */
    if (length > 1 && __real_pwrite(fd, data, length / 2, offset) < 0) /* half of it got through */
        return -1;
    errno = fail_with;
    return -1;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : __real_openat(fd, path, flags, mode);
}

int __real_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode)
{
    return fails() ? -1 : __real_mkdirat(fd, path, mode);
}

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    return fails() ? -1 : __real_renameat(from, old, to, new);
}

int __real_fchmodat(int fd, const char *path, mode_t mode, int flags);
int __wrap_fchmodat(int fd, const char *path, mode_t mode, int flags);
int __wrap_fchmodat(int fd, const char *path, mode_t mode, int flags)
{
    return fails() ? -1 : __real_fchmodat(fd, path, mode, flags);
}

/* --- a folder of its own for each test --------------------------------------------------------------------- */

enum { CONTENT = 2000, HALF = 900 };

struct world {
    char path[64];
    char content[CONTENT];
    struct directory *directory;
    struct directory_file file;
};

static int world_begin(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct err err;
    snprintf(world->path, sizeof(world->path), "/tmp/isms-storage.XXXXXX");
    assert_non_null(mkdtemp(world->path));
    for (size_t i = 0; i < CONTENT; i++)
        world->content[i] = (char)(i * 7 % 251);
    assert_int_equal(directory_open(world->path, &world->directory, &err), 0);
    world->file = (struct directory_file){.folder = uuid_v7(), .id = uuid_v7()};
    calls = fail_at = 0;
    fail_with = EIO;
    *state = world;
    return 0;
}

static int world_end(void **state)
{
    struct world *world = *state;
    char command[128];
    fail_at = 0;
    directory_close(world->directory);
    snprintf(command, sizeof(command), "rm -rf %s", world->path);
    int result = system(command);
    free(world);
    return result;
}

static int part_write(const struct world *world, int64_t offset, size_t length, struct err *err)
{
    struct slice bytes = {.data = world->content + offset, .length = length};
    return directory_write(world->directory, world->file, offset, bytes, err);
}

static int upload(const struct world *world, struct err *err)
{
    return part_write(world, 0, HALF, err) < 0 ? -1 : part_write(world, HALF, CONTENT - HALF, err);
}

static void assert_whole(const struct world *world)
{
    char read[CONTENT];
    struct err err;
    assert_int_equal(directory_read(world->directory, world->file, 0, read, CONTENT, &err), 0);
    assert_memory_equal(read, world->content, CONTENT);
}

static bool is_there(const struct world *world, const char *suffix)
{
    char folder[UUID_TEXT_SIZE];
    char id[UUID_TEXT_SIZE];
    char path[256];
    uuid_format(world->file.folder, folder);
    uuid_format(world->file.id, id);
    snprintf(path, sizeof(path), "%s/%s/%s%s", world->path, folder, id, suffix);
    return access(path, F_OK) == 0;
}

/* --- the tests --------------------------------------------------------------------------------------------- */

static void what_is_written_is_read(void **state)
{
    struct world *world = *state;
    struct err err;
    char read[10];
    assert_int_equal(upload(world, &err), 0);
    assert_whole(world);
    assert_true(is_there(world, ".part") && !is_there(world, ""));
    assert_int_equal(directory_keep(world->directory, world->file, &err), 0);
    assert_whole(world);
    assert_true(is_there(world, "") && !is_there(world, ".part"));
    assert_int_equal(directory_read(world->directory, world->file, HALF - 5, read, sizeof(read), &err), 0);
    assert_memory_equal(read, world->content + HALF - 5, sizeof(read));
}

/* Each call of an upload fails once; the client repeats the chunk, as it would. */
static void a_write_that_failed_is_mended_by_its_repeat(void **state)
{
    struct world *world = *state;
    for (fail_at = 1;; fail_at++) {
        struct err err;
        calls = 0;
        world->file.id = uuid_v7();
        world->file.folder = uuid_v7();
        int failed = upload(world, &err);
        if (failed == 0)
            break;
        assert_int_equal(err.reason, ERR_STORAGE_UNAVAILABLE);
        assert_int_equal(upload(world, &err), 0);
        assert_whole(world);
        assert_int_equal(directory_keep(world->directory, world->file, &err), 0);
        assert_whole(world);
    }
    assert_true(fail_at > 8);
}

static void a_full_disk_is_told_without_paths(void **state)
{
    struct world *world = *state;
    struct err err;
    fail_with = ENOSPC;
    fail_at = 6; /* the second of the short writes */
    assert_int_equal(upload(world, &err), -1);
    assert_int_equal(err.reason, ERR_STORAGE_UNAVAILABLE);
    assert_null(strstr(err.message, world->path));
    assert_int_equal(upload(world, &err), 0);
    assert_whole(world);
}

static void keeping_that_failed_is_mended_by_its_repeat(void **state)
{
    struct world *world = *state;
    for (unsigned nth = 1;; nth++) {
        struct err err;
        fail_at = 0;
        world->file.id = uuid_v7();
        assert_int_equal(upload(world, &err), 0);
        calls = 0;
        fail_at = nth;
        int failed = directory_keep(world->directory, world->file, &err);
        fail_at = 0;
        assert_whole(world);
        if (failed == 0) {
            assert_true(nth > 3);
            break;
        }
        assert_int_equal(err.reason, ERR_STORAGE_UNAVAILABLE);
        assert_int_equal(directory_keep(world->directory, world->file, &err), 0);
        assert_int_equal(directory_keep(world->directory, world->file, &err), 0);
        assert_whole(world);
    }
}

static void what_is_missing_is_a_loss(void **state)
{
    struct world *world = *state;
    struct err err;
    char read[CONTENT + 1];
    assert_int_equal(upload(world, &err), 0);
    assert_int_equal(directory_read(world->directory, world->file, 0, read, CONTENT + 1, &err), -1);
    assert_int_equal(err.reason, ERR_DATA_CORRUPT);
    assert_int_equal(directory_remove(world->directory, world->file, &err), 0);
    assert_int_equal(directory_read(world->directory, world->file, 0, read, 1, &err), -1);
    assert_int_equal(err.reason, ERR_DATA_CORRUPT);
    assert_int_equal(part_write(world, HALF, 1, &err), -1); /* its beginning is gone */
    assert_int_equal(err.reason, ERR_DATA_CORRUPT);
    world->file.folder = uuid_v7(); /* a volume that is away */
    assert_int_equal(directory_read(world->directory, world->file, 0, read, 1, &err), -1);
    assert_int_equal(err.reason, ERR_STORAGE_UNAVAILABLE);
}

static void removing_takes_both_names_and_minds_neither(void **state)
{
    struct world *world = *state;
    struct err err;
    assert_int_equal(directory_remove(world->directory, world->file, &err), 0);
    assert_int_equal(upload(world, &err), 0);
    assert_int_equal(directory_keep(world->directory, world->file, &err), 0);
    assert_int_equal(upload(world, &err), 0);
    assert_true(is_there(world, "") && is_there(world, ".part"));
    assert_int_equal(directory_remove(world->directory, world->file, &err), 0);
    assert_false(is_there(world, "") || is_there(world, ".part"));
    assert_int_equal(directory_remove(world->directory, world->file, &err), 0);
}

static void no_symbolic_link_is_followed(void **state)
{
    struct world *world = *state;
    struct err err;
    char folder[UUID_TEXT_SIZE];
    char path[128];
    char elsewhere[128];
    char read[1];
    assert_int_equal(upload(world, &err), 0);
    uuid_format(world->file.folder, folder);
    snprintf(elsewhere, sizeof(elsewhere), "%s/%s", world->path, folder);
    world->file.folder = uuid_v7();
    uuid_format(world->file.folder, folder);
    snprintf(path, sizeof(path), "%s/%s", world->path, folder);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_int_equal(directory_read(world->directory, world->file, 0, read, 1, &err), -1);
    assert_int_equal(err.reason, ERR_STORAGE_UNAVAILABLE);
    assert_int_equal(upload(world, &err), -1);
}

static void a_directory_that_is_none_is_refused_by_name(void **state)
{
    struct directory *directory;
    struct err err;
    (void)state;
    assert_int_equal(directory_open("/nowhere/at/all", &directory, &err), -1);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_write_that_failed_is_mended_by_its_repeat, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_without_paths, world_begin, world_end),
        cmocka_unit_test_setup_teardown(keeping_that_failed_is_mended_by_its_repeat, world_begin, world_end),
        cmocka_unit_test_setup_teardown(what_is_missing_is_a_loss, world_begin, world_end),
        cmocka_unit_test_setup_teardown(removing_takes_both_names_and_minds_neither, world_begin, world_end),
        cmocka_unit_test_setup_teardown(no_symbolic_link_is_followed, world_begin, world_end),
        cmocka_unit_test(a_directory_that_is_none_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
