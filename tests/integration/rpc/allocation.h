/* allocation.h: malloc() and its kin fail when a test says so, for what is ours.
 *
 * Linked into a test program it stands in front of the C library's allocator. An allocation counts where its caller is
 * this program, libpq, jansson or OpenSSL; gRPC core and the C++ libraries end the process where there is no memory, so
 * theirs pass. Those of a thread that was spared pass too. */
#ifndef ISMS_TEST_ALLOCATION_H
#define ISMS_TEST_ALLOCATION_H

#include <stdbool.h>

/* From now on the nth counted allocation fails, n from 1, and with `and_after` all that follow. */
void allocation_fail(long nth, bool and_after);

/* No more. How many were counted since allocation_fail(). */
long allocation_pass(void);

/* The calling thread's allocations are not counted: it is the test's. */
void allocation_spare_thread(void);

#endif
