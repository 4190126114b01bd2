/* Jobs: one replica runs each, they see across tenants and write for one, and they stop when told to. */
#include "probe.h"

#include <stdatomic.h>
#include <string.h>

#include <isms/app/job.h>
#include <isms/base/clock.h>
#include <isms/obs/metrics.h>
#include <isms/proto/message.h>

#include "jobs.h"

enum { INTERVAL_US = 5000, WAIT_US = 60 * 1000 * 1000 };

static atomic_int runs;
static atomic_int writes;
static atomic_bool sleeping_ended;
static char note_id[UUID_TEXT_SIZE];

static int note_look(struct call *call, void *context, struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = (char *)(uintptr_t)"for the job";
    return call_begin_read(call, err) < 0 ? -1 : call_statement(call, "AnyNote", &request.base, context, err);
}

static int note_copy(struct call *call, void *context, struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    Isms__Probe__V1__Note copy = ISMS__PROBE__V1__NOTE__INIT;
    request.id = context;
    return call_begin_write(call, err) < 0 ? -1
                                           : call_statement(call, "NoteCopy", &request.base, &copy.base, err);
}

static int copy_once(struct job_run *run, struct err *err)
{
    Isms__Probe__V1__Note note = ISMS__PROBE__V1__NOTE__INIT;
    if (atomic_load(&writes) > 0)
        return 0;
    if (job_across_tenants(run, note_look, &note, err) < 0 ||
        job_for_tenant(run, probe_tenant(0), note_copy, note_id, err) < 0)
        return -1;
    atomic_fetch_add(&writes, 1);
    return 0;
}

static int count_run(struct job_run *run UNUSED, struct err *err UNUSED)
{
    atomic_fetch_add(&runs, 1);
    return 0;
}

static int sleep_now(struct call *call, void *context UNUSED, struct err *err)
{
    Isms__Probe__V1__SleepRequest request = ISMS__PROBE__V1__SLEEP_REQUEST__INIT;
    Isms__Probe__V1__SleepResponse response = ISMS__PROBE__V1__SLEEP_RESPONSE__INIT;
    request.seconds = 1000;
    return call_begin_read(call, err) < 0
               ? -1
               : call_statement(call, "SleepNow", &request.base, &response.base, err);
}

static int sleep_for_tenant(struct job_run *run, struct err *err)
{
    int result = job_for_tenant(run, probe_tenant(0), sleep_now, NULL, err);
    atomic_store(&sleeping_ended, true);
    return result;
}

static struct settings settings;

static struct jobs *started(const struct job *list)
{
    struct jobs *jobs = NULL;
    struct err err = {0};
    struct jobs_options options = {.context = probe_context(), .settings = &settings, .jobs = list};
    settings.database_url = probe_service_url();
    settings.job_database_url = fixture_url(NULL);
    if (jobs_start(&options, &jobs, &err) < 0)
        fail_msg("%s", err.message);
    return jobs;
}

static void wait_for(atomic_int *value, int least)
{
    int64_t until_us = clock_monotonic_us() + WAIT_US;
    while (atomic_load(value) < least) {
        assert_true(clock_monotonic_us() < until_us);
        fixture_int(probe_admin(), "select 1 from pg_sleep(0.002)");
    }
}

static void job_reads_widely_and_writes_for_one(void **state UNUSED)
{
    fixture_url(NULL);
    Isms__Probe__V1__Note *note = note_made("for the job");
    snprintf(note_id, sizeof(note_id), "%s", note->id);
    const struct job list[] = {{.name = "copy", .interval_us = INTERVAL_US, .run = copy_once}, {0}};
    struct jobs *jobs = started(list);
    wait_for(&writes, 1);
    jobs_stop(jobs);
    assert_int_equal(
        fixture_int(probe_admin(), "select count(*) from probe.note where title = 'for the job'"), 2);
    assert_int_equal(fixture_int(probe_admin(), "select count(*) from core.change where actor_kind = 'job'"
                                                " and method = 'copy' and actor is null"), 1);
    assert_true(metric_value(METRIC_SERIES(isms_job_last_success_seconds, "copy")) > 0);
}

static void one_replica_runs_and_the_other_takes_over(void **state UNUSED)
{
    fixture_url(NULL);
    const struct job list[] = {{.name = "count", .interval_us = INTERVAL_US, .run = count_run}, {0}};
    struct jobs *first = started(list);
    wait_for(&runs, 1);
    struct jobs *second = started(list);
    wait_for(&runs, 10);
    assert_int_equal(fixture_int(probe_admin(), "select count(distinct l.pid) from pg_locks l"
                                                " join pg_stat_activity a using (pid)"
                                                " where l.locktype = 'advisory' and l.granted"
                                                " and a.application_name = 'isms-actions.count'"), 1);
    jobs_stop(first);
    int before = atomic_load(&runs);
    wait_for(&runs, before + 3);
    jobs_stop(second);
}

static void long_job_stops_when_told(void **state UNUSED)
{
    fixture_url(NULL);
    const struct job list[] = {{.name = "sleep", .interval_us = INTERVAL_US, .timeout_us = 1000 * 1000000LL,
                                .run = sleep_for_tenant}, {0}};
    struct jobs *jobs = started(list);
    fixture_wait(probe_admin(), "select count(*) = 1 from pg_stat_activity where state = 'active'"
                                " and query like '%pg_sleep($1%' and pid <> pg_backend_pid()"
                                " and datname = current_database()");
    jobs_stop(jobs);
    assert_true(atomic_load(&sleeping_ended));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, probe_setup, probe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(job_reads_widely_and_writes_for_one),
        TEST(one_replica_runs_and_the_other_takes_over),
        TEST(long_job_stops_when_told),
    };
    return cmocka_run_group_tests(tests, probe_database_create, probe_database_destroy);
}
