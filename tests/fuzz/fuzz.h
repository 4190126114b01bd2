/* fuzz.h: what the fuzzers share.
 *
 * A fuzzer is libFuzzer's one function: bytes in, and whatever must hold about them checked with BUG_IF(), beside
 * what the sanitizers see. It keeps nothing between two inputs but what it makes once from constants, so that a
 * file in corpus/ or a crash means the same in every run. */
#ifndef ISMS_TESTS_FUZZ_H
#define ISMS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/bug.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
