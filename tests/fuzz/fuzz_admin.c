/* fuzz_admin.c: bytes at the admin port, which hangs up in its own time and goes on answering. The sender says that it
 * has no more to say, so that what is incomplete ends at once. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isms/obs/admin.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "fuzz.h"

enum { ANSWER_SIZE = 256 * 1024, PATIENCE_S = 20 };

static enum admin_state hostile_check(void *context UNUSED, char detail[static ADMIN_DETAIL_SIZE])
{
    snprintf(detail, ADMIN_DETAIL_SIZE, "\"\\\r\n\xFF</script>");
    return ADMIN_DEGRADED;
}

static int connection_open(void)
{
    static const struct admin_check hostile = {.name = "hostile", .check = hostile_check};
    static struct admin *admin;
    struct err err = {0};
    if (!admin) {
        log_init("isms-fuzz", LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
        metrics_init("isms-fuzz", "1");
        BUG_IF(admin_start("127.0.0.1:0", &hostile, 1, &admin, &err) < 0);
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(admin_port(admin))};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct linger reset = {.l_onoff = 1}; /* no connection left in TIME_WAIT: there are many */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    BUG_IF(peer < 0 || connect(peer, (struct sockaddr *)&address, sizeof(address)) != 0);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return peer;
}

/* Sends all and reads until the server hangs up; what fits of the answer. */
static size_t exchange(const void *data, size_t length, char answer[static ANSWER_SIZE])
{
    int peer = connection_open();
    size_t got = 0;
    char rest[4096];
    while (length > 0) {
        ssize_t sent = send(peer, data, length, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        data = (const char *)data + sent;
        length -= (size_t)sent;
    }
    shutdown(peer, SHUT_WR);
    for (;;) {
        char *to = got < ANSWER_SIZE ? answer + got : rest;
        ssize_t count = recv(peer, to, got < ANSWER_SIZE ? ANSWER_SIZE - got : sizeof(rest), 0);
        if (count <= 0)
            break;
        got += to == rest ? 0 : (size_t)count;
    }
    close(peer);
    return got;
}

/* libFuzzer looks at the time by a signal, which would end a connect() or recv() in the middle. */
static void alarms(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(how, &set, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[ANSWER_SIZE];
    static const char ready[] = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    alarms(SIG_BLOCK);
    size_t length = exchange(data, size, answer);
    BUG_IF(length > 0 && (length < 9 || memcmp(answer, "HTTP/1.", 7) != 0));
    length = exchange(ready, strlen(ready), answer);
    alarms(SIG_UNBLOCK);
    BUG_IF(length < 13 || strncmp(answer, "HTTP/1.1 200 ", 13) != 0);
    return 0;
}
