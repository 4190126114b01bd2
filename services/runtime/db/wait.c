/* wait.c: the one place where a worker waits for PostgreSQL.
 *
 * In nonblocking pipeline mode both sides can fill their socket buffers at once, and PQgetResult() with
 * output unflushed would then hang for ever. So: poll for reading and, while there is output, writing;
 * consume; flush; the caller takes results only while !PQisBusy().
 *
 * A wait ends by the answer, by the deadline of those it is for, by too long a silence, by the knowledge of other
 * connections that the server has gone silent, or because its caller went. Whatever ends it but the answer ends the
 * connection: PQcancel(), which would spare it, waits without a limit for a server that has been stopped. */
#include <errno.h>
#include <poll.h>

#include <isms/base/clock.h>

#include "internal.h"

enum { POLL_MS = 100 };

static int milliseconds_until(int64_t until_us)
{
    int64_t left = until_us - clock_monotonic_us();
    if (left <= 0)
        return 0;
    return left > 3600LL * 1000 * 1000 ? 3600 * 1000 : (int)((left + 999) / 1000);
}

bool wait_socket(int fd, short events, int64_t until_us)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    for (;;) {
        int timeout_ms = milliseconds_until(until_us);
        int ready = poll(&poll_fd, 1, timeout_ms);
        if (ready > 0)
            return true;
        if ((ready == 0 && clock_monotonic_us() >= until_us) || (ready < 0 && errno != EINTR))
            return false;
    }
}

/* Until the socket is ready. false: nothing more is to be expected, or wanted. */
static bool wait_watched(struct wait *wait, short events)
{
    struct db_connection *connection = wait->connection;
    const struct db_health *health = connection->options.health;
    int64_t since_us = clock_monotonic_us();
    int64_t until_us = since_us + connection->options.io_timeout_us;
    if (connection->deadline_us && connection->deadline_us < until_us)
        until_us = connection->deadline_us;
    for (;;) {
        bool asking = wait->watched && connection->is_cancelled;
        bool waking = asking && connection->wake_fd >= 0 && !wait->wake_fd_asked;
        struct pollfd poll_fds[2] = {
            {.fd = PQsocket(connection->pq), .events = events},
            {.fd = waking ? connection->wake_fd : -1, .events = POLLIN},
        };
        int timeout_ms = milliseconds_until(until_us);
        if ((asking || health) && timeout_ms > POLL_MS)
            timeout_ms = POLL_MS;
        int ready = poll(poll_fds, 2, timeout_ms);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && poll_fds[0].revents)
            return true;
        wait->wake_fd_asked = ready > 0;
        wait->cancelled = asking && ready >= 0 && connection->is_cancelled(connection->context);
        if (wait->cancelled || db_health_is_in_vain(health, since_us))
            return false;
        if (clock_monotonic_us() >= until_us) {
            db_health_waited(connection->options.health, since_us);
            return false;
        }
    }
}

/* libpq 15 forgets a sync that it has no memory to report, and would wait for ever for what it has read already; only
 * its message tells. (A server's message of that kind costs a connection for nothing.) */
static bool is_out_of_memory(const PGconn *pq)
{
    return strstr(PQerrorMessage(pq), "out of memory") != NULL;
}

bool wait_io(struct wait *wait)
{
    struct db_connection *connection = wait->connection;
    int unflushed = PQflush(connection->pq);
    if (unflushed >= 0 && !PQisBusy(connection->pq))
        return true; /* flushing reads, too, when it cannot write */
    if (unflushed < 0 || is_out_of_memory(connection->pq))
        return false;
    if (!wait_watched(wait, unflushed ? POLLIN | POLLOUT : POLLIN)) {
        wait->gave_up = true;
        return false;
    }
    if (!PQconsumeInput(connection->pq))
        return false;
    db_health_heard(connection->options.health);
    return true;
}
