/* bug.h: what cannot happen unless this program is wrong.
 *
 * BUG_IF() stays on in release builds: a process whose own invariant broke must not go on writing other
 * people's evidence. It never judges what came from outside; that is answered with an error. */
#ifndef ISMS_BASE_BUG_H
#define ISMS_BASE_BUG_H

_Noreturn void bug(const char *file, int line, const char *what);

#define BUG_IF(condition) \
    do { \
        if (__builtin_expect(!!(condition), 0)) \
            bug(__FILE__, __LINE__, #condition); \
    } while (0)

#endif
