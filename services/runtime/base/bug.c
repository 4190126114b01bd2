/* bug.c: the last words of a process whose own invariant broke, as one line that log collectors can read.
 *
 * No memory is taken and nothing is locked: neither may be sound any more. */
#include <isms/base/bug.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>
#include <isms/base/json_text.h>

_Noreturn void bug(const char *file, int line, const char *what)
{
    char storage[1024];
    char time[CLOCK_TEXT_SIZE];
    struct buf text;
    clock_format(clock_now_us(), time);
    buf_init_fixed(&text, storage, sizeof(storage));
    buf_printf(&text, "{\"time\":\"%s\",\"level\":\"fatal\",\"message\":\"bug\",\"file\":", time);
    json_text_append(&text, file, strnlen(file, 128));
    buf_printf(&text, ",\"line\":%d,\"condition\":", line);
    json_text_append(&text, what, strnlen(what, 256));
    buf_text(&text, "}\n");
    ssize_t written UNUSED = write(STDERR_FILENO, text.data, text.length);
    abort();
}
