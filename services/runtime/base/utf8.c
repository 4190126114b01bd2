/* utf8.c: the Unicode standard's table 3-7, "Well-Formed UTF-8 Byte Sequences", row by row.
 *
 * Only the second byte's range depends on the first, which is what keeps surrogates, overlong forms and
 * everything above U+10FFFF out. Runs of ASCII, most of what we see, are skipped eight bytes at a time. */
#include <isms/base/utf8.h>

#include <stdint.h>
#include <string.h>

#include "utf8_sequence.h"

size_t utf8_sequence(const char *text, size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xC2 || byte[0] > 0xF4)
        return 0;

    size_t size = byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
    unsigned char low = byte[0] == 0xE0 ? 0xA0 : byte[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = byte[0] == 0xED ? 0x9F : byte[0] == 0xF4 ? 0x8F : 0xBF;
    if (length < size || byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (byte[i] < 0x80 || byte[i] > 0xBF)
            return 0;
    return size;
}

bool utf8_is_valid(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint64_t eight;
        if (length - i >= sizeof(eight)) {
            memcpy(&eight, text + i, sizeof(eight));
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += sizeof(eight);
                continue;
            }
        }
        size_t size = utf8_sequence(text + i, length - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t utf8_length(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += !is_continuation(text[i]);
    return count;
}

size_t utf8_cut(const char *text, size_t length, size_t max)
{
    size_t kept = length < max ? length : max;
    size_t last = kept;
    for (int i = 0; i < 4 && last > 0; i++)
        if (!is_continuation(text[--last]))
            return utf8_sequence(text + last, kept - last) ? kept : last;
    return kept; /* no character starts here: not UTF-8, nothing to keep whole */
}
