#include "receiver/upload.h"

#include "base/memory.h"
#include "proto/otlp_body.h"

#include <stdlib.h>

/* First step for a body of unknown size: most exports of an SDK fit. */
enum {
    FIRST_STEP = 16 << 10
};

void upload_init(struct upload *upload, const struct intake *intake, size_t max_bytes)
{
    *upload = (struct upload){.intake = intake, .max_bytes = max_bytes};
}

void upload_release(struct upload *upload)
{
    if (upload->capacity)
        upload->intake->unreserve(upload->intake->self, upload->capacity);
    free(upload->bytes);
    upload->bytes = NULL;
    upload->len = upload->capacity = 0;
}

static bool busy(struct error *err)
{
    return FAIL(err, ERROR_BUSY, "the gateway holds as many bytes as it may; try again");
}

/* Budget first, memory second. */
static bool set_capacity(struct upload *upload, size_t capacity, struct error *err)
{
    if (capacity <= upload->capacity)
        return true;
    if (!upload->intake->reserve(upload->intake->self, capacity - upload->capacity))
        return busy(err);
    upload->bytes = memory_resize(upload->bytes, capacity, 1);
    upload->capacity = capacity;
    return true;
}

bool upload_expect(struct upload *upload, uint64_t total, struct error *err)
{
    if (total > upload->max_bytes)
        return FAIL(err, ERROR_TOO_LARGE, "%llu bytes are over the limit of %zu bytes",
                    (unsigned long long)total, upload->max_bytes);
    return set_capacity(upload, (size_t)total, err);
}

static size_t next_step(const struct upload *upload, size_t needed)
{
    size_t capacity = upload->capacity ? upload->capacity : FIRST_STEP;

    while (capacity < needed)
        capacity *= 2;
    return capacity < upload->max_bytes ? capacity : upload->max_bytes;
}

bool upload_append(struct upload *upload, struct slice bytes, struct error *err)
{
    if (bytes.len == 0)
        return true;
    if (bytes.len > upload->max_bytes - upload->len)
        return FAIL(err, ERROR_TOO_LARGE, "the body is over the limit of %zu bytes",
                    upload->max_bytes);
    if (bytes.len > upload->capacity - upload->len &&
        !set_capacity(upload, next_step(upload, upload->len + bytes.len), err))
        return false;
    memcpy(upload->bytes + upload->len, bytes.ptr, bytes.len);
    upload->len += bytes.len;
    return true;
}

/* Raises or lowers what the request holds of the budget. */
static bool set_reserved(const struct intake *intake, struct intake_request *request,
                         size_t bytes, struct error *err)
{
    if (bytes > request->reserved &&
        !intake->reserve(intake->self, bytes - request->reserved))
        return busy(err);
    if (bytes < request->reserved)
        intake->unreserve(intake->self, request->reserved - bytes);
    request->reserved = bytes;
    return true;
}

/*
 * The size that the gzip trailer claims (RFC 1952: ISIZE, modulo 2^32) is only a first guess of how
 * much to reserve; the cap that is given to the inflater is what was reserved, never the claim.
 */
static size_t claimed_size(struct slice body)
{
    if (body.len < 4)
        return 1;

    const unsigned char *end = (const unsigned char *)body.ptr + body.len;
    size_t size = (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 |
                  (size_t)end[-1] << 24;

    return size ? size : 1;
}

static bool open_within(struct intake_request *request, size_t cap, struct error *err)
{
    struct otlp_body opened;

    if (!otlp_body_open((struct slice){request->body, request->body_len}, request->coding,
                        cap, &opened, err))
        return false;
    request->inflated = opened.inflated ? opened.inflated : request->body;
    request->inflated_len = opened.bytes.len;
    return true;
}

static bool open_body(const struct intake *intake, struct intake_request *request,
                      size_t max_bytes, struct error *err)
{
    size_t cap = 0;

    if (request->coding == OTLP_GZIP && request->body_len > 0)
        cap = claimed_size((struct slice){request->body, request->body_len});
    if (cap > max_bytes)
        cap = max_bytes;
    if (cap > 0 && !set_reserved(intake, request, request->body_len + cap, err))
        return false;
    if (open_within(request, cap, err))
        return true;
    if (err->kind != ERROR_TOO_LARGE || cap == max_bytes)
        return false;
    return set_reserved(intake, request, request->body_len + max_bytes, err) &&
           open_within(request, max_bytes, err);
}

static size_t memory_of(const struct intake_request *request)
{
    size_t bytes = request->body_len + otlp_batch_bytes(request->batch);

    return request->inflated == request->body ? bytes : bytes + request->inflated_len;
}

struct intake_request *upload_decode(struct upload *upload, enum otlp_media media,
                                     enum otlp_coding coding, struct error *err)
{
    const struct intake *intake = upload->intake;
    struct intake_request *request = memory_new(1, sizeof(*request));

    request->media = media;
    request->coding = coding;
    request->body = upload->bytes;
    request->body_len = upload->len;
    request->reserved = upload->capacity;
    upload->bytes = NULL;
    upload->len = upload->capacity = 0;
    request->batch = otlp_batch_new();

    if (open_body(intake, request, upload->max_bytes, err)) {
        struct slice body = {request->inflated, request->inflated_len};

        if (otlp_decode(request->batch, body, intake->seed, NULL, err) &&
            set_reserved(intake, request, memory_of(request), err))
            return request;
    }
    upload_discard(intake, request);
    return NULL;
}

void upload_discard(const struct intake *intake, struct intake_request *request)
{
    if (request->reserved)
        intake->unreserve(intake->self, request->reserved);
    intake_request_free(request);
}
