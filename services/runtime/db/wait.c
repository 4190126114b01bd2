/* wait.c: the one place where a worker waits for PostgreSQL.
 *
 * In nonblocking pipeline mode both sides can fill their socket buffers at once, and PQgetResult() with
 * output unflushed would then hang for ever. So: poll for reading and, while there is output, writing;
 * consume; flush; the caller takes results only while !PQisBusy(). Cancelling is PQcancel(), which needs a
 * connection of its own and blocks for a round trip; libpq bounds it by the same timeouts of TCP. */
#include <errno.h>
#include <poll.h>

#include <isms/base/clock.h>

#include "internal.h"

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

static void watch_ask(struct wait *wait)
{
    struct db_connection *connection = wait->connection;
    if (!connection->is_cancelled(connection->context))
        return;
    wait->cancelled = true;
    PGcancel *cancel = PQgetCancel(connection->pq);
    char text[256];
    if (!cancel || !PQcancel(cancel, text, sizeof(text)))
        connection_problem(connection, "cancelling", cancel ? text : "out of memory");
    PQfreeCancel(cancel);
}

/* Waits for the socket, and meanwhile asks the watch. 1: ready, 0: too long silent, -1: failed. */
static int wait_watched(struct wait *wait, short events)
{
    struct db_connection *connection = wait->connection;
    int64_t silence_ends_us = clock_monotonic_us() + connection->options.io_timeout_us;
    for (;;) {
        bool asking = wait->watched && connection->is_cancelled && !wait->cancelled;
        bool waking = asking && connection->wake_fd >= 0 && !wait->wake_fd_asked;
        struct pollfd poll_fds[2] = {
            {.fd = PQsocket(connection->pq), .events = events},
            {.fd = waking ? connection->wake_fd : -1, .events = POLLIN},
        };
        int timeout_ms = milliseconds_until(silence_ends_us);
        if (asking && timeout_ms > DB_CANCEL_POLL_MS)
            timeout_ms = DB_CANCEL_POLL_MS;
        int ready = poll(poll_fds, 2, timeout_ms);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready > 0 && poll_fds[0].revents)
            return 1;
        if (clock_monotonic_us() >= silence_ends_us)
            return 0;
        wait->wake_fd_asked = ready > 0;
        if (asking && ready >= 0)
            watch_ask(wait);
    }
}

bool wait_io(struct wait *wait)
{
    struct db_connection *connection = wait->connection;
    int unflushed = PQflush(connection->pq);
    if (unflushed >= 0 && !PQisBusy(connection->pq))
        return true; /* flushing reads, too, when it cannot write */
    if (unflushed < 0)
        return false;
    int ready = wait_watched(wait, unflushed ? POLLIN | POLLOUT : POLLIN);
    if (ready == 0)
        connection_problem(connection, "waiting", "no answer within the time allowed");
    return ready > 0 && PQconsumeInput(connection->pq);
}
