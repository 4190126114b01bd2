/* xlsx_directory.c: the end of a zip archive, as PKWARE's APPNOTE.TXT 4.3.14 to 4.3.16 has it.
 *
 * libzip makes room for as many parts as the 64-bit end of central directory record names before it reads any of them:
 * 45 MiB for a file of 64 MiB that has none. So this record is looked at first, wherever libzip would find it: by a
 * locator before an end of central directory record, of which there may be several. */
#include "xlsx_directory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    RECORD_SIZE = 56,
    TAIL_SIZE = 65536 + END_SIZE + LOCATOR_SIZE, /* with the longest comment */
    LOCATOR_OFFSET = 8,                          /* of the record's offset */
    RECORD_COUNT = 32                            /* of the number of parts */
};

static uint64_t number_of(const unsigned char *bytes)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--)
        number = number << 8 | bytes[i];
    return number;
}

static bool is_signed(const unsigned char *bytes, char third, char fourth)
{
    const char signature[] = {'P', 'K', third, fourth};
    return memcmp(bytes, signature, sizeof(signature)) == 0;
}

static int bytes_take(const struct import_source *source, int64_t offset, unsigned char *bytes, size_t size)
{
    for (size_t taken = 0; taken < size;) {
        int64_t length = source->read(source->context, offset + (int64_t)taken, bytes + taken, size - taken);
        if (length <= 0)
            return -1;
        taken += (size_t)length;
    }
    return 0;
}

static int record_check(const struct import_source *source, uint64_t offset)
{
    unsigned char record[RECORD_SIZE];
    if (source->length < RECORD_SIZE || offset > (uint64_t)source->length - RECORD_SIZE)
        return 0;
    if (bytes_take(source, (int64_t)offset, record, sizeof(record)) < 0)
        return -1;
    return is_signed(record, 6, 6) && number_of(record + RECORD_COUNT) > XLSX_PARTS_MAX;
}

static int tail_check(const struct import_source *source, const unsigned char *tail, size_t length)
{
    for (size_t i = 0; i + LOCATOR_SIZE + END_SIZE <= length; i++) {
        int result = 0;
        if (is_signed(tail + i, 6, 7) && is_signed(tail + i + LOCATOR_SIZE, 5, 6))
            result = record_check(source, number_of(tail + i + LOCATOR_OFFSET));
        if (result != 0)
            return result;
    }
    return 0;
}

int xlsx_directory_check(const struct import_source *source)
{
    size_t length = source->length < TAIL_SIZE ? (size_t)source->length : TAIL_SIZE;
    unsigned char *tail = malloc(length + 1);
    int result = tail ? bytes_take(source, source->length - (int64_t)length, tail, length) : -1;
    if (result == 0)
        result = tail_check(source, tail, length);
    free(tail);
    return result;
}
