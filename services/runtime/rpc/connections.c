/* connections.c: see connections.h. */
#include <isms/rpc/connections.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool is_of_port(int descriptor, uint16_t port)
{
    union address address;
    socklen_t length = sizeof(address);
    int listens = 0;
    socklen_t listens_length = sizeof(listens);
    if (getsockname(descriptor, &address.any, &length) != 0)
        return false;
    in_port_t found = address.any.sa_family == AF_INET    ? address.v4.sin_port
                      : address.any.sa_family == AF_INET6 ? address.v6.sin6_port
                                                          : 0;
    return ntohs(found) == port &&
           getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_length) == 0 && !listens;
}

/* Ends a connection, and drops what it has received and nobody has read: megabytes, which shutdown() would leave. */
static bool disconnect(int descriptor)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return connect(descriptor, &nobody, sizeof(nobody)) == 0;
}

unsigned connections_end(uint16_t port, connection_choose *choose, void *context)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int descriptor = (int)strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && is_of_port(descriptor, port) && choose(context, descriptor) &&
            disconnect(descriptor))
            count++;
    }
    closedir(folder);
    return count;
}

void connection_peer(int descriptor, char ret_peer[static PEER_TEXT_SIZE])
{
    union address address;
    socklen_t length = sizeof(address);
    char text[INET6_ADDRSTRLEN];
    ret_peer[0] = '\0';
    if (getpeername(descriptor, &address.any, &length) != 0)
        return;
    const uint8_t *v4 = NULL;
    if (address.any.sa_family == AF_INET)
        v4 = (const uint8_t *)&address.v4.sin_addr;
    else if (address.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr))
        v4 = address.v6.sin6_addr.s6_addr + 12;
    else if (address.any.sa_family != AF_INET6)
        return;
    unsigned port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    if (v4)
        snprintf(ret_peer, PEER_TEXT_SIZE, "ipv4:%u.%u.%u.%u:%u", v4[0], v4[1], v4[2], v4[3], port);
    else if (inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text)))
        snprintf(ret_peer, PEER_TEXT_SIZE, "ipv6:%%5B%s%%5D:%u", text, port);
}
