/* fake_redis.h: a Redis that answers whatever a test wants, one connection at a time. */
#ifndef ISMS_TESTS_FAKE_REDIS_H
#define ISMS_TESTS_FAKE_REDIS_H

#include <stdbool.h>
#include <stdio.h>

struct fake_redis;

/* Answers one command, whose words are joined by spaces. false closes the connection. Called by a thread of
 * the server's. */
struct fake_redis *fake_redis_new(bool (*answer)(const char *command, FILE *out));
void fake_redis_free(struct fake_redis *redis);
int fake_redis_port(const struct fake_redis *redis);

#endif
