/* The admin port as an operator's tools see it: over a socket, with plain HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>
#include <isms/obs/admin.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

static struct admin *admin;
static int descriptors_idle; /* how many are open while nobody is connected */
static _Atomic int database_state;
static _Atomic int cache_state;

static enum admin_state state_check(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    _Atomic int *state = context;
    if (*state != ADMIN_OK)
        snprintf(detail, ADMIN_DETAIL_SIZE, "\"refused\"\n");
    return (enum admin_state)*state;
}

static int descriptor_count(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static int connection_open(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(admin_port(admin))};
    const struct timeval patience = {.tv_sec = 20};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return peer;
}

/* Sends the bytes, says that there are no more, and reads until the server hangs up. */
static const char *answer_to(const char *request, size_t length)
{
    static struct buf answer;
    int peer = connection_open();
    if (!answer.data)
        buf_init(&answer, 8 << 20);
    buf_clear(&answer);
    while (length > 0) {
        ssize_t sent = send(peer, request, length, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        request += sent;
        length -= (size_t)sent;
    }
    shutdown(peer, SHUT_WR);
    char part[4096];
    for (ssize_t count; (count = recv(peer, part, sizeof(part), 0)) > 0;)
        buf_append(&answer, part, (size_t)count);
    close(peer);
    return answer.data;
}

static const char *get(const char *method, const char *path)
{
    char request[256];
    int length = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                          method, path);
    return answer_to(request, (size_t)length);
}

static int status_of(const char *answer)
{
    assert_int_equal(strncmp(answer, "HTTP/1.", 7), 0);
    return (int)strtol(answer + 9, NULL, 10);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static const struct admin_check all_checks[] = {
    {"database", state_check, &database_state},
    {"cache", state_check, &cache_state},
};

static int start(void **state UNUSED)
{
    struct err err = {0};
    log_init("isms-test", LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
    metrics_init("isms-test", "1");
    if (admin_start("127.0.0.1:0", all_checks, ARRAY_SIZE(all_checks), &admin, &err) != 0)
        return -1;
    descriptors_idle = descriptor_count();
    return 0;
}

static int stop(void **state UNUSED)
{
    admin_freep(&admin);
    admin_free(NULL);
    return 0;
}

static void test_alive_and_metrics(void **state UNUSED)
{
    assert_int_not_equal(admin_port(admin), 0);
    assert_int_equal(status_of(get("GET", "/livez")), 200);
    const char *answer = get("GET", "/metrics");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(body_of(answer), "\nisms_build_info{"));
}

static void assert_ready(int status, const char *text, const char *database, const char *cache)
{
    const char *answer = get("GET", "/readyz");
    assert_int_equal(status_of(answer), status);
    assert_non_null(strstr(answer, "Content-Type: application/json"));
    json_t *object = json_loads(body_of(answer), 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "status")), text);
    const json_t *checks = json_object_get(object, "checks");
    const char *expected[][2] = {{"database", database}, {"cache", cache}};
    assert_int_equal(json_array_size(checks), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *check = json_array_get(checks, i);
        assert_string_equal(json_string_value(json_object_get(check, "name")), expected[i][0]);
        assert_string_equal(json_string_value(json_object_get(check, "state")), expected[i][1]);
        assert_string_equal(json_string_value(json_object_get(check, "detail")),
                            strcmp(expected[i][1], "ok") == 0 ? "" : "\"refused\"\n");
    }
    json_decref(object);
}

static void test_readiness(void **state UNUSED)
{
    assert_ready(200, "ready", "ok", "ok");
    cache_state = ADMIN_DEGRADED;
    assert_ready(200, "ready", "ok", "degraded");
    database_state = ADMIN_FAILED;
    assert_ready(503, "not ready", "failed", "degraded");
    database_state = cache_state = ADMIN_OK;
    assert_ready(200, "ready", "ok", "ok");
}

static void test_head_has_no_body(void **state UNUSED)
{
    const char *answer = get("HEAD", "/metrics");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "");
}

static void test_anything_else_is_refused(void **state UNUSED)
{
    assert_int_equal(status_of(get("GET", "/")), 404);
    assert_int_equal(status_of(get("GET", "/metrics/")), 404);
    assert_int_equal(status_of(get("GET", "/../../etc/passwd")), 404);
    const char *answer = get("DELETE", "/metrics");
    assert_int_equal(status_of(answer), 405);
    assert_non_null(strstr(answer, "Allow: GET, HEAD"));
}

static void test_a_body_is_not_read(void **state UNUSED)
{
    static char request[200000];
    int head = snprintf(request, sizeof(request),
                        "GET /livez HTTP/1.1\r\nContent-Length: 1000000000\r\nHost: x\r\n\r\n");
    memset(request + head, 'x', sizeof(request) - (size_t)head);
    answer_to(request, sizeof(request)); /* returns: the server hung up, long before the announced end */
    assert_int_equal(status_of(get("GET", "/livez")), 200);
}

static void test_huge_headers_and_garbage(void **state UNUSED)
{
    static char request[300000];
    int head = snprintf(request, sizeof(request), "GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ");
    memset(request + head, 'x', sizeof(request) - (size_t)head);
    answer_to(request, sizeof(request));
    memset(request, 0xFE, sizeof(request));
    answer_to(request, sizeof(request));
    answer_to("\r\n\r\n\0\0\0 \r\n\r\n", 12 + 1);
    assert_int_equal(status_of(get("GET", "/livez")), 200);
}

static void test_connections_are_bounded(void **state UNUSED)
{
    int peers[100];
    for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
        peers[i] = connection_open();
    int64_t deadline = clock_monotonic_us() + 20 * INT64_C(1000000);
    int accepted;
    do
        accepted = descriptor_count() - descriptors_idle - (int)ARRAY_SIZE(peers);
    while (accepted != 32 && clock_monotonic_us() < deadline);
    assert_int_equal(accepted, 32);
    for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
        close(peers[i]);
    assert_int_equal(status_of(get("GET", "/livez")), 200);
}

static void test_addresses_that_cannot_be_listened_on(void **state UNUSED)
{
    char taken[32];
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", admin_port(admin));
    const char *const wrong[] = {
        "", "127.0.0.1", ":9091", "localhost:1", "127.0.0.1:99999", "127.0.0.1:x", "127.0.0.1:", "192.0.2.1:0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1", taken,
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct admin *another = NULL;
        struct err err = {0};
        if (admin_start(wrong[i], all_checks, ARRAY_SIZE(all_checks), &another, &err) != -1)
            fail_msg("%s is listened on", wrong[i]);
        assert_null(another);
        assert_non_null(strstr(err.message, wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alive_and_metrics),
        cmocka_unit_test(test_readiness),
        cmocka_unit_test(test_head_has_no_body),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_a_body_is_not_read),
        cmocka_unit_test(test_huge_headers_and_garbage),
        cmocka_unit_test(test_connections_are_bounded),
        cmocka_unit_test(test_addresses_that_cannot_be_listened_on),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
