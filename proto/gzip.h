/*
 * gzip with a bound on what comes out.
 *
 * The whole body is in memory on both sides (libdeflate is three times faster than a streaming
 * inflater that way). Memory follows what is really inside, not what the trailer claims: the first
 * room is the claim only where that is plausible for the bytes that came, then it doubles until
 * the cap. A bomb therefore costs the cap and the time to inflate twice as much, never more.
 *
 * Sources: RFC 1952 (members may be concatenated; ISIZE is modulo 2^32), RFC 1951.
 */
#ifndef PROTO_GZIP_H
#define PROTO_GZIP_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Inflates one or more members that fill the body exactly. *out is heap memory for the caller to
 * free(). ERROR_TOO_LARGE above max_bytes; ERROR_CORRUPT for damaged data, anything behind the last
 * member, and no data at all.
 */
bool gzip_inflate(struct slice body, size_t max_bytes, char **out, size_t *out_len,
                  struct error *err) MUST_CHECK;

/* Deflates into one member; *out is heap memory for the caller to free(). `level` is 1 to 12. */
void gzip_deflate(struct slice bytes, int level, char **out, size_t *out_len);

#endif
