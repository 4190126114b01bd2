/* export_files.c: see export_files.h. A file is called by its id, which is all that the export's own lines need. */
#include "export_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include <isms/base/crypto.h>
#include <isms/base/uuid.h>
#include <isms/inputs/v1/evidence.pb-c.h>

enum { WANTED_MAX = 64 << 20 };

struct wanted_file {
    struct uuid id;
    struct sha256 hash;
    int64_t size;
};

/* One file on its way in. */
struct download {
    int file;
    const char *path;
    struct sha256_sum *sum;
    int64_t received;
};

static const struct wanted_file *wanted_at(const struct export_files *files, size_t i)
{
    return (const struct wanted_file *)(const void *)files->wanted.data + i;
}

static size_t wanted_count(const struct export_files *files)
{
    return files->wanted.length / sizeof(struct wanted_file);
}

static char *path_of(const struct export_files *files, const struct wanted_file *wanted)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(wanted->id, id);
    return arena_printf(files->session->arena, "%s/%s", files->folder, id);
}

static int failed(const char *path, struct err *err)
{
    return err_setf(err, ERR_FIELD_INVALID, "%s: %s", path, strerror(errno));
}

int export_files_init(struct export_files *files, const struct session *session, const char *folder, struct err *err)
{
    if (!folder)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (mkdir(folder, 0700) < 0)
        return failed(folder, err);
    *files = (struct export_files){.session = session, .folder = folder};
    buf_init(&files->wanted, WANTED_MAX);
    return 0;
}

int export_files_note(struct export_files *files, const char *row, struct err *err)
{
    CLEANUP(json_decrefp) json_t *object = json_loads(row, 0, NULL);
    const char *state = json_string_value(json_object_get(object, "state"));
    const char *id = json_string_value(json_object_get(object, "id"));
    const char *hash = json_string_value(json_object_get(object, "sha256"));
    struct wanted_file wanted = {.size = json_integer_value(json_object_get(object, "size"))};

    if (!state || !id || !hash || !uuid_parse(id, &wanted.id) || strlen(hash) != SHA256_HEX_SIZE - 1 ||
        !hex_decode(hash, strlen(hash), wanted.hash.bytes))
        return err_setf(err, ERR_DATA_CORRUPT, "A row of inputs.evidence_file is none.");
    if (strcmp(state, "STORED") != 0)
        return 0; /* has no bytes: not yet, or not any more */
    buf_append(&files->wanted, &wanted, sizeof wanted);
    return files->wanted.failed ? err_set(err, ERR_MESSAGE_TOO_LARGE) : 0;
}

static int part_take(void *context, const ProtobufCMessage *message, struct err *err)
{
    const Isms__Inputs__V1__EvidencePart *part = (const void *)message;
    struct download *download = context;

    if (part->offset != download->received)
        return err_setf(err, ERR_DATA_CORRUPT, "%s: what came is not what was asked for.", download->path);
    sha256_sum_add(download->sum, part->data.data, part->data.len);
    for (size_t done = 0; done < part->data.len;) {
        ssize_t wrote = write(download->file, part->data.data + done, part->data.len - done);
        if (wrote < 0 && errno != EINTR)
            return failed(download->path, err);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    download->received += (int64_t)part->data.len;
    return 0;
}

static int download_run(const struct export_files *files, const struct wanted_file *wanted, struct download *download,
                        struct err *err)
{
    const struct method *method;
    char id[UUID_TEXT_SIZE];
    uuid_format(wanted->id, id);
    char *request = arena_printf(files->session->arena, "{\"id\": \"%s\"}", id);

    if (!request)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (session_method(files->session, "DownloadEvidenceFile", &method, err) < 0 ||
        session_stream(files->session, method, slice_of(request), part_take, download, err) < 0)
        return -1;
    struct sha256 hash = sha256_sum_value(download->sum);
    if (download->received != wanted->size || memcmp(&hash, &wanted->hash, sizeof hash) != 0)
        return err_setf(err, ERR_DATA_CORRUPT, "%s: what came is not the file that its row says.", download->path);
    return fsync(download->file) < 0 ? failed(download->path, err) : 0;
}

static int file_fetch(struct export_files *files, const struct wanted_file *wanted, struct err *err)
{
    CLEANUP(sha256_sum_freep) struct sha256_sum *sum = sha256_sum_new();
    const char *path = path_of(files, wanted);
    int file = sum && path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    struct download download = {.file = file, .path = path, .sum = sum};

    if (!sum || !path)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (file < 0)
        return failed(path, err);
    files->written++;
    int result = download_run(files, wanted, &download, err);
    if (close(file) < 0 && result == 0)
        result = failed(path, err);
    return result;
}

int export_files_fetch(struct export_files *files, export_files_tell *tell, void *context, struct err *err)
{
    for (size_t i = 0; i < wanted_count(files); i++) {
        const struct wanted_file *wanted = wanted_at(files, i);
        struct arena_mark mark = arena_mark(files->session->arena);
        char hex[SHA256_HEX_SIZE];
        char id[UUID_TEXT_SIZE];

        hex_encode(&wanted->hash, sizeof wanted->hash, hex);
        uuid_format(wanted->id, id);
        bool is_there = file_fetch(files, wanted, err) == 0;
        if (!is_there && err->reason != ERR_WRONG_STATE)
            return -1;
        if (!is_there)
            unlink(path_of(files, wanted));
        files->count += is_there;
        files->bytes += is_there ? wanted->size : 0;
        files->gone += !is_there;
        arena_rewind(files->session->arena, &mark);
        if (tell(context, id, wanted->size, is_there ? hex : NULL, err) < 0)
            return -1;
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r%zu of %zu files", i + 1, wanted_count(files));
    }
    return 0;
}

void export_files_keep(struct export_files *files)
{
    rmdir(files->folder); /* where there is none, it is not needed */
    files->folder = NULL;
}

void export_files_release(struct export_files *files)
{
    for (size_t i = 0; files->folder && i < files->written; i++) {
        const char *path = path_of(files, wanted_at(files, i));
        if (path)
            unlink(path);
    }
    if (files->folder)
        rmdir(files->folder);
    buf_release(&files->wanted);
}
