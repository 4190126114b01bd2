/* clock_offset.c: a clock that a test can move. Loaded before a service (LD_PRELOAD), it adds the seconds that the file
 * CLOCK_OFFSET_FILE holds to the wall clock, and leaves the monotonic one alone.
 *
 * Debian's libfaketime does that too, and takes over condition variables and sleeps as well, which then wait by its
 * idea of time. That ours wait by the monotonic clock is part of what is tested. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    char digits[24] = "";
    const char *path = getenv("CLOCK_OFFSET_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    long result = read(file, digits, sizeof(digits) - 1) > 0 ? strtol(digits, NULL, 10) : 0;
    close(file);
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME)
        time->tv_sec += offset();
    return result;
}
