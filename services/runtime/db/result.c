/* result.c: reading binary values out of a result.
 *
 * The formats are those of PostgreSQL's send functions (src/backend/utils/adt): integers in network order,
 * times in microseconds and days since 2000-01-01. A value shorter than its type says reads as zero, never
 * beyond its end. */
#include <endian.h>

#include <isms/base/bug.h>

#include "internal.h"

enum { OID_OID = 26, EPOCH_DAYS = 10957 /* 1970-01-01 to 2000-01-01 */ };

static const int64_t DAY_US = 86400LL * 1000 * 1000;

static const PGresult *pg(const struct db_result *result)
{
    return (const PGresult *)result;
}

unsigned db_result_rows(const struct db_result *result)
{
    return (unsigned)PQntuples(pg(result));
}

unsigned db_result_columns(const struct db_result *result)
{
    return (unsigned)PQnfields(pg(result));
}

uint32_t db_result_type(const struct db_result *result, unsigned column)
{
    return PQftype(pg(result), (int)column);
}

bool db_result_is_null(const struct db_result *result, unsigned row, unsigned column)
{
    BUG_IF(row >= db_result_rows(result) || column >= db_result_columns(result));
    return PQgetisnull(pg(result), (int)row, (int)column);
}

const char *db_result_data(const struct db_result *result, unsigned row, unsigned column, size_t *ret_length)
{
    bool null = db_result_is_null(result, row, column);
    *ret_length = null ? 0 : (size_t)PQgetlength(pg(result), (int)row, (int)column);
    return null ? NULL : PQgetvalue(pg(result), (int)row, (int)column);
}

static int64_t integer_read(const char *data, size_t length, size_t size)
{
    uint64_t value = 0;
    if (length != size)
        return 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)data[i];
    unsigned spare = 64 - 8 * (unsigned)size;
    return (int64_t)(value << spare) >> spare;
}

static int64_t timestamp_read(int64_t value)
{
    if (value == INT64_MIN || value == INT64_MAX)
        return value;
    int64_t time_us;
    return __builtin_add_overflow(value, EPOCH_DAYS * DAY_US, &time_us) ? INT64_MAX : time_us;
}

static int64_t date_read(int64_t value)
{
    if (value == INT32_MIN || value == INT32_MAX)
        return value == INT32_MIN ? INT64_MIN : INT64_MAX;
    return value + EPOCH_DAYS;
}

int64_t db_result_int(const struct db_result *result, unsigned row, unsigned column)
{
    size_t length;
    const char *data = db_result_data(result, row, column, &length);
    if (!data)
        return 0;
    switch (db_result_type(result, column)) {
    case DB_BOOL:
        return integer_read(data, length, 1);
    case DB_INT2:
        return integer_read(data, length, 2);
    case DB_INT4:
        return integer_read(data, length, 4);
    case OID_OID:
        return (uint32_t)integer_read(data, length, 4);
    case DB_INT8:
        return integer_read(data, length, 8);
    case DB_TIMESTAMPTZ:
        return timestamp_read(integer_read(data, length, 8));
    case DB_DATE:
        return date_read(integer_read(data, length, 4));
    default:
        return 0;
    }
}

double db_result_double(const struct db_result *result, unsigned row, unsigned column)
{
    size_t length;
    const char *data = db_result_data(result, row, column, &length);
    union {
        uint64_t integer;
        double number;
    } wide;
    union {
        uint32_t integer;
        float number;
    } narrow;
    if (!data)
        return 0;
    switch (db_result_type(result, column)) {
    case DB_FLOAT8:
        wide.integer = (uint64_t)integer_read(data, length, 8);
        return wide.number;
    case DB_FLOAT4:
        narrow.integer = (uint32_t)integer_read(data, length, 4);
        return (double)narrow.number;
    case DB_NUMERIC: {
        struct arena arena;
        char *text = NULL;
        arena_init(&arena, 256 * 1024);
        double number = db_result_text(result, row, column, &arena, &text) && text ? strtod(text, NULL) : 0;
        arena_release(&arena);
        return number;
    }
    default:
        return (double)db_result_int(result, row, column);
    }
}
