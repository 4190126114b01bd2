#include "proxy.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NO_CUT = -1, HEADER_SIZE = 5 };

struct proxy {
    struct addrinfo *server;
    int listener;
    int stop[2]; /* closed at the writing end: the thread ends */
    char address[64];
    pthread_t thread;
    atomic_long budget[2]; /* bytes still to pass, or NO_CUT */
    atomic_bool silent;
    atomic_int accepted;
    const void *message;
    atomic_long message_length; /* 0: nothing to inject */
    /* Where the server's stream stands. */
    uint8_t header[HEADER_SIZE];
    size_t header_length;
    size_t body_left;
};

static bool send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Passes bytes as far as the budget goes. false: cut now. */
static bool pass(struct proxy *proxy, enum proxy_direction direction, int fd, const char *data, size_t length)
{
    long budget = atomic_load(&proxy->budget[direction]);
    size_t passed = budget != NO_CUT && (size_t)budget < length ? (size_t)budget : length;
    if (direction == PROXY_TO_CLIENT && atomic_load(&proxy->silent))
        return true;
    /* Before it is sent: the test that has received it may set another budget. */
    if (budget != NO_CUT)
        atomic_store(&proxy->budget[direction], budget - (long)passed);
    return send_all(fd, data, passed) && passed == length;
}

/* Follows the messages' frames to find the next ReadyForQuery. */
static bool pass_to_client(struct proxy *proxy, int fd, const char *data, size_t length)
{
    while (length > 0) {
        size_t part;
        if (proxy->body_left) {
            part = proxy->body_left < length ? proxy->body_left : length;
            proxy->body_left -= part;
            if (!pass(proxy, PROXY_TO_CLIENT, fd, data, part))
                return false;
        } else {
            part = 1;
            proxy->header[proxy->header_length++] = (uint8_t)*data;
            if (proxy->header_length == HEADER_SIZE) {
                uint32_t size;
                memcpy(&size, proxy->header + 1, sizeof(size));
                proxy->body_left = ntohl(size) - 4;
                proxy->header_length = 0;
                long injected = proxy->header[0] == 'Z' ? atomic_exchange(&proxy->message_length, 0) : 0;
                if (injected && !pass(proxy, PROXY_TO_CLIENT, fd, proxy->message, (size_t)injected))
                    return false;
                if (!pass(proxy, PROXY_TO_CLIENT, fd, (const char *)proxy->header, HEADER_SIZE))
                    return false;
            }
        }
        data += part;
        length -= part;
    }
    return true;
}

static bool pump(struct proxy *proxy, int client, int server)
{
    struct pollfd fds[3] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN},
                            {.fd = proxy->stop[0], .events = POLLIN}};
    char data[16384];
    while (poll(fds, 3, -1) > 0 && !fds[2].revents) {
        for (int i = 0; i < 2; i++) {
            if (!fds[i].revents)
                continue;
            ssize_t length = recv(fds[i].fd, data, sizeof(data), 0);
            if (length <= 0)
                return true;
            if (i == 0 ? !pass(proxy, PROXY_TO_SERVER, server, data, (size_t)length)
                       : !pass_to_client(proxy, client, data, (size_t)length))
                return true;
        }
    }
    return false;
}

static void *proxy_main(void *context)
{
    struct proxy *proxy = context;
    struct pollfd fds[2] = {{.fd = proxy->listener, .events = POLLIN},
                            {.fd = proxy->stop[0], .events = POLLIN}};
    bool running = true;
    while (running && poll(fds, 2, -1) > 0 && !fds[1].revents) {
        int client = accept(proxy->listener, NULL, NULL);
        int server = socket(proxy->server->ai_family, SOCK_STREAM, 0);
        /* It forwards in small pieces, which Nagle's algorithm would hold back. */
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        proxy->header_length = 0;
        proxy->body_left = 0;
        atomic_fetch_add(&proxy->accepted, 1);
        if (connect(server, proxy->server->ai_addr, proxy->server->ai_addrlen) == 0)
            running = pump(proxy, client, server);
        atomic_store(&proxy->budget[PROXY_TO_SERVER], NO_CUT);
        atomic_store(&proxy->budget[PROXY_TO_CLIENT], NO_CUT);
        atomic_store(&proxy->silent, false);
        close(client);
        close(server);
    }
    return NULL;
}

struct proxy *proxy_new(const char *host, int port)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    char service[16];
    snprintf(service, sizeof(service), "%d", port);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    atomic_store(&proxy->budget[PROXY_TO_SERVER], NO_CUT);
    atomic_store(&proxy->budget[PROXY_TO_CLIENT], NO_CUT);
    if (getaddrinfo(host, service, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &proxy->server)
        || pipe(proxy->stop)
        || bind(proxy->listener, (struct sockaddr *)&address, sizeof(address)) || listen(proxy->listener, 8)
        || getsockname(proxy->listener, (struct sockaddr *)&address, &length)) {
        perror("proxy");
        abort();
    }
    snprintf(proxy->address, sizeof(proxy->address), "127.0.0.1:%d", ntohs(address.sin_port));
    pthread_create(&proxy->thread, NULL, proxy_main, proxy);
    return proxy;
}

void proxy_freep(struct proxy **pointer)
{
    struct proxy *proxy = *pointer;
    if (!proxy)
        return;
    close(proxy->stop[1]);
    pthread_join(proxy->thread, NULL);
    close(proxy->stop[0]);
    close(proxy->listener);
    freeaddrinfo(proxy->server);
    free(proxy);
}

const char *proxy_address(const struct proxy *proxy)
{
    return proxy->address;
}

void proxy_cut(struct proxy *proxy, enum proxy_direction direction, long bytes)
{
    atomic_store(&proxy->budget[direction], bytes);
}

void proxy_silence(struct proxy *proxy)
{
    atomic_store(&proxy->silent, true);
}

void proxy_inject(struct proxy *proxy, const void *message, long length)
{
    proxy->message = message;
    atomic_store(&proxy->message_length, length);
}

int proxy_accepted(const struct proxy *proxy)
{
    return atomic_load(&proxy->accepted);
}
