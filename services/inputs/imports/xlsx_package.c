/* xlsx_package.c: libzip on our source, expat on what it inflates, in pieces. */
#include "xlsx_package.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>
#include <zip.h>

#include "xlsx_directory.h"

enum { PIECE_SIZE = 64 * 1024, DEPTH_MAX = 64 };

struct xlsx_package {
    const struct import_source *source;
    int64_t offset;
    int64_t served; /* bytes, until the archive is open */
    bool source_failed;
    zip_error_t error;
    zip_t *archive;
};

/* --- the archive ---------------------------------------------------------------------------------------- */

static zip_int64_t source_seek(struct xlsx_package *package, void *data, zip_uint64_t length)
{
    zip_int64_t offset = zip_source_seek_compute_offset((zip_uint64_t)package->offset,
                                                        (zip_uint64_t)package->source->length, data, length,
                                                        &package->error);
    if (offset < 0)
        return -1;
    package->offset = offset;
    return 0;
}

static zip_int64_t source_take(struct xlsx_package *package, void *data, zip_uint64_t length)
{
    int64_t size = package->source->read(package->source->context, package->offset, data, (size_t)length);
    if (size < 0) {
        package->source_failed = true;
        zip_error_set(&package->error, ZIP_ER_READ, 0);
        return -1;
    }
    package->offset += size;
    package->served += size;
    if (!package->archive && package->served > XLSX_DIRECTORY_MAX) {
        zip_error_set(&package->error, ZIP_ER_INCONS, 0);
        return -1;
    }
    return size;
}

static zip_int64_t source_stat(const struct xlsx_package *package, zip_stat_t *stat)
{
    zip_stat_init(stat);
    stat->size = (zip_uint64_t)package->source->length;
    stat->valid = ZIP_STAT_SIZE;
    return (zip_int64_t)sizeof(*stat);
}

static zip_int64_t source_act(void *context, void *data, zip_uint64_t length, zip_source_cmd_t command)
{
    struct xlsx_package *package = context;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        package->offset = 0;
        return 0;
    case ZIP_SOURCE_READ:
        return source_take(package, data, length);
    case ZIP_SOURCE_SEEK:
        return source_seek(package, data, length);
    case ZIP_SOURCE_TELL:
        return package->offset;
    case ZIP_SOURCE_STAT:
        return source_stat(package, data);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&package->error, data, length);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
        return 0;
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
                                              ZIP_SOURCE_SUPPORTS, -1);
    default:
        zip_error_set(&package->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

/* An encrypted workbook, and one of before 2007, is a compound file ([MS-CFB] 2.2) and no zip archive. */
static const char *not_a_package(const struct xlsx_package *package)
{
    static const unsigned char compound[] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
    unsigned char head[sizeof(compound)];
    if (package->source->read(package->source->context, 0, head, sizeof(head)) == (int64_t)sizeof(head) &&
        memcmp(head, compound, sizeof(head)) == 0)
        return "is encrypted, or of a program older than XLSX: save it as XLSX without a password";
    return "is no XLSX workbook";
}

static void archive_open(struct xlsx_package *package)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *bytes = zip_source_function_create(source_act, package, &error);
    package->archive = bytes ? zip_open_from_source(bytes, ZIP_RDONLY, &error) : NULL;
    if (!package->archive && bytes)
        zip_source_free(bytes);
    zip_error_fini(&error);
}

/* As xlsx_package_open(). */
static bool package_open(struct xlsx_package *package, const char **ret_fault)
{
    int crowded = xlsx_directory_check(package->source);
    if (crowded < 0)
        return false;
    if (!crowded)
        archive_open(package);
    if (crowded || package->served > XLSX_DIRECTORY_MAX ||
        (package->archive && zip_get_num_entries(package->archive, 0) > XLSX_PARTS_MAX))
        *ret_fault = "has more parts than a workbook would";
    else if (!package->archive && !package->source_failed)
        *ret_fault = not_a_package(package);
    return package->archive && !*ret_fault;
}

struct xlsx_package *xlsx_package_open(const struct import_source *source, const char **ret_fault)
{
    struct xlsx_package *package = calloc(1, sizeof(*package));
    *ret_fault = NULL;
    if (!package)
        return NULL;
    package->source = source;
    zip_error_init(&package->error);
    if (package_open(package, ret_fault))
        return package;
    xlsx_package_close(package);
    return NULL;
}

void xlsx_package_close(struct xlsx_package *package)
{
    if (!package)
        return;
    if (package->archive)
        zip_discard(package->archive);
    zip_error_fini(&package->error);
    free(package);
}

bool xlsx_package_has(struct xlsx_package *package, const char *part)
{
    return zip_name_locate(package->archive, part, ZIP_FL_NOCASE) >= 0;
}

/* --- the parser's memory -------------------------------------------------------------------------------- */

/* expat holds a token until its end, and each name that it ever saw until the parser is freed, both without a limit of
 * its own. It does not say which parser it wants memory for: it is the one that this thread is at. */
static _Thread_local struct {
    size_t held;
    size_t held_most; /* by the parser under way or, without one, the last */
    bool refused;     /* to the same */
} memory;

/* Stands before what expat is given. */
union block {
    size_t size; /* with this */
    max_align_t alignment;
};

static void *memory_resize(void *bytes, size_t size)
{
    union block *old = bytes ? (union block *)bytes - 1 : NULL;
    size_t old_size = old ? old->size : 0;
    /* While a block moves there are two of it. */
    if (size > XLSX_MEMORY_MAX || sizeof(*old) + size > XLSX_MEMORY_MAX - memory.held) {
        memory.refused = true;
        return NULL;
    }
    union block *block = realloc(old, sizeof(*block) + size);
    if (!block)
        return NULL;
    block->size = sizeof(*block) + size;
    if (memory.held + block->size > memory.held_most)
        memory.held_most = memory.held + block->size;
    memory.held += block->size - old_size;
    return block + 1;
}

static void *memory_new(size_t size)
{
    return memory_resize(NULL, size);
}

static void memory_free(void *bytes)
{
    union block *block = bytes ? (union block *)bytes - 1 : NULL;
    memory.held -= block ? block->size : 0;
    free(block);
}

size_t xlsx_memory_most(void)
{
    return memory.held_most;
}

static XML_Parser parser_new(void)
{
    static const XML_Memory_Handling_Suite functions = {memory_new, memory_resize, memory_free};
    memory.refused = false;
    memory.held_most = memory.held;
    return XML_ParserCreate_MM(NULL, &functions, NULL);
}

/* --- a part --------------------------------------------------------------------------------------------- */

struct reading {
    const struct xlsx_handlers *handlers;
    void *context;
    XML_Parser parser;
    int depth;
    const char *fault;
};

static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

const char *xlsx_attribute(const char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i]; i += 2)
        if (strcmp(local_name(attributes[i]), name) == 0)
            return attributes[i + 1];
    return "";
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct reading *reading = context;
    if (++reading->depth > DEPTH_MAX) {
        reading->fault = "has XML that is nested too deeply";
        XML_StopParser(reading->parser, XML_FALSE);
        return;
    }
    reading->handlers->start(reading->context, local_name(name), attributes);
}

static void on_end(void *context, const char *name)
{
    struct reading *reading = context;
    reading->depth--;
    reading->handlers->end(reading->context, local_name(name));
}

static void on_text(void *context, const char *text, int length)
{
    struct reading *reading = context;
    reading->handlers->text(reading->context, text, length);
}

static void on_doctype(void *context, const char *name, const char *system_id, const char *public_id, int has_subset)
{
    struct reading *reading = context;
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    reading->fault = "has a document type declaration, which no workbook has";
    XML_StopParser(reading->parser, XML_FALSE);
}

/* 1: the part, or what is wanted of it, is read. */
static int piece_parse(struct reading *reading, const char *piece, size_t length)
{
    enum XML_Status status = XML_Parse(reading->parser, piece, (int)length, length == 0);
    if (reading->fault)
        return -1;
    if (reading->handlers->is_done && reading->handlers->is_done(reading->context))
        return 1;
    if (status == XML_STATUS_OK)
        return length == 0;
    if (memory.refused)
        reading->fault = "has more markup than a workbook would: open it in an office program and save it as XLSX anew";
    else if (XML_GetErrorCode(reading->parser) != XML_ERROR_NO_MEMORY)
        reading->fault = "has a part that is no well-formed XML";
    return -1;
}

static int part_parse(struct xlsx_package *package, zip_file_t *file, size_t bytes_max, struct reading *reading)
{
    char *piece = malloc(PIECE_SIZE);
    size_t bytes = 0;
    int result = piece ? 0 : -1;
    while (result == 0) {
        zip_int64_t length = zip_fread(file, piece, PIECE_SIZE);
        bytes += length > 0 ? (size_t)length : 0;
        if (bytes > bytes_max)
            reading->fault = "is larger inside than a workbook may be";
        else if (length < 0 && !package->source_failed)
            reading->fault = "is damaged";
        result = length < 0 || reading->fault ? -1 : piece_parse(reading, piece, (size_t)length);
    }
    free(piece);
    return result < 0 ? -1 : 0;
}

static zip_file_t *part_open(struct xlsx_package *package, const char *part, const char **ret_fault)
{
    zip_int64_t index = zip_name_locate(package->archive, part, ZIP_FL_NOCASE);
    zip_stat_t stat;
    *ret_fault = "lacks a part that every workbook has";
    if (index < 0 || zip_stat_index(package->archive, (zip_uint64_t)index, 0, &stat) < 0)
        return NULL;
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE) {
        *ret_fault = "is encrypted: save it without a password";
        return NULL;
    }
    /* ISO/IEC 29500-2 knows no other, and a libzip that has LZMA would take the memory that the part says. */
    if ((stat.valid & ZIP_STAT_COMP_METHOD) && stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
        *ret_fault = "is compressed as no workbook is: open it in an office program and save it as XLSX anew";
        return NULL;
    }
    zip_file_t *file = zip_fopen_index(package->archive, (zip_uint64_t)index, 0);
    *ret_fault = file ? NULL : package->source_failed ? NULL : "is damaged";
    return file;
}

int xlsx_package_read(struct xlsx_package *package, const char *part, size_t bytes_max,
                      const struct xlsx_handlers *handlers, void *context, const char **ret_fault)
{
    zip_file_t *file = part_open(package, part, ret_fault);
    if (!file)
        return -1;
    struct reading reading = {.handlers = handlers, .context = context, .parser = parser_new()};
    int result = -1;
    if (reading.parser) {
        XML_SetUserData(reading.parser, &reading);
        XML_SetElementHandler(reading.parser, on_start, on_end);
        XML_SetCharacterDataHandler(reading.parser, on_text);
        XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
        result = part_parse(package, file, bytes_max, &reading);
        XML_ParserFree(reading.parser);
    }
    zip_fclose(file);
    *ret_fault = reading.fault;
    return result;
}
