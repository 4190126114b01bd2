/* admin.c: libmicrohttpd with one thread that polls.
 *
 * The answers are small and made in memory that grows to a fixed maximum. A request cannot cost more: headers
 * are limited by the connection's memory, connections by number and by time, and a body is not read at all. */
#include <isms/obs/admin.h>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/json_text.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

enum { CONNECTIONS_MAX = 32, TIMEOUT_S = 10, CONNECTION_MEMORY = 16 * 1024, ANSWER_MAX = 8 * 1024 * 1024 };

static const char TEXT[] = "text/plain; charset=utf-8";
static const char METRICS[] = "text/plain; version=0.0.4; charset=utf-8";
static const char JSON[] = "application/json";

struct admin {
    struct MHD_Daemon *daemon;
    uint16_t port;
    size_t check_count;
    struct admin_check checks[ADMIN_CHECKS_MAX];
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct buf *body)
{
    size_t length;
    char *data = buf_take(body, &length);
    if (!data)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(length, data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(data);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        result &= MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (result == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Appends the checks as JSON; false when one has failed. */
static bool checks_append(const struct admin *admin, struct buf *body)
{
    static const char *const names[] = {
        [ADMIN_OK] = "ok", [ADMIN_DEGRADED] = "degraded", [ADMIN_FAILED] = "failed"};
    bool ready = true;
    for (size_t i = 0; i < admin->check_count; i++) {
        const struct admin_check *check = &admin->checks[i];
        char detail[ADMIN_DETAIL_SIZE] = "";
        enum admin_state state = check->check(check->context, detail);
        ready = ready && state != ADMIN_FAILED;
        buf_text(body, i ? ",{\"name\":" : "{\"name\":");
        json_text_append(body, check->name, strlen(check->name));
        buf_printf(body, ",\"state\":\"%s\",\"detail\":", names[state]);
        json_text_append(body, detail, strnlen(detail, sizeof(detail)));
        buf_char(body, '}');
    }
    return ready;
}

static enum MHD_Result readiness_answer(const struct admin *admin, struct MHD_Connection *connection)
{
    struct buf checks CLEANUP(buf_release);
    struct buf body CLEANUP(buf_release);
    buf_init(&checks, ANSWER_MAX);
    buf_init(&body, ANSWER_MAX);
    bool ready = checks_append(admin, &checks);
    buf_printf(&body, "{\"status\":\"%s\",\"checks\":[%s]}\n", ready ? "ready" : "not ready", checks.data);
    return answer(connection, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, JSON, &body);
}

static enum MHD_Result request_answer(void *context, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version UNUSED,
                                      const char *upload UNUSED, size_t *upload_size, void **state)
{
    static char headers_seen;
    if (!*state) { /* first call, with the headers only: the answer comes when the request is complete */
        *state = &headers_seen;
        return MHD_YES;
    }
    if (*upload_size)
        return MHD_NO; /* nothing here takes a body: hang up */

    struct buf body CLEANUP(buf_release);
    buf_init(&body, ANSWER_MAX);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        buf_text(&body, "only GET and HEAD\n");
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT, &body);
    }
    if (strcmp(url, "/readyz") == 0)
        return readiness_answer(context, connection);
    if (strcmp(url, "/livez") == 0) {
        buf_text(&body, "alive\n");
        return answer(connection, MHD_HTTP_OK, TEXT, &body);
    }
    if (strcmp(url, "/metrics") == 0) {
        metrics_expose(&body);
        return answer(connection, MHD_HTTP_OK, METRICS, &body);
    }
    buf_text(&body, "there are /metrics, /livez and /readyz\n");
    return answer(connection, MHD_HTTP_NOT_FOUND, TEXT, &body);
}

static void PRINTF_LIKE(2, 0) message_log(void *context UNUSED, const char *format, va_list arguments)
{
    char text[256];
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    LOG(DEBUG, "admin port", LOG_STR("detail", text));
}

/* "host:port" or "[host]:port" of a numeric host. */
static int address_resolve(const char *address, struct addrinfo **ret_list, struct err *err)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;
    if (length == 0 || length >= sizeof(host))
        goto invalid;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] || strtoul(colon + 1, NULL, 10) > UINT16_MAX)
        goto invalid; /* getaddrinfo() would take 65537 for 1 */
    memcpy(host, address, length);
    host[length] = '\0';
    char *name = host;
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        name++;
    }
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    if (getaddrinfo(name, colon + 1, &hints, ret_list) == 0)
        return 0;
invalid:
    return err_setf(err, ERR_INTERNAL, "%s is not a numeric host and a port, like 127.0.0.1:9091", address);
}

int admin_start(const char *address, const struct admin_check *checks, size_t count, struct admin **ret_admin,
                struct err *err)
{
    struct addrinfo *list;
    BUG_IF(count > ADMIN_CHECKS_MAX);
    if (address_resolve(address, &list, err) != 0)
        return -1;
    struct admin *admin = calloc(1, sizeof(*admin));
    if (!admin) {
        freeaddrinfo(list);
        return err_setf(err, ERR_INTERNAL, "out of memory");
    }
    admin->check_count = count;
    memcpy(admin->checks, checks, count * sizeof(*checks));

    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
    if (list->ai_family == AF_INET6)
        flags |= MHD_USE_DUAL_STACK;
    admin->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, request_answer, admin, MHD_OPTION_EXTERNAL_LOGGER, message_log, NULL,
        MHD_OPTION_SOCK_ADDR, list->ai_addr, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    freeaddrinfo(list);
    const union MHD_DaemonInfo *info =
        admin->daemon ? MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        admin_free(admin);
        return err_setf(err, ERR_INTERNAL, "cannot listen on %s", address);
    }
    admin->port = info->port;
    *ret_admin = admin;
    return 0;
}

uint16_t admin_port(const struct admin *admin)
{
    return admin->port;
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    if (admin->daemon)
        MHD_stop_daemon(admin->daemon);
    free(admin);
}

void admin_freep(struct admin **admin)
{
    admin_free(*admin);
    *admin = NULL;
}
