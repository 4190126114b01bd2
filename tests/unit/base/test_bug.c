/* A broken invariant ends the process, with one line of JSON that says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <isms/base/attributes.h>
#include <isms/base/bug.h>

static void test_one_line_then_abort(void **state UNUSED)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        const char *quote = "\"";
        BUG_IF(strcmp(quote, "\"") == 0);
        _exit(0);
    }
    close(ends[1]);
    char line[2048];
    ssize_t length = read(ends[0], line, sizeof(line) - 1);
    assert_true(length > 0);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);

    assert_ptr_equal(memchr(line, '\n', (size_t)length), line + length - 1);
    json_t *object = json_loadb(line, (size_t)length, 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "level")), "fatal");
    const char *condition = json_string_value(json_object_get(object, "condition"));
    assert_string_equal(condition, "strcmp(quote, \"\\\"\") == 0");
    assert_non_null(strstr(json_string_value(json_object_get(object, "file")), "test_bug.c"));
    assert_true(json_integer_value(json_object_get(object, "line")) > 0);
    json_decref(object);
}

static void test_nothing_happens_without_a_bug(void **state UNUSED)
{
    BUG_IF(1 + 1 == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_then_abort),
        cmocka_unit_test(test_nothing_happens_without_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
