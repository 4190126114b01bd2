/* The log is read by machines: every line is one JSON object, whatever was logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/obs/log.h>

/* Standard error goes into a temporary file from capture_start() to capture_end(), which gives its content. */
static FILE *captured;
static int saved;

static void capture_start(void)
{
    captured = tmpfile();
    assert_non_null(captured);
    saved = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
}

static char *capture_end(void)
{
    static char text[1 << 20];
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(captured);
    size_t length = fread(text, 1, sizeof(text) - 1, captured);
    text[length] = '\0';
    fclose(captured);
    return text;
}

static json_t *line_parse(const char *line)
{
    size_t length = strlen(line);
    assert_true(length > 0 && length <= LOG_LINE_MAX);
    assert_ptr_equal(strchr(line, '\n'), line + length - 1);
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    return object;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void test_a_line_with_fields_of_every_type(void **state UNUSED)
{
    struct err err = {0};
    int64_t time_us;
    err_set(&err, ERR_DATABASE_UNAVAILABLE);
    log_init("isms-test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture_start();
    LOG(WARNING, "something", LOG_STR("method", "Get\"Action\"\n"), LOG_INT("latency_us", INT64_MIN),
        LOG_BOOL("cached", 5), LOG_STR("nothing", NULL), LOG_ERR(&err));
    json_t *object = line_parse(capture_end());
    assert_true(clock_parse(text_of(object, "time"), &time_us));
    assert_string_equal(text_of(object, "level"), "warning");
    assert_string_equal(text_of(object, "service"), "isms-test");
    assert_string_equal(text_of(object, "message"), "something");
    assert_string_equal(text_of(object, "method"), "Get\"Action\"\n");
    assert_true(json_integer_value(json_object_get(object, "latency_us")) == INT64_MIN);
    assert_true(json_is_true(json_object_get(object, "cached")));
    assert_true(json_is_null(json_object_get(object, "nothing")));
    assert_string_equal(text_of(object, "reason"), "DATABASE_UNAVAILABLE");
    assert_string_equal(text_of(object, "error"), "The database cannot be reached.");
    assert_null(json_object_get(object, "truncated"));
    json_decref(object);
}

static void test_levels_below_the_minimum_are_not_even_evaluated(void **state UNUSED)
{
    int evaluated = 0;
    log_init("isms-test", LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
    capture_start();
    LOG(DEBUG, "no");
    LOG(INFO, "no", LOG_INT("n", ++evaluated));
    assert_string_equal(capture_end(), "");
    assert_int_equal(evaluated, 0);
    capture_start();
    LOG(ERROR, "yes");
    json_decref(line_parse(capture_end()));
}

static void test_a_full_line_is_still_json_and_says_so(void **state UNUSED)
{
    static char escapes[1200], letters[1000];
    memset(escapes, '\x01', sizeof(escapes));
    memset(letters, 'x', sizeof(letters));
    log_init("isms-test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    for (size_t length = 0; length < 1000; length++) { /* six bytes a character, then one */
        capture_start();
        LOG(INFO, "long", LOG_SLICE("a", ((struct slice){escapes, 1200})),
            LOG_SLICE("b", ((struct slice){letters, length})), LOG_STR("c", "short"), LOG_INT("d", 1));
        json_t *object = line_parse(capture_end());
        assert_string_equal(text_of(object, "message"), "long");
        assert_int_equal(json_string_length(json_object_get(object, "a")), 1200);
        const json_t *b = json_object_get(object, "b");
        bool whole = b && json_string_length(b) == length && json_object_get(object, "c") &&
                     json_object_get(object, "d");
        assert_int_equal(whole, !json_is_true(json_object_get(object, "truncated")));
        json_decref(object);
    }
}

static void test_a_long_value_is_cut_between_characters(void **state UNUSED)
{
    static char text[12001];
    for (size_t i = 0; i + 3 <= 12000; i += 3)
        memcpy(text + i, "尺", 4);
    log_init("isms-test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture_start();
    LOG(INFO, "long", LOG_STR("value", text));
    json_t *object = line_parse(capture_end());
    const char *kept = text_of(object, "value");
    assert_true(strlen(kept) > 1000 && strlen(kept) < 3000);
    assert_memory_equal(kept, text, strlen(kept));
    assert_true(json_is_true(json_object_get(object, "truncated")));
    json_decref(object);
}

static void test_bytes_that_are_not_text(void **state UNUSED)
{
    log_init("isms-test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture_start();
    LOG(INFO, "bytes", LOG_STR("value", "a\xFF\xC3z"));
    json_t *object = line_parse(capture_end());
    assert_string_equal(text_of(object, "value"), "a\uFFFD\uFFFDz");
    json_decref(object);
}

static void *lines_write(void *name)
{
    for (int i = 0; i < 200; i++)
        LOG(INFO, "from a thread", LOG_STR("thread", name), LOG_INT("number", i));
    return NULL;
}

static void test_lines_of_several_threads_do_not_mix(void **state UNUSED)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    pthread_t threads[4];
    int lines = 0;
    log_init("isms-test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture_start();
    fcntl(STDERR_FILENO, F_SETFL, O_APPEND); /* as a log collector's file would be */
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, lines_write, (void *)names[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    char *rest = capture_end();
    for (char *line; (line = strsep(&rest, "\n")) && *line; lines++) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_decref(object);
    }
    assert_int_equal(lines, 800);
}

static void test_text_format_is_one_line_too(void **state UNUSED)
{
    log_init("isms-test", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    capture_start();
    LOG(INFO, "listening", LOG_STR("address", "a\nb"), LOG_INT("port", 9090));
    const char *line = capture_end();
    assert_non_null(strstr(line, " info    listening address=\"a\\nb\" port=9090\n"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_names(void **state UNUSED)
{
    enum log_level level;
    enum log_format format;
    assert_true(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
    assert_false(log_level_parse("Error", &level));
    assert_false(log_level_parse("", &level));
    assert_true(log_format_parse("text", &format) && format == LOG_FORMAT_TEXT);
    assert_false(log_format_parse("xml", &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_with_fields_of_every_type),
        cmocka_unit_test(test_levels_below_the_minimum_are_not_even_evaluated),
        cmocka_unit_test(test_a_full_line_is_still_json_and_says_so),
        cmocka_unit_test(test_a_long_value_is_cut_between_characters),
        cmocka_unit_test(test_bytes_that_are_not_text),
        cmocka_unit_test(test_lines_of_several_threads_do_not_mix),
        cmocka_unit_test(test_text_format_is_one_line_too),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
