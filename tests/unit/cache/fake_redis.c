#include "fake_redis.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isms/base/bug.h>

enum { COMMAND_MAX = 4096 };

struct fake_redis {
    bool (*answer)(const char *command, FILE *out);
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t mutex;
    int connection; /* -1: none; under the mutex */
    bool ending;    /* under the mutex */
};

/* "*2\r\n$3\r\nGET\r\n$1\r\na\r\n" as "GET a". */
static bool command_read(FILE *in, char *command)
{
    char line[64];
    size_t length = 0;
    if (!fgets(line, sizeof(line), in) || line[0] != '*')
        return false;
    for (long left = strtol(line + 1, NULL, 10); left > 0; left--) {
        if (!fgets(line, sizeof(line), in))
            return false;
        size_t size = strtoul(line + 1, NULL, 10);
        BUG_IF(length + size + 2 > COMMAND_MAX);
        if (length > 0)
            command[length++] = ' ';
        if (fread(command + length, 1, size, in) != size || fread(line, 1, 2, in) != 2)
            return false;
        length += size;
    }
    command[length] = '\0';
    return true;
}

static void serve(struct fake_redis *redis, int connection)
{
    char command[COMMAND_MAX];
    FILE *in = fdopen(connection, "r"), *out = fdopen(dup(connection), "w");
    BUG_IF(!in || !out);
    while (command_read(in, command) && redis->answer(command, out) && fflush(out) == 0)
        ;
    pthread_mutex_lock(&redis->mutex);
    redis->connection = -1;
    pthread_mutex_unlock(&redis->mutex);
    fclose(out);
    fclose(in);
}

static void *run(void *context)
{
    struct fake_redis *redis = context;
    for (;;) {
        int connection = accept(redis->listener, NULL, NULL);
        pthread_mutex_lock(&redis->mutex);
        redis->connection = connection;
        bool ending = redis->ending;
        pthread_mutex_unlock(&redis->mutex);
        if (ending || connection < 0) {
            if (connection >= 0)
                close(connection);
            return NULL;
        }
        serve(redis, connection);
    }
}

struct fake_redis *fake_redis_new(bool (*answer)(const char *command, FILE *out))
{
    struct fake_redis *redis = calloc(1, sizeof(*redis));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    BUG_IF(!redis);
    redis->answer = answer;
    redis->connection = -1;
    redis->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BUG_IF(bind(redis->listener, (struct sockaddr *)&address, size) < 0 || listen(redis->listener, 8) < 0);
    BUG_IF(getsockname(redis->listener, (struct sockaddr *)&address, &size) < 0);
    redis->port = ntohs(address.sin_port);
    BUG_IF(pthread_mutex_init(&redis->mutex, NULL) != 0);
    BUG_IF(pthread_create(&redis->thread, NULL, run, redis) != 0);
    return redis;
}

void fake_redis_free(struct fake_redis *redis)
{
    pthread_mutex_lock(&redis->mutex);
    redis->ending = true;
    shutdown(redis->listener, SHUT_RDWR);
    if (redis->connection >= 0)
        shutdown(redis->connection, SHUT_RDWR);
    pthread_mutex_unlock(&redis->mutex);
    pthread_join(redis->thread, NULL);
    close(redis->listener);
    pthread_mutex_destroy(&redis->mutex);
    free(redis);
}

int fake_redis_port(const struct fake_redis *redis)
{
    return redis->port;
}
