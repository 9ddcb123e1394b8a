/*
 * The body of a request while it arrives. Every byte of room is taken from the budget for bytes
 * in flight before it is allocated: all at once when the size is known, in doubling steps when
 * it is not. What is refused was never buffered.
 *
 * upload_decode() turns a complete upload into a request for the intake: inflated within limits,
 * decoded, and holding exactly the budget that its memory costs.
 */
#ifndef RECEIVER_UPLOAD_H
#define RECEIVER_UPLOAD_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "receiver/intake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upload {
    const struct intake *intake;
    char *bytes;
    size_t len;
    size_t capacity; /* allocated, and reserved from the budget */
    size_t max_bytes;
};

void upload_init(struct upload *upload, const struct intake *intake, size_t max_bytes);
void upload_release(struct upload *upload);

/* Announces the whole size. ERROR_TOO_LARGE or ERROR_BUSY refuse it. */
bool upload_expect(struct upload *upload, uint64_t total, struct error *err) MUST_CHECK;

/* ERROR_TOO_LARGE or ERROR_BUSY as above, for bytes beyond what was announced. */
bool upload_append(struct upload *upload, struct slice bytes,
                   struct error *err) MUST_CHECK;

/*
 * Inflates and decodes; the upload is empty afterwards in either case. On success the request
 * belongs to the caller and its `reserved` is set; free it with upload_discard() or submit it.
 */
struct intake_request *upload_decode(struct upload *upload, enum otlp_media media,
                                     enum otlp_coding coding,
                                     struct error *err) MUST_CHECK;

/* Gives the request's budget back and frees it. */
void upload_discard(const struct intake *intake, struct intake_request *request);

#endif
