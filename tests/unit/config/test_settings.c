/* Settings as an operator meets them: where values come from, and what a mistake is answered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <isms/config/settings.h>

static const struct settings_program program = {
    .name = "isms-test", .purpose = "tests settings", .version = "1.2.3", .required = ""};

static char folder[] = "/tmp/isms-settings-XXXXXX";
static char problems[8192];

enum { ARGUMENTS_MAX = 16 };

/* Loads with these arguments (NULL ends them); what is wrong goes into `problems`. */
static int load(struct settings *settings, const char *const *arguments)
{
    char *argv[ARGUMENTS_MAX] = {(char *)"isms-test"};
    int argc = 1;
    struct buf text CLEANUP(buf_release);
    for (; *arguments; arguments++)
        argv[argc++] = (char *)*arguments;
    buf_init(&text, sizeof(problems) - 1);
    int result = settings_load(&program, argc, argv, settings, &text);
    assert_false(text.failed);
    memcpy(problems, text.data, text.length + 1);
    return result;
}

#define LOAD(settings, ...) load(settings, (const char *const[ARGUMENTS_MAX]){__VA_ARGS__})

static void assert_problem(const char *expected)
{
    if (!strstr(problems, expected))
        fail_msg("not reported: %s\nbut: %s", expected, problems);
}

static const char *file_write(const char *name, const char *content)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    return path;
}

static int environment_clear(void **state UNUSED)
{
    for (char **variable = environ; *variable;) {
        char name[256];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(*variable, "="), *variable);
        if (strncmp(name, "ISMS_", 5) == 0) {
            unsetenv(name);
            variable = environ;
        } else {
            variable++;
        }
    }
    return 0;
}

static int folder_make(void **state UNUSED)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state UNUSED)
{
    static const char *const names[] = {"settings", "secret"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void test_defaults(void **state UNUSED)
{
    struct settings settings CLEANUP(settings_release) = {0};
    assert_int_equal(LOAD(&settings, NULL), 0);
    assert_string_equal(settings.listen, "127.0.0.1:9090");
    assert_string_equal(settings.database_url, "");
    assert_string_equal(settings.service_key_file, "");
    assert_string_equal(settings.log_level, "info");
    assert_int_equal(settings.read_workers, 3);
    assert_int_equal(settings.message_size_max, 4 * 1024 * 1024);
    assert_true(settings.deadline_max == 60 * INT64_C(1000000));
    assert_true(settings.page_token_lifetime == 24 * 3600 * INT64_C(1000000));
    assert_true(settings.drain_delay == 1000000);
    assert_true(settings.reflection);
}

static void test_higher_sources_win(void **state UNUSED)
{
    const char *path = file_write("settings", "# a comment\n\n  read_workers = 3 \r\nwrite_workers=3\n"
                                              "exclusive_workers = 3\ndatabase_url = postgres://a b?c=d # e\n");
    struct settings settings CLEANUP(settings_release) = {0};
    setenv("ISMS_WRITE_WORKERS", "5", 1);
    setenv("ISMS_EXCLUSIVE_WORKERS", "5", 1);
    assert_int_equal(LOAD(&settings, "--config", path, "--exclusive_workers=7"), 0);
    assert_int_equal(settings.read_workers, 3);
    assert_int_equal(settings.write_workers, 5);
    assert_int_equal(settings.exclusive_workers, 7);
    assert_string_equal(settings.database_url, "postgres://a b?c=d # e"); /* a # inside a line is the value's */
}

static void test_the_file_is_named_in_three_ways(void **state UNUSED)
{
    const char *path = file_write("settings", "read_workers = 9");
    char option[200];
    struct settings a CLEANUP(settings_release) = {0};
    struct settings b CLEANUP(settings_release) = {0};
    snprintf(option, sizeof(option), "--config=%s", path);
    assert_int_equal(LOAD(&a, option), 0);
    assert_int_equal(a.read_workers, 9);
    setenv("ISMS_CONFIG", path, 1);
    assert_int_equal(LOAD(&b, NULL), 0);
    assert_int_equal(b.read_workers, 9);
    assert_int_equal(LOAD(&b, "--config=/no/such/file"), -1);
    assert_problem("/no/such/file");
    assert_int_equal(LOAD(&b, "--config"), -1);
}

static void test_a_wrong_value_that_is_overruled_does_no_harm(void **state UNUSED)
{
    struct settings settings CLEANUP(settings_release) = {0};
    setenv("ISMS_READ_WORKERS", "many", 1);
    assert_int_equal(LOAD(&settings, "--read-workers=4"), 0);
    assert_int_equal(settings.read_workers, 4);
}

static void test_all_that_is_wrong_is_reported_at_once(void **state UNUSED)
{
    const char *path = file_write(
        "settings", "calls_max = 0\nno_such = 1\nnonsense\nread_workers=1\nread_workers=1\n");
    struct settings settings = {.read_workers = 42};
    setenv("ISMS_WRITE_WORKERS", "65", 1);
    setenv("ISMS_WRITE_WORKER", "5", 1);
    setenv("ISMS_LOG_LEVEL", "INFO", 1);
    assert_int_equal(LOAD(&settings, "--config", path, "--deadline_max=5", "--listen=9090", "--what=1", "stray",
                          "--listen", "--redis_url=x", "--service_key_file=/no/such/key"), -1);
    assert_int_equal(settings.read_workers, 42); /* untouched */
    assert_problem("calls_max: must be 1 to 1000000, is \"0\" (");
    assert_problem("/settings line 1)\n");
    assert_problem("/settings line 2: there is no setting \"no_such\"\n");
    assert_problem("/settings line 3: not of the form name = value\n");
    assert_problem("/settings line 5: read_workers is set a second time\n");
    assert_problem("write_workers: must be 1 to 64, is \"65\" (ISMS_WRITE_WORKERS)\n");
    assert_problem("ISMS_WRITE_WORKER: there is no such setting\n");
    assert_problem("log_level: must be debug|info|warning|error, is \"INFO\" (ISMS_LOG_LEVEL)\n");
    assert_problem("deadline_max: must be 1ms to 1h, is \"5\" (command line)\n");
    assert_problem("listen: must be host:port, is \"9090\" (command line)\n");
    assert_problem("command line: there is no option \"--what\"\n");
    assert_problem("command line: there is no option \"stray\"\n");
    assert_problem("command line: write --listen=value\n");
    assert_problem("service_key_file: must be a readable file, is \"/no/such/key\" (command line)\n");
}

static void test_secrets_come_from_files_and_are_not_repeated(void **state UNUSED)
{
    struct settings settings CLEANUP(settings_release) = {0};
    setenv("ISMS_DATABASE_URL_FILE", file_write("secret", "postgres://x:pass@db/isms\n"), 1);
    assert_int_equal(LOAD(&settings, NULL), 0);
    assert_string_equal(settings.database_url, "postgres://x:pass@db/isms");

    struct settings other = {0};
    setenv("ISMS_DATABASE_URL", "postgres://x:pass@db/isms", 1);
    assert_int_equal(LOAD(&other, NULL), -1);
    assert_problem("database_url is set in the environment a second time");
    assert_null(strstr(problems, "pass"));

    unsetenv("ISMS_DATABASE_URL");
    setenv("ISMS_DATABASE_URL_FILE", "/no/such/secret", 1);
    assert_int_equal(LOAD(&other, NULL), -1);
    assert_problem("ISMS_DATABASE_URL_FILE: cannot open /no/such/secret");
    unsetenv("ISMS_DATABASE_URL_FILE");
    setenv("ISMS_READ_WORKERS_FILE", "/etc/hostname", 1);
    assert_int_equal(LOAD(&other, NULL), -1);
    assert_problem("ISMS_READ_WORKERS_FILE: there is no such setting");
    unsetenv("ISMS_READ_WORKERS_FILE");
    assert_int_equal(LOAD(&other, "--databse_url=postgres://x:pass@db"), -1);
    assert_null(strstr(problems, "pass"));
    assert_int_equal(LOAD(&other, "--oidc_algorithms="), -1);
    assert_problem("oidc_algorithms: must not be empty (command line)");
}

static void test_test_variables_are_left_alone(void **state UNUSED)
{
    struct settings settings CLEANUP(settings_release) = {0};
    setenv("ISMS_TEST_ANYTHING", "1", 1);
    setenv("ISMSX", "1", 1);
    assert_int_equal(LOAD(&settings, NULL), 0);
    unsetenv("ISMSX");
}

static void test_files_that_are_not_settings(void **state UNUSED)
{
    static char large[70000];
    struct settings settings = {0};
    memset(large, '#', sizeof(large) - 1);
    assert_int_equal(LOAD(&settings, "--config", file_write("settings", large)), -1);
    assert_problem("is larger than");
    assert_int_equal(LOAD(&settings, "--config", folder), -1);
    assert_int_equal(LOAD(&settings, "--config", "/proc/self/cmdline"), -1); /* holds NULs */
    assert_problem("is not a text file");
}

/* One option each; the accepted ones are checked for their value where they are loaded. */
static void test_what_each_type_accepts(void **state UNUSED)
{
    static const char *const accepted[] = {
        "--listen=0.0.0.0:0",      "--listen=[::1]:65535",    "--listen=inputs.isms.svc:9090",
        "--inputs_address=",       "--drain_delay=0s",        "--drain_delay=10m",
        "--deadline_max=1500ms",   "--reflection=no",         "--reflection=1",
        "--log_format=text",       "--calls-max=1000000",     "--service_key_file=/dev/null",
        "--seal_interval=24h",
    };
    static const char *const refused[] = {
        "--listen=",              "--listen=:9090",          "--listen=host:65536",    "--listen=host:",
        "--listen=::1:9090",      "--listen=[]:1",           "--listen=a b:1",         "--listen=http://x:1",
        "--listen=host:-1",       "--drain_delay=11m",       "--drain_delay=1",        "--drain_delay=s",
        "--drain_delay=-1s",      "--drain_delay=1 s",       "--drain_delay=1.5s",     "--drain_delay=1d",
        "--drain_delay=99999999999999999999h",               "--drain_delay=999999999999h",
        "--reflection=maybe",     "--reflection=",           "--log_format=",          "--log_format=json|text",
        "--log_format=tex",       "--calls_max=",            "--calls_max=1e3",        "--calls_max=0x10",
        "--calls_max= 1",         "--calls_max=+1",          "--calls_max=99999999999999999999",
        "--service_key_file=/no",
    };
    for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
        struct settings settings CLEANUP(settings_release) = {0};
        if (LOAD(&settings, accepted[i]) != 0)
            fail_msg("%s is refused: %s", accepted[i], problems);
    }
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct settings settings = {0};
        if (LOAD(&settings, refused[i]) == 0)
            fail_msg("%s is accepted", refused[i]);
        assert_ptr_equal(strchr(problems, '\n'), problems + strlen(problems) - 1); /* one problem, one line */
    }
    struct settings settings CLEANUP(settings_release) = {0};
    assert_int_equal(LOAD(&settings, "--deadline_max=1500ms", "--reflection=off", "--seal_interval=2m"), 0);
    assert_true(settings.deadline_max == 1500000);
    assert_false(settings.reflection);
    assert_true(settings.seal_interval == 120 * INT64_C(1000000));
}

static void test_required_settings(void **state UNUSED)
{
    struct settings_program strict = program;
    struct settings settings CLEANUP(settings_release) = {0};
    struct buf text CLEANUP(buf_release);
    char *argv[] = {(char *)"x", (char *)"--redis_url=redis://x"};
    strict.required = "database_url  redis_url service_key_file";
    buf_init(&text, 1000);
    assert_int_equal(settings_load(&strict, 2, argv, &settings, &text), -1);
    assert_string_equal(text.data, "database_url: must be set\nservice_key_file: must be set\n");
}

/* Runs settings_start() in a process of its own; gives its exit status, its output in `problems`. */
static int run(const char *argument, const char *another)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {(char *)"isms-test", (char *)argument, (char *)another};
        struct settings settings = {0};
        int status = 99;
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        bool started = settings_start(&program, another ? 3 : 2, argv, &settings, &status);
        fflush(NULL);
        settings_release(&settings);
        _exit(started ? 42 : status);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t count; (count = read(ends[0], problems + length, sizeof(problems) - 1 - length)) > 0;)
        length += (size_t)count;
    problems[length] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_a_main_starts_or_answers(void **state UNUSED)
{
    assert_int_equal(run("--read_workers=3", NULL), 42);
    assert_string_equal(problems, "");
    assert_int_equal(run("--check-config", NULL), 0);
    assert_string_equal(problems, "configuration ok\n");
    assert_int_equal(run("--check-config", "--read_workers=0"), 1);
    assert_string_equal(problems, "isms-test: the settings are not valid\n"
                                  "read_workers: must be 1 to 64, is \"0\" (command line)\n");
    assert_int_equal(run("--version", NULL), 0);
    assert_string_equal(problems, "isms-test 1.2.3\n");
    assert_int_equal(run("--help", "--read_workers=0"), 0);
    assert_problem("isms-test: tests settings\n");
}

static void test_help_shows_every_setting_in_columns(void **state UNUSED)
{
    struct buf text CLEANUP(buf_release);
    buf_init(&text, 100000);
    settings_help(&program, &text);
    const char *head = strstr(text.data, "  setting ");
    assert_non_null(head);
    ptrdiff_t column = strstr(head, "meaning") - head;
#define X(name, type, value, doc) \
    do { \
        const char *line = strstr(head, "\n  " #name " "); \
        assert_non_null(line); \
        assert_ptr_equal(strstr(line, doc), line + 1 + column); \
    } while (0);
#include <isms/config/settings.def>
#undef X
}

/* A name that is another's name and _file would make ISMS_..._FILE mean two things. */
static void test_no_name_is_ambiguous(void **state UNUSED)
{
    static const char *const names[] = {
#define X(name, type, value, doc) #name,
#include <isms/config/settings.def>
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            char other[100];
            snprintf(other, sizeof(other), "%s_file", names[j]);
            assert_string_not_equal(names[i], other);
            assert_string_not_equal(names[i], "config");
        }
}

int main(void)
{
    environment_clear(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_defaults, environment_clear),
        cmocka_unit_test_teardown(test_higher_sources_win, environment_clear),
        cmocka_unit_test_teardown(test_the_file_is_named_in_three_ways, environment_clear),
        cmocka_unit_test_teardown(test_a_wrong_value_that_is_overruled_does_no_harm, environment_clear),
        cmocka_unit_test_teardown(test_all_that_is_wrong_is_reported_at_once, environment_clear),
        cmocka_unit_test_teardown(test_secrets_come_from_files_and_are_not_repeated, environment_clear),
        cmocka_unit_test_teardown(test_test_variables_are_left_alone, environment_clear),
        cmocka_unit_test_teardown(test_files_that_are_not_settings, environment_clear),
        cmocka_unit_test_teardown(test_what_each_type_accepts, environment_clear),
        cmocka_unit_test_teardown(test_required_settings, environment_clear),
        cmocka_unit_test_teardown(test_a_main_starts_or_answers, environment_clear),
        cmocka_unit_test_teardown(test_help_shows_every_setting_in_columns, environment_clear),
        cmocka_unit_test_teardown(test_no_name_is_ambiguous, environment_clear),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
