/* load.c: keeps a number of calls in flight, and says what became of them.
 *
 *   isms-bench-load --address=HOST:PORT [OPTION...] KIND=WEIGHT...
 *
 * KIND is get, list, create or echo. Closed loop: a call is made when one has been answered; with --rate=N, at the
 * moments that makes, and its time counts from then on, however late it could be sent. h2load could do as much, but
 * takes an answer with a failed grpc-status for a success; here every status and every answer is looked at, and one
 * failure is a failed run, but for RESOURCE_EXHAUSTED with --refusals=1. Each thread has connections, a completion
 * queue and calls of its own and shares nothing. Prints one line of JSON. */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

#include "requests.h"

enum {
    THREADS_MAX = 16,
    CONNECTIONS_MAX = 64, /* a thread */
    LATENCY_MAX_US = 1000 * 1000,
    DEADLINE_US = 20 * 1000 * 1000,
    CREDENTIAL_MAX = 4096,
    FAILURE_SIZE = 256
};

struct plan {
    const char *address;
    struct requests requests;
    unsigned weights[REQUEST_KINDS];
    unsigned weight_sum;
    unsigned threads;
    unsigned connections; /* a thread */
    unsigned in_flight;   /* a thread */
    double rate;          /* a thread; 0: as fast as answers come */
    bool refusals;        /* are no failures */
    char authorization[sizeof("Bearer ") + CREDENTIAL_MAX];
    int64_t from_us; /* the window that is measured, monotonic */
    int64_t until_us;
};

struct driver {
    const struct plan *plan;
    pthread_t thread;
    unsigned number;
    uint64_t random;
    grpc_completion_queue *queue;
    grpc_channel *channels[CONNECTIONS_MAX];
    void *methods[CONNECTIONS_MAX][REQUEST_KINDS];
    unsigned in_flight;
    uint64_t all;     /* answered, warm-up included */
    uint64_t counted; /* answered in the window */
    uint64_t refused; /* of those */
    uint64_t failed;
    double due_us;    /* when the next call is, with a rate */
    unsigned idle;
    struct flight **idle_flights;
    char failure[FAILURE_SIZE]; /* the first */
    uint32_t *latencies;        /* how many calls took so many microseconds; the last is "or more" */
};

/* A call in flight. */
struct flight {
    unsigned connection;
    enum request_kind kind;
    uint64_t random;
    int64_t began_us;
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *response;
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code code;
    grpc_slice message;
};

/* --- one call ------------------------------------------------------------------------------------------- */

static uint64_t random_next(struct driver *driver) /* xorshift64 */
{
    driver->random ^= driver->random << 13;
    driver->random ^= driver->random >> 7;
    driver->random ^= driver->random << 17;
    return driver->random;
}

static enum request_kind kind_choose(struct driver *driver)
{
    unsigned point = (unsigned)(random_next(driver) % driver->plan->weight_sum);
    enum request_kind kind = 0;
    while (point >= driver->plan->weights[kind])
        point -= driver->plan->weights[kind++];
    return kind;
}

static void flight_start(struct driver *driver, struct flight *flight)
{
    const struct plan *plan = driver->plan;
    uint8_t bytes[REQUEST_SIZE_MAX];
    flight->kind = kind_choose(driver);
    flight->random = random_next(driver);
    size_t length = request_pack(&plan->requests, flight->kind, flight->random, bytes);
    grpc_slice body = grpc_slice_from_copied_buffer((const char *)bytes, length);
    flight->request = grpc_raw_byte_buffer_create(&body, 1);
    grpc_slice_unref(body);
    flight->response = NULL;
    grpc_metadata_array_init(&flight->headers);
    grpc_metadata_array_init(&flight->trailers);
    flight->began_us = plan->rate > 0 ? (int64_t)driver->due_us : clock_monotonic_us();
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(DEADLINE_US, GPR_TIMESPAN));
    flight->call = grpc_channel_create_registered_call(
        driver->channels[flight->connection], NULL, 0, driver->queue,
        driver->methods[flight->connection][flight->kind], deadline, NULL);
    grpc_metadata authorization = {.key = grpc_slice_from_static_string("authorization"),
                                   .value = grpc_slice_from_static_string(plan->authorization)};
    grpc_op operations[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE}, {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    operations[0].data.send_initial_metadata.count = plan->authorization[0] ? 1 : 0;
    operations[0].data.send_initial_metadata.metadata = &authorization;
    operations[1].data.send_message.send_message = flight->request;
    operations[3].data.recv_initial_metadata.recv_initial_metadata = &flight->headers;
    operations[4].data.recv_message.recv_message = &flight->response;
    operations[5].data.recv_status_on_client.trailing_metadata = &flight->trailers;
    operations[5].data.recv_status_on_client.status = &flight->code;
    operations[5].data.recv_status_on_client.status_details = &flight->message;
    BUG_IF(grpc_call_start_batch(flight->call, operations, ARRAY_SIZE(operations), flight, NULL) != GRPC_CALL_OK);
    driver->in_flight++;
}

static bool flight_is_good(const struct plan *plan, const struct flight *flight)
{
    grpc_byte_buffer_reader reader;
    if (flight->code != GRPC_STATUS_OK || !flight->response ||
        !grpc_byte_buffer_reader_init(&reader, flight->response))
        return false;
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    bool good = answer_is_right(&plan->requests, flight->kind, flight->random, GRPC_SLICE_START_PTR(whole),
                                GRPC_SLICE_LENGTH(whole));
    grpc_slice_unref(whole);
    return good;
}

static void flight_finish(struct driver *driver, struct flight *flight)
{
    const struct plan *plan = driver->plan;
    int64_t now_us = clock_monotonic_us();
    driver->in_flight--;
    driver->all++;
    bool refused = plan->refusals && flight->code == GRPC_STATUS_RESOURCE_EXHAUSTED;
    driver->refused += refused;
    if (!refused && !flight_is_good(plan, flight) && driver->failed++ == 0)
        snprintf(driver->failure, sizeof(driver->failure), "%s: status %d %.*s", request_path(flight->kind),
                 (int)flight->code, (int)GRPC_SLICE_LENGTH(flight->message),
                 (const char *)GRPC_SLICE_START_PTR(flight->message));
    if (!refused && now_us >= plan->from_us && now_us < plan->until_us) {
        int64_t took_us = now_us - flight->began_us;
        driver->latencies[took_us < LATENCY_MAX_US ? took_us : LATENCY_MAX_US]++;
        driver->counted++;
    }
    grpc_byte_buffer_destroy(flight->request);
    grpc_byte_buffer_destroy(flight->response);
    grpc_metadata_array_destroy(&flight->headers);
    grpc_metadata_array_destroy(&flight->trailers);
    grpc_slice_unref(flight->message);
    grpc_call_unref(flight->call);
}

/* --- a thread ------------------------------------------------------------------------------------------- */

static void channels_open(struct driver *driver)
{
    grpc_arg list[] = {
        /* else channels to one address share one connection */
        {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1},
        {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)GRPC_ARG_ENABLE_CHANNELZ, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)GRPC_ARG_ENABLE_RETRIES, .value.integer = 0},
    };
    grpc_channel_args arguments = {.num_args = ARRAY_SIZE(list), .args = list};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    for (unsigned i = 0; i < driver->plan->connections; i++) {
        driver->channels[i] = grpc_channel_create(driver->plan->address, credentials, &arguments);
        for (enum request_kind kind = 0; kind < REQUEST_KINDS; kind++)
            driver->methods[i][kind] =
                grpc_channel_register_call(driver->channels[i], request_path(kind), NULL, NULL);
    }
    grpc_channel_credentials_release(credentials);
}

/* Starts what is due now. */
static void flights_start(struct driver *driver)
{
    const struct plan *plan = driver->plan;
    int64_t now_us = clock_monotonic_us();
    while (driver->idle > 0 && driver->failed == 0 && now_us < plan->until_us &&
           (plan->rate == 0 || driver->due_us <= (double)now_us)) {
        flight_start(driver, driver->idle_flights[--driver->idle]);
        driver->due_us += plan->rate > 0 ? 1e6 / plan->rate : 0;
    }
}

/* The next answer, or NULL when the next call is due. */
static struct flight *flight_wait(struct driver *driver)
{
    gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    if (driver->idle > 0 && driver->plan->rate > 0) {
        int64_t left_us = (int64_t)driver->due_us - clock_monotonic_us();
        until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                             gpr_time_from_micros(left_us > 0 ? left_us : 0, GPR_TIMESPAN));
    }
    grpc_event event = grpc_completion_queue_next(driver->queue, until, NULL);
    return event.type == GRPC_OP_COMPLETE ? event.tag : NULL;
}

static void *driver_main(void *argument)
{
    struct driver *driver = argument;
    const struct plan *plan = driver->plan;
    struct flight *flights = calloc(plan->in_flight, sizeof(*flights));
    driver->idle_flights = calloc(plan->in_flight, sizeof(*driver->idle_flights));
    BUG_IF(!flights || !driver->idle_flights);
    driver->queue = grpc_completion_queue_create_for_next(NULL);
    channels_open(driver);
    for (unsigned i = 0; i < plan->in_flight; i++) {
        flights[i].connection = i % plan->connections;
        driver->idle_flights[driver->idle++] = &flights[i];
    }
    driver->due_us = (double)clock_monotonic_us();
    do { /* every call has a deadline, so this ends */
        flights_start(driver);
        struct flight *flight = flight_wait(driver);
        if (flight) {
            flight_finish(driver, flight);
            driver->idle_flights[driver->idle++] = flight;
        }
    } while (driver->in_flight > 0 || (driver->failed == 0 && clock_monotonic_us() < plan->until_us));
    for (unsigned i = 0; i < plan->connections; i++)
        grpc_channel_destroy(driver->channels[i]);
    grpc_completion_queue_shutdown(driver->queue);
    while (grpc_completion_queue_next(driver->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
           GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(driver->queue);
    free(driver->idle_flights);
    free(flights);
    return NULL;
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static unsigned percentile_us(const uint32_t *latencies, uint64_t count, double share)
{
    uint64_t wanted = (uint64_t)((double)count * share);
    uint64_t seen = 0;
    for (unsigned i = 0; i < LATENCY_MAX_US; i++) {
        seen += latencies[i];
        if (seen > wanted)
            return i;
    }
    return LATENCY_MAX_US;
}

/* 0: every answer was right. */
static int drivers_report(struct driver *drivers, const struct plan *plan)
{
    struct driver *sum = &drivers[0];
    double seconds = (double)(plan->until_us - plan->from_us) / 1e6;
    for (unsigned i = 1; i < plan->threads; i++) {
        sum->all += drivers[i].all;
        sum->counted += drivers[i].counted;
        sum->refused += drivers[i].refused;
        sum->failed += drivers[i].failed;
        if (!sum->failure[0])
            memcpy(sum->failure, drivers[i].failure, sizeof(sum->failure));
        for (unsigned us = 0; us <= LATENCY_MAX_US; us++)
            sum->latencies[us] += drivers[i].latencies[us];
    }
    if (sum->failed > 0)
        fprintf(stderr, "%" PRIu64 " calls failed; the first: %s\n", sum->failed, sum->failure);
    printf("{\"all\": %" PRIu64 ", \"calls\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"failed\": %" PRIu64 ", "
           "\"per_second\": %.1f, "
           "\"p50_us\": %u, \"p95_us\": %u, \"p99_us\": %u}\n",
           sum->all, sum->counted, sum->refused, sum->failed, (double)sum->counted / seconds,
           percentile_us(sum->latencies, sum->counted, 0.50), percentile_us(sum->latencies, sum->counted, 0.95),
           percentile_us(sum->latencies, sum->counted, 0.99));
    return sum->failed > 0 || sum->counted + sum->refused == 0;
}

static int plan_run(struct plan *plan, double warm_up, double seconds)
{
    static struct driver drivers[THREADS_MAX];
    plan->from_us = clock_monotonic_us() + (int64_t)(warm_up * 1e6);
    plan->until_us = plan->from_us + (int64_t)(seconds * 1e6);
    grpc_init();
    for (unsigned i = 0; i < plan->threads; i++) {
        drivers[i] = (struct driver){.plan = plan, .number = i, .random = UINT64_C(0x9e3779b97f4a7c15) * (i + 1)};
        drivers[i].latencies = calloc(LATENCY_MAX_US + 1, sizeof(uint32_t));
        BUG_IF(!drivers[i].latencies || pthread_create(&drivers[i].thread, NULL, driver_main, &drivers[i]) != 0);
    }
    for (unsigned i = 0; i < plan->threads; i++)
        pthread_join(drivers[i].thread, NULL);
    int result = drivers_report(drivers, plan);
    for (unsigned i = 0; i < plan->threads; i++)
        free(drivers[i].latencies);
    grpc_shutdown();
    return result;
}

/* --- the command line ----------------------------------------------------------------------------------- */

static int usage(void)
{
    fputs("usage: isms-bench-load --address=HOST:PORT [--credential-file=FILE] [--ids=FILE] [--owner=ID]\n"
          "           [--seconds=5] [--warm-up=1] [--threads=2] [--connections=4] [--in-flight=32]\n"
          "           [--rate=CALLS-A-SECOND] [--refusals=1]\n"
          "           get|list|create|echo=WEIGHT...\n", stderr);
    return 2;
}

static int credential_read(const char *path, struct plan *plan)
{
    FILE *file = fopen(path, "re");
    char credential[CREDENTIAL_MAX];
    if (!file || !fgets(credential, sizeof(credential), file)) {
        perror(path);
        if (file)
            fclose(file);
        return -1;
    }
    fclose(file);
    credential[strcspn(credential, "\n")] = '\0';
    snprintf(plan->authorization, sizeof(plan->authorization), "Bearer %s", credential);
    return 0;
}

static bool weight_take(struct plan *plan, const char *text)
{
    for (enum request_kind kind = 0; kind < REQUEST_KINDS; kind++) {
        size_t length = strlen(request_kind_name(kind));
        if (strncmp(text, request_kind_name(kind), length) == 0 && text[length] == '=') {
            plan->weights[kind] = (unsigned)strtoul(text + length + 1, NULL, 10);
            plan->weight_sum += plan->weights[kind];
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    enum { ADDRESS, CREDENTIAL, IDS, OWNER, SECONDS, WARM_UP, THREADS, CONNECTIONS, IN_FLIGHT, RATE, REFUSALS,
           OPTION_COUNT };
    static const char *const names[OPTION_COUNT] = {"address", "credential-file", "ids", "owner", "seconds",
                                                    "warm-up", "threads", "connections", "in-flight", "rate",
                                                    "refusals"};
    const char *values[OPTION_COUNT] = {NULL, NULL, NULL, "", "5", "1", "2", "4", "32", "0", "0"};
    struct option options[OPTION_COUNT + 1] = {{0}};
    static struct plan plan;
    int option;
    for (int i = 0; i < OPTION_COUNT; i++)
        options[i] = (struct option){.name = names[i], .has_arg = required_argument, .val = 'a' + i};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return usage();
        values[option - 'a'] = optarg;
    }
    for (; optind < argc; optind++)
        if (!weight_take(&plan, argv[optind]))
            return usage();
    plan.address = values[ADDRESS];
    plan.threads = (unsigned)strtoul(values[THREADS], NULL, 10);
    if (!plan.address || plan.weight_sum == 0 || plan.threads == 0 || plan.threads > THREADS_MAX ||
        (plan.weights[REQUEST_ECHO] < plan.weight_sum && !values[IDS]))
        return usage();
    plan.connections = (unsigned)strtoul(values[CONNECTIONS], NULL, 10) / plan.threads;
    plan.in_flight = (unsigned)strtoul(values[IN_FLIGHT], NULL, 10) / plan.threads;
    plan.rate = strtod(values[RATE], NULL) / plan.threads;
    plan.refusals = values[REFUSALS][0] == '1';
    if (plan.connections == 0 || plan.connections > CONNECTIONS_MAX || plan.in_flight == 0)
        return usage();
    if ((values[CREDENTIAL] && credential_read(values[CREDENTIAL], &plan) < 0) ||
        (values[IDS] && requests_read(values[IDS], values[OWNER], &plan.requests) < 0))
        return 1;
    return plan_run(&plan, strtod(values[WARM_UP], NULL), strtod(values[SECONDS], NULL));
}
