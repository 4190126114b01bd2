/* methods.c: the table that says how each rpc runs.
 *
 * Built once at start, in four steps: the rpcs of the package with their permissions, the handlers, the SQL
 * files, and the check that each rpc has exactly one of the two. All problems are logged, so that they can
 * be mended together. */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/buf.h>

enum { METHODS_MEMORY_MAX = 64 * 1024 * 1024 };

/* A SQL file's binding, by the file's name. */
struct named_binding {
    const char *name;
    struct binding *binding;
    enum rpc_lane lane; /* of its rpc; internal ones are the exclusive lane's */
};

struct statement_list {
    struct db_statement *items;
    unsigned count;
};

struct rpc_methods {
    struct arena arena;
    struct rpc_methods_options options;
    unsigned method_count;
    struct rpc_method *methods;
    unsigned file_count;
    struct sql_file **files;
    unsigned binding_count;
    struct named_binding *bindings; /* sorted by name */
    struct statement_list statements[RPC_LANE_COUNT];
    atomic_bool ready;
    unsigned problems;
    struct err first_problem;
};

const char *rpc_lane_name(enum rpc_lane lane)
{
    static const char *const names[RPC_LANE_COUNT] = {"read", "write", "exclusive", "admission"};
    BUG_IF((unsigned)lane >= RPC_LANE_COUNT);
    return names[lane];
}

static void PRINTF_LIKE(2, 3) problem(struct rpc_methods *methods, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX];
    struct buf buf;
    buf_init_fixed(&buf, text, sizeof(text));
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(&buf, format, arguments);
    va_end(arguments);
    LOG(ERROR, "the service's methods are not in order", LOG_STR("problem", text));
    if (methods->problems++ == 0)
        err_setf(&methods->first_problem, ERR_INTERNAL, "%s", text);
}

/* --- the rpcs ------------------------------------------------------------------------------------------- */

static enum rpc_lane lane_of(const struct method *method)
{
    switch (method->lane) {
    case ISMS__OPTIONS__V1__LANE__LANE_READ: return RPC_READ;
    case ISMS__OPTIONS__V1__LANE__LANE_WRITE: return RPC_WRITE;
    default: return RPC_EXCLUSIVE;
    }
}

static void method_rules_take(struct rpc_methods *methods, struct rpc_method *rpc)
{
    const Isms__Options__V1__MethodRules *rules = rpc->method->rules;
    if (rpc->method->client_streaming)
        problem(methods, "%s: streams of requests are not supported", rpc->method->path);
    if (rpc->method->server_streaming && rules->write)
        problem(methods, "%s: a stream cannot be repeated, hence not change data under a request_id",
                rpc->method->path);
    rpc->needs_permission = rules->permission[0] != '\0';
    if (rpc->needs_permission && !permission_from_name(slice_of(rules->permission), &rpc->permission))
        problem(methods, "%s: there is no permission \"%s\"", rpc->method->path, rules->permission);
    if (!rpc->needs_permission && !(rules->internal && rules->n_callers > 0))
        problem(methods, "%s: has neither a permission, nor is it internal with callers", rpc->method->path);
}

static struct rpc_method *method_by_name(const struct rpc_methods *methods, const char *name)
{
    for (unsigned i = 0; i < methods->method_count; i++)
        if (strcmp(methods->methods[i].method->name, name) == 0)
            return &methods->methods[i];
    return NULL;
}

static void methods_list(struct rpc_methods *methods)
{
    unsigned count;
    const struct method *all = descriptors_methods(methods->options.descriptors, &count);
    methods->methods = ARENA_ARRAY(&methods->arena, count, struct rpc_method);
    for (unsigned i = 0; methods->methods && i < count; i++) {
        if (strcmp(all[i].package, methods->options.package) != 0)
            continue;
        if (method_by_name(methods, all[i].name))
            problem(methods, "%s: another rpc of the package has that name", all[i].path);
        struct rpc_method *rpc = &methods->methods[methods->method_count++];
        rpc->method = &all[i];
        rpc->lane = lane_of(&all[i]);
        method_rules_take(methods, rpc);
    }
}

static bool is_handled(const struct rpc_method *rpc)
{
    return rpc->run || rpc->stream;
}

/* The rpc that a handler of that kind is for, or NULL. */
static struct rpc_method *handler_join(struct rpc_methods *methods, const char *name, bool stream)
{
    struct rpc_method *rpc = method_by_name(methods, name);
    if (!rpc)
        problem(methods, "the handler %s has no rpc in %s", name, methods->options.package);
    else if (is_handled(rpc))
        problem(methods, "%s: has two handlers", rpc->method->path);
    else if (rpc->method->server_streaming != stream)
        problem(methods, "%s: answers with %s, and its handler does not", rpc->method->path,
                stream ? "one message" : "a stream");
    else {
        rpc->lane = RPC_EXCLUSIVE; /* logic may block */
        return rpc;
    }
    return NULL;
}

static void handlers_join(struct rpc_methods *methods)
{
    for (const struct rpc_handler *handler = methods->options.handlers; handler && handler->method; handler++) {
        struct rpc_method *rpc = handler_join(methods, handler->method, false);
        if (rpc)
            rpc->run = handler->run;
    }
    for (const struct rpc_stream_handler *stream = methods->options.streams; stream && stream->method; stream++) {
        struct rpc_method *rpc = handler_join(methods, stream->method, true);
        if (rpc)
            rpc->stream = stream->run;
    }
}

/* --- the SQL files -------------------------------------------------------------------------------------- */

static void binding_add(struct rpc_methods *methods, const struct sql_file *file)
{
    struct rpc_method *rpc = method_by_name(methods, file->name);
    bool is_method = rpc && !is_handled(rpc);
    bool typed_by_method = rpc && !file->request;
    struct binding_options options = {
        .descriptors = methods->options.descriptors,
        .file = file,
        .request = typed_by_method ? rpc->method->request : NULL,
        .response = typed_by_method ? rpc->method->response : NULL,
        .scope = is_method ? rpc->method->path : file->name,
        .prefix = methods->options.service,
        .secret = methods->options.secret,
    };
    struct err err = {0};
    struct binding *binding;
    if (is_method && rpc->method->server_streaming) {
        problem(methods, "%s: answers with a stream, which takes a handler, not a file", rpc->method->path);
        return;
    }
    if (is_method && file->request) {
        problem(methods, "%s.sql implements an rpc and may not name types of its own", file->name);
        return;
    }
    if (binding_new(&options, &binding, &err) < 0) {
        problem(methods, "%s", err.message);
        return;
    }
    if (is_method) {
        rpc->binding = binding;
        if (rpc->method->rules->write && !file->answer_table && rpc->method->response->field_count > 0)
            problem(methods, "%s.sql changes data and has no --@answer for a repeated request", file->name);
    }
    methods->bindings[methods->binding_count++] = (struct named_binding){
        .name = file->name, .binding = binding, .lane = is_method ? rpc->lane : RPC_EXCLUSIVE};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named_binding *)a)->name, ((const struct named_binding *)b)->name);
}

static void files_join(struct rpc_methods *methods)
{
    const struct sql_text *texts = methods->options.sql;
    unsigned count = 0;
    while (texts && texts[count].name)
        count++;
    methods->files = ARENA_ARRAY(&methods->arena, count, struct sql_file *);
    methods->bindings = ARENA_ARRAY(&methods->arena, count, struct named_binding);
    if (!methods->files || !methods->bindings)
        return;
    for (unsigned i = 0; i < count; i++) {
        struct err err = {0};
        struct sql_file *file;
        if (strchr(texts[i].name, '.'))
            continue; /* "action.columns": only there to be included */
        if (sql_file_compile(texts, texts[i].name, &file, &err) < 0) {
            problem(methods, "%s", err.message);
            continue;
        }
        methods->files[methods->file_count++] = file;
        binding_add(methods, file);
    }
    qsort(methods->bindings, methods->binding_count, sizeof(*methods->bindings), by_name);
}

static void methods_complete(struct rpc_methods *methods)
{
    for (unsigned i = 0; i < methods->method_count; i++) {
        const struct rpc_method *rpc = &methods->methods[i];
        if (!is_handled(rpc) && !rpc->binding)
            problem(methods, "%s: has neither a handler nor a file %s.sql", rpc->method->path,
                    rpc->method->name);
    }
}

/* --- the statements ------------------------------------------------------------------------------------- */

static void statements_list(struct rpc_methods *methods, enum rpc_lane lane)
{
    struct statement_list *list = &methods->statements[lane];
    unsigned count = STATEMENT_CONTEXT_COUNT;
    for (unsigned i = 0; i < methods->binding_count; i++) {
        unsigned more;
        binding_statements(methods->bindings[i].binding, &more);
        count += more;
    }
    list->items = ARENA_ARRAY(&methods->arena, count, struct db_statement);
    if (!list->items)
        return;
    memcpy(list->items, context_statements, sizeof(context_statements));
    list->count = STATEMENT_CONTEXT_COUNT;
    for (unsigned i = 0; i < methods->binding_count; i++) {
        if (lane != RPC_EXCLUSIVE && methods->bindings[i].lane != lane)
            continue;
        unsigned more;
        const struct db_statement *statements = binding_statements(methods->bindings[i].binding, &more);
        for (unsigned j = 0; j < more; j++)
            list->items[list->count++] = statements[j];
    }
}

const struct db_statement *rpc_methods_statements(const struct rpc_methods *methods, enum rpc_lane lane,
                                                  unsigned *ret_count)
{
    *ret_count = methods->statements[lane].count;
    return methods->statements[lane].items;
}

int rpc_methods_describe(struct rpc_methods *methods, struct db_connection *connection, struct err *err)
{
    for (unsigned i = 0; i < methods->binding_count; i++)
        if (binding_describe_all(methods->bindings[i].binding, connection, err) < 0)
            return -1;
    atomic_store(&methods->ready, true);
    return 0;
}

bool rpc_methods_are_ready(const struct rpc_methods *methods)
{
    return atomic_load(&methods->ready);
}

void rpc_methods_not_ready(struct rpc_methods *methods)
{
    atomic_store(&methods->ready, false);
}

/* --- the table ------------------------------------------------------------------------------------------ */

int rpc_methods_new(const struct rpc_methods_options *options, struct rpc_methods **ret_methods,
                    struct err *err)
{
    struct rpc_methods *methods = calloc(1, sizeof(*methods));
    if (!methods)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    arena_init(&methods->arena, METHODS_MEMORY_MAX);
    methods->options = *options;
    methods_list(methods);
    handlers_join(methods);
    files_join(methods);
    methods_complete(methods);
    for (enum rpc_lane lane = 0; lane < RPC_LANE_COUNT; lane++)
        statements_list(methods, lane);
    if (arena_exhausted(&methods->arena))
        problem(methods, "out of memory");
    if (methods->problems > 0) {
        *err = methods->first_problem;
        rpc_methods_free(methods);
        return -1;
    }
    *ret_methods = methods;
    return 0;
}

void rpc_methods_free(struct rpc_methods *methods)
{
    if (!methods)
        return;
    for (unsigned i = 0; i < methods->binding_count; i++)
        binding_free(methods->bindings[i].binding);
    for (unsigned i = 0; i < methods->file_count; i++)
        sql_file_free(methods->files[i]);
    arena_release(&methods->arena);
    free(methods);
}

void rpc_methods_freep(struct rpc_methods **methods)
{
    rpc_methods_free(*methods);
    *methods = NULL;
}

const struct rpc_method *rpc_methods_list(const struct rpc_methods *methods, unsigned *ret_count)
{
    *ret_count = methods->method_count;
    return methods->methods;
}

const struct binding *rpc_methods_binding(const struct rpc_methods *methods, const char *name)
{
    struct named_binding key = {.name = name};
    const struct named_binding *found =
        bsearch(&key, methods->bindings, methods->binding_count, sizeof(key), by_name);
    return found ? found->binding : NULL;
}
