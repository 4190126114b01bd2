/* failure.c: from what PostgreSQL said to what a caller is told.
 *
 * The two never mix: PostgreSQL's texts name tables, constraints and values. Only what our own SQL raised on
 * purpose (SQLSTATE class IS: reason in the message, facts in the detail) passes through, and even there the
 * text shown is the reason's standing one. */
#include <isms/base/attributes.h>
#include <isms/base/utf8.h>

#include "internal.h"

static void field_copy(char *ret_text, size_t size, const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    size_t length = text ? utf8_cut(text, strlen(text), size - 1) : 0;
    if (length)
        memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

void failure_read(struct db_failure *failure, const PGresult *result)
{
    field_copy(failure->sqlstate, sizeof(failure->sqlstate), result, PG_DIAG_SQLSTATE);
    field_copy(failure->message, sizeof(failure->message), result, PG_DIAG_MESSAGE_PRIMARY);
    field_copy(failure->detail, sizeof(failure->detail), result, PG_DIAG_MESSAGE_DETAIL);
    field_copy(failure->constraint, sizeof(failure->constraint), result, PG_DIAG_CONSTRAINT_NAME);
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    failure->position = position ? (int)strtol(position, NULL, 10) : 0;
}

/* The first row whose SQLSTATE prefix fits. */
static const struct {
    const char *prefix;
    enum err_reason reason;
    int64_t retry_after_ms;
} MAPPING[] = {
    {"40001", ERR_CONFLICT, 50}, /* serialization_failure */
    {"40P01", ERR_CONFLICT, 50}, /* deadlock_detected */
    {"55P03", ERR_CONFLICT, 50}, /* lock_not_available: lock_timeout */
    {"26000", ERR_CONFLICT, 50}, /* a stale statement in mid-transaction: nothing happened */
    {"0A000", ERR_CONFLICT, 50},
    {"57014", ERR_DEADLINE_EXCEEDED, 0}, /* query_canceled: statement_timeout */
    {"23505", ERR_ALREADY_EXISTS, 0},
    {"23503", ERR_REFERENCE_INVALID, 0},
    {"57P", ERR_DATABASE_UNAVAILABLE, 500}, /* shutting down, starting up */
    {"08", ERR_DATABASE_UNAVAILABLE, 500},
    {"25006", ERR_DATABASE_UNAVAILABLE, 500}, /* read_only_sql_transaction: a standby */
    {"58", ERR_DATABASE_UNAVAILABLE, 500},    /* its disk, its files */
    {"53", ERR_OVERLOADED, 1000},
};

/* Facts are `key=value`, one a line. A `field` with a `description` is a violation as well: that is how SQL says of one
 * field what the rules of the proto cannot. */
static void facts_add(struct err *err, const char *detail)
{
    char field[sizeof(err->violations[0].field)] = "";
    char description[sizeof(err->violations[0].description)] = "";
    while (*detail) {
        detail += strspn(detail, " \n");
        size_t length = strcspn(detail, "\n");
        const char *equals = memchr(detail, '=', length);
        if (equals) {
            char key[sizeof(err->metadata[0].key)];
            const char *value = equals + 1;
            int value_length = (int)(detail + length - value);
            snprintf(key, sizeof(key), "%.*s", (int)(equals - detail), detail);
            if (strcmp(key, "field") == 0)
                snprintf(field, sizeof(field), "%.*s", value_length, value);
            if (strcmp(key, "description") == 0)
                snprintf(description, sizeof(description), "%.*s",
                         (int)utf8_cut(value, (size_t)value_length, sizeof(description) - 1), value);
            else
                err_fact(err, key, "%.*s", value_length, value);
        }
        detail += length;
    }
    if (*field && *description)
        err_violation(err, field, "%s", description);
}

int db_failure_to_err(const struct db_failure *failure, struct err *err)
{
    if (strncmp(failure->sqlstate, "IS", 2) == 0) {
        enum err_reason reason = err_reason_from_name(failure->message);
        if (reason == ERR_OK)
            return err_set(err, ERR_INTERNAL);
        err_set(err, reason);
        facts_add(err, failure->detail);
        return -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(MAPPING); i++) {
        if (strncmp(failure->sqlstate, MAPPING[i].prefix, strlen(MAPPING[i].prefix)) == 0) {
            err_set(err, MAPPING[i].reason);
            err->retry_after_ms = MAPPING[i].retry_after_ms;
            return -1;
        }
    }
    return err_set(err, ERR_INTERNAL);
}
