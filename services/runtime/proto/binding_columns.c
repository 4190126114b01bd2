/* binding_columns.c: from column names to places in the response.
 *
 * A plan is made when the server describes the statement: for every column a reader chosen by the two types,
 * and the place it writes to. Decoding then only follows pointers. A plan once published is read by any
 * thread without a lock; a later description makes a new one and leaves the old to the binding's end. The
 * columns that name a oneof's member come first, since others depend on them. */
#include "binding_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 256, PLAN_ARENA_MAX = 1024 * 1024 };

/* One description being made into a plan. */
struct planner {
    struct binding *binding;
    struct column_plan *plan;
    const struct db_description *description;
    const struct message_type *root; /* the response, or the list's item */
    struct err *err;
};

static int PRINTF_LIKE(3, 4) fail(struct planner *planner, const char *column, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_setf(planner->err, ERR_INTERNAL, "%s.sql: column \"%s\" %s",
                    planner->binding->options.file->name, column, text);
}

static int special_plan(struct planner *planner, const char *name, unsigned index)
{
    struct column_plan *plan = planner->plan;
    uint32_t type = planner->description->column_types[index];
    if (!is_text_type(type))
        return fail(planner, name, "is %s, but must be text", type_name(type));
    if (strcmp(name, "outcome") == 0) {
        plan->outcome = (int)index;
        return 0;
    }
    if (strncmp(name, "outcome.", 8) == 0) {
        if (plan->fact_count == ERR_METADATA_MAX)
            return fail(planner, name, "is one fact too many (at most %d)", ERR_METADATA_MAX);
        plan->facts[plan->fact_count++] =
            (struct fact){.index = index, .name = arena_strdup(&plan->arena, name + strlen("outcome."))};
        return 0;
    }
    const char *number = name + strlen("page.");
    if (strlen(number) != 1 || *number < '1' || *number > '0' + PAGE_KEYS_MAX)
        return fail(planner, name, "is not one of page.1 to page.%d", PAGE_KEYS_MAX);
    plan->pages[*number - '1'] = (int)index;
    plan->page_count++;
    return 0;
}

static int oneof_plan(struct planner *planner, struct column *column)
{
    if (is_text_type(column->type))
        column->kind = COLUMN_ONEOF_CASE;
    else if (column->type == DB_JSONB || column->type == DB_JSON)
        column->kind = COLUMN_ONEOF_JSON;
    else
        return fail(planner, column->name,
                    "is %s, but a oneof takes text (the member's name) or jsonb ({\"member\": ...})",
                    type_name(column->type));
    return 0;
}

static int field_plan(struct planner *planner, struct column *column)
{
    const struct field_type *field = column->location.field;
    column->field = field;
    if (field->message && (column->type == DB_JSONB || column->type == DB_JSON)) {
        column->kind = COLUMN_JSON;
        return 0;
    }
    if (field_is_repeated(field)) {
        column->kind = column->type == DB_JSONB ? COLUMN_JSON : COLUMN_ARRAY;
        if (column->kind == COLUMN_JSON)
            return 0;
        column->read =
            element_type(column->type) && !field->is_map ? reader_for(field, element_type(column->type)) : NULL;
        if (!column->read)
            return fail(planner, column->name, "is %s, which does not fit the repeated field of %s; cast it",
                        type_name(column->type), column->location.parent->name);
        return 0;
    }
    if (field->message && field->message->kind == MESSAGE_WRAPPER)
        column->field = &field->message->fields[0];
    column->kind = column->type == DB_NUMERIC ? COLUMN_NUMERIC : COLUMN_VALUE;
    column->read = reader_for(column->field, column->type);
    if (!column->read)
        return fail(planner, column->name, "is %s, which does not fit the field of %s; cast it",
                    type_name(column->type), column->location.parent->name);
    return 0;
}

static int column_plan_one(struct planner *planner, const char *name, unsigned index)
{
    struct column_plan *plan = planner->plan;
    const struct binding *binding = planner->binding;
    if (strcmp(name, "outcome") == 0 || strncmp(name, "outcome.", 8) == 0 || strncmp(name, "page.", 5) == 0)
        return special_plan(planner, name, index);
    struct column *column = &plan->columns[plan->column_count];
    column->index = index;
    column->type = planner->description->column_types[index];
    column->name = arena_strdup(&plan->arena, name);
    if (!column->name)
        return err_set(planner->err, ERR_INTERNAL);
    const char *fault = location_resolve(planner->root, name, &column->location);
    if (fault && binding->total && strcmp(name, binding->total->name) == 0) {
        column->location = (struct location){.parent = binding->response, .field = binding->total};
        if (field_plan(planner, column) < 0)
            return -1;
        column->kind = COLUMN_TOTAL;
        plan->column_count++;
        return 0;
    }
    if (fault)
        return fail(planner, name, "%s of %s", fault, planner->root->name);
    for (unsigned i = 0; i < plan->column_count; i++)
        if (strcmp(plan->columns[i].name, name) == 0)
            return fail(planner, name, "comes twice");
    plan->column_count++;
    return column->location.oneof ? oneof_plan(planner, column) : field_plan(planner, column);
}

/* Two locations have gone the same way for the first `hops` hops. */
static bool same_way(const struct location *a, const struct location *b, unsigned hops)
{
    if (a->hop_count < hops || b->hop_count < hops)
        return false;
    for (unsigned i = 0; i < hops; i++)
        if (a->hops[i] != b->hops[i])
            return false;
    return true;
}

/* Marks what is only to be read when a COLUMN_ONEOF_CASE has chosen it. */
static void guards_mark(struct column_plan *plan, struct column *column)
{
    for (unsigned i = 0; i < plan->column_count; i++) {
        const struct column *selector = &plan->columns[i];
        unsigned hops = selector->location.hop_count;
        if (selector->kind != COLUMN_ONEOF_CASE || !same_way(&selector->location, &column->location, hops))
            continue;
        const struct field_type *next =
            column->location.hop_count > hops ? column->location.hops[hops] : column->location.field;
        if (next && next->oneof && strcmp(next->oneof, selector->location.oneof) == 0)
            column->guarded |= 1u << hops;
    }
}

static int column_compare(const void *a, const void *b)
{
    const struct column *left = a;
    const struct column *right = b;
    bool left_first = left->kind == COLUMN_ONEOF_CASE;
    bool right_first = right->kind == COLUMN_ONEOF_CASE;
    if (left_first != right_first)
        return left_first ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static int pages_check(struct planner *planner)
{
    struct column_plan *plan = planner->plan;
    const struct binding *binding = planner->binding;
    for (unsigned i = 0; i < plan->page_count; i++)
        if (plan->pages[i] < 0)
            return fail(planner, "page.1", "and those after it must be numbered without gaps");
    bool needed = binding->pages && binding->next_page_token;
    if (needed && plan->page_count == 0)
        return fail(planner, "page.1", "is missing: the next page cannot start anywhere");
    if (plan->page_count && !(needed && binding->options.secret && binding->page_token))
        return fail(planner, "page.1", "needs :page.limit, page_token and next_page_token");
    return 0;
}

static int plan_make(struct planner *planner)
{
    struct column_plan *plan = planner->plan;
    const struct db_description *description = planner->description;
    if (description->column_count > COLUMNS_MAX)
        return fail(planner, description->column_names[COLUMNS_MAX], "is one of more than %d", COLUMNS_MAX);
    plan->types = ARENA_ARRAY(&plan->arena, description->column_count, uint32_t);
    plan->columns = ARENA_ARRAY(&plan->arena, description->column_count, struct column);
    if (!plan->types || !plan->columns)
        return err_set(planner->err, ERR_INTERNAL);
    plan->result_columns = description->column_count;
    plan->outcome = -1;
    for (unsigned i = 0; i < PAGE_KEYS_MAX; i++)
        plan->pages[i] = -1;
    for (unsigned i = 0; i < description->column_count; i++) {
        plan->types[i] = description->column_types[i];
        if (column_plan_one(planner, description->column_names[i], i) < 0)
            return -1;
    }
    for (unsigned i = 0; i < plan->column_count; i++)
        guards_mark(plan, &plan->columns[i]);
    qsort(plan->columns, plan->column_count, sizeof(*plan->columns), column_compare);
    return pages_check(planner);
}

static void plan_free(struct column_plan *plan)
{
    arena_release(&plan->arena);
    free(plan);
}

void columns_free(struct bound_statement *bound)
{
    for (struct column_plan *plan = bound->plan, *older; plan; plan = older) {
        older = plan->older;
        plan_free(plan);
    }
}

static bool plan_is_current(const struct column_plan *plan, const struct db_description *description)
{
    return plan && plan->result_columns == description->column_count &&
           memcmp(plan->types, description->column_types, description->column_count * sizeof(*plan->types)) ==
               0;
}

int columns_describe(struct binding *binding, struct bound_statement *bound,
                     const struct db_description *description, struct err *err)
{
    struct column_plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return err_set(err, ERR_INTERNAL);
    arena_init(&plan->arena, PLAN_ARENA_MAX);
    struct planner planner = {.binding = binding,
                              .plan = plan,
                              .description = description,
                              .root = binding->list ? binding->list->message : binding->response,
                              .err = err};
    if (plan_make(&planner) < 0) {
        plan_free(plan);
        return -1;
    }
    struct column_plan *newest = __atomic_load_n(&bound->plan, __ATOMIC_ACQUIRE);
    do {
        if (plan_is_current(newest, description)) { /* names come from the file and do not change under it */
            plan_free(plan);
            return 0;
        }
        plan->older = newest;
    } while (
        !__atomic_compare_exchange_n(&bound->plan, &newest, plan, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return 0;
}
