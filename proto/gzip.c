#include "proto/gzip.h"

#include "base/memory.h"

#include <libdeflate.h>

#include <stdint.h>
#include <stdlib.h>

/*
 * OTLP metrics shrink by 10 to 20; a claim of more than PLAUSIBLE_RATIO is not taken at its word.
 * Without a plausible claim inflating begins at FIRST_RATIO.
 */
enum {
    PLAUSIBLE_RATIO = 32,
    FIRST_RATIO = 4,
    TRAILER_BYTES = 8,
    ROOM_MIN = 1024
};

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ISIZE of the last member. */
static size_t claimed_bytes(struct slice body)
{
    if (body.len < TRAILER_BYTES)
        return 0;

    const uint8_t *p = (const uint8_t *)body.ptr + body.len - 4;

    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static size_t first_room(struct slice body, size_t max_bytes)
{
    size_t claim = claimed_bytes(body);
    size_t room = body.len > SIZE_MAX / PLAUSIBLE_RATIO ||
                          claim > body.len * PLAUSIBLE_RATIO ||
                          claim < body.len / FIRST_RATIO
                      ? min_of(body.len, SIZE_MAX / FIRST_RATIO) * FIRST_RATIO
                      : claim;

    return min_of(room < ROOM_MIN ? ROOM_MIN : room, max_bytes);
}

struct inflation {
    struct libdeflate_decompressor *decompressor;
    char *out;
    size_t len, room, max_bytes;
};

/* One member from the front of *body, which is moved behind it. */
static bool inflate_member(struct inflation *i, struct slice *body, struct error *err)
{
    size_t used = 0, made = 0;

    for (;;) {
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            i->decompressor, body->ptr, body->len, i->out + i->len, i->room - i->len,
            &used, &made);

        if (result == LIBDEFLATE_SUCCESS)
            break;
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
            return FAIL(err, ERROR_CORRUPT, "the gzip data is damaged");
        if (i->room == i->max_bytes)
            return FAIL(err, ERROR_TOO_LARGE, "inflates to more than %zu bytes",
                        i->max_bytes);
        i->room = i->room > i->max_bytes / 2 ? i->max_bytes : i->room * 2;
        i->out = memory_resize(i->out, i->room, 1);
    }
    i->len += made;
    *body = (struct slice){body->ptr + used, body->len - used};
    return true;
}

bool gzip_inflate(struct slice body, size_t max_bytes, char **out, size_t *out_len,
                  struct error *err)
{
    if (body.len == 0)
        return FAIL(err, ERROR_CORRUPT, "no gzip data");

    struct inflation i = {.room = first_room(body, max_bytes), .max_bytes = max_bytes};
    bool ok = true;

    i.decompressor = libdeflate_alloc_decompressor();
    if (!i.decompressor)
        abort();
    i.out = memory_resize(NULL, i.room, 1);
    while (ok && body.len)
        ok = inflate_member(&i, &body, err);
    libdeflate_free_decompressor(i.decompressor);
    if (!ok) {
        free(i.out);
        return false;
    }
    *out = i.out;
    *out_len = i.len;
    return true;
}

void gzip_deflate(struct slice bytes, int level, char **out, size_t *out_len)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);

    if (!compressor)
        abort();

    size_t room = libdeflate_gzip_compress_bound(compressor, bytes.len);

    *out = memory_resize(NULL, room, 1);
    *out_len = libdeflate_gzip_compress(compressor, bytes.ptr, bytes.len, *out, room);
    libdeflate_free_compressor(compressor);
}
