/* allocation.c: the allocator's own functions, by the names that the C library and the sanitizers have for theirs.
 *
 * Who asks is told by the return address. reallocarray() and strdup() are here because the C library's would ask in
 * their caller's name. */
#include "allocation.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SANITIZED)
#define REAL(function) __interceptor_##function
#else
#define REAL(function) __libc_##function
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *memory, size_t size);
void *reallocarray(void *memory, size_t count, size_t size);

/* The sanitizers allocate before they can check anything. */
#define UNCHECKED __attribute__((no_sanitize("address", "thread", "undefined")))

enum { RANGES_MAX = 64 };

/* The code whose allocations count; filled once, by the first allocation_fail(). */
static struct range {
    uintptr_t from;
    uintptr_t to;
} ranges[RANGES_MAX];
static unsigned range_count;

static atomic_bool counting;
static atomic_long counted;
static long fail_at;
static bool fail_after;
static _Thread_local bool spared;

static bool library_counts(const char *path)
{
    static const char *const names[] = {"libpq.so", "libjansson.so", "libcrypto.so", "libssl.so", "libz.so"};
    const char *name = strrchr(path, '/');
    if (!path[0])
        return true; /* the program itself */
    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name + 1, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static int range_add(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; library_counts(info->dlpi_name) && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || range_count == RANGES_MAX)
            continue;
        uintptr_t from = info->dlpi_addr + header->p_vaddr;
        ranges[range_count++] = (struct range){.from = from, .to = from + header->p_memsz};
    }
    return 0;
}

UNCHECKED static bool is_counted(const void *caller)
{
    for (unsigned i = 0; i < range_count; i++)
        if ((uintptr_t)caller >= ranges[i].from && (uintptr_t)caller < ranges[i].to)
            return true;
    return false;
}

UNCHECKED static bool fails(const void *caller)
{
    if (!atomic_load(&counting) || spared || !is_counted(caller))
        return false;
    long number = atomic_fetch_add(&counted, 1) + 1;
    bool now = number == fail_at || (fail_after && number > fail_at);
    if (now)
        errno = ENOMEM;
    return now;
}

UNCHECKED void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : REAL(malloc)(size);
}

UNCHECKED void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : REAL(calloc)(count, size);
}

UNCHECKED void *realloc(void *memory, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : REAL(realloc)(memory, size);
}

UNCHECKED void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || fails(__builtin_return_address(0)))
        return NULL;
    return REAL(realloc)(memory, total);
}

#undef strdup
UNCHECKED char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = fails(__builtin_return_address(0)) ? NULL : REAL(malloc)(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void allocation_fail(long nth, bool and_after)
{
    if (range_count == 0)
        dl_iterate_phdr(range_add, NULL);
    fail_at = nth;
    fail_after = and_after;
    atomic_store(&counted, 0);
    atomic_store(&counting, true);
}

long allocation_pass(void)
{
    atomic_store(&counting, false);
    return atomic_load(&counted);
}

void allocation_spare_thread(void)
{
    spared = true;
}
