#include "base/journal_record.h"

#include "base/checksum.h"

#include <endian.h>
#include <string.h>

static const char segment_magic[8] = {'m', 'k', 'g', 'w', 'j', 'r', 'n', 'l'};

enum {
    VERSION = 1,
    RECORD_MAGIC = 0x4a524d2b, /* "+MRJ" */
    /* Where the fields are. */
    AT_VERSION = 8,
    AT_SALT = 12,
    AT_JOURNAL = 16,
    AT_FIRST_LSN = 24,
    AT_PREVIOUS_END = 32,
    AT_DURABLE_END = 40,
    AT_RECOVERED_END = 48,
    AT_PREVIOUS_FIRST = 56,
    AT_CRC = 68,
    AT_RECORD_CRC = 4,
    AT_RECORD_SALT = 8,
    AT_BODY_LEN = 12,
    AT_LSN = 16,
    AT_DURABLE_LSN = 24,
    AT_RECEIVE = 32,
    AT_KIND = 40,
    AT_MEDIA_TYPE = 41,
    AT_CODING = 42,
    AT_BODY_CRC = 44
};

static void put32(char *out, uint32_t value)
{
    value = htole32(value);
    memcpy(out, &value, sizeof(value));
}

static void put64(char *out, uint64_t value)
{
    value = htole64(value);
    memcpy(out, &value, sizeof(value));
}

static uint32_t get32(const char *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return le32toh(value);
}

static uint64_t get64(const char *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

/* ---- segments ---------------------------------------------------------------------------- */

void journal_header_encode(const struct journal_header *header, char *out)
{
    memset(out, 0, JOURNAL_SEGMENT_HEADER);
    memcpy(out, segment_magic, sizeof(segment_magic));
    put32(out + AT_VERSION, VERSION);
    put32(out + AT_SALT, header->salt);
    put64(out + AT_JOURNAL, header->journal_id);
    put64(out + AT_FIRST_LSN, header->first_lsn);
    put64(out + AT_PREVIOUS_END, header->previous_end);
    put64(out + AT_DURABLE_END, header->durable_end);
    put64(out + AT_RECOVERED_END, header->recovered_end);
    put64(out + AT_PREVIOUS_FIRST, header->previous_first);
    put32(out + AT_CRC, checksum_crc32c(0, (struct slice){out, AT_CRC}));
}

enum journal_header_state journal_header_decode(struct slice bytes,
                                                struct journal_header *header)
{
    const char *in = bytes.ptr;

    if (bytes.len < JOURNAL_SEGMENT_HEADER ||
        memcmp(in, segment_magic, sizeof(segment_magic)) != 0 ||
        get32(in + AT_CRC) != checksum_crc32c(0, (struct slice){in, AT_CRC}))
        return JOURNAL_HEADER_BAD;
    if (get32(in + AT_VERSION) != VERSION)
        return JOURNAL_HEADER_OTHER_VERSION;
    *header = (struct journal_header){
        .journal_id = get64(in + AT_JOURNAL),
        .first_lsn = get64(in + AT_FIRST_LSN),
        .previous_end = get64(in + AT_PREVIOUS_END),
        .durable_end = get64(in + AT_DURABLE_END),
        .recovered_end = get64(in + AT_RECOVERED_END),
        .previous_first = get64(in + AT_PREVIOUS_FIRST),
        .salt = get32(in + AT_SALT),
    };
    /* Never written so. */
    if (header->journal_id == 0 || header->first_lsn > JOURNAL_MAX_LSN ||
        header->previous_end >= header->first_lsn ||
        header->durable_end > header->previous_end)
        return JOURNAL_HEADER_BAD;
    return JOURNAL_HEADER_GOOD;
}

/* ---- records ----------------------------------------------------------------------------- */

static uint32_t crc_of_header(const char *header)
{
    return checksum_crc32c(0, (struct slice){header + AT_RECORD_SALT,
                                             JOURNAL_RECORD_HEADER - AT_RECORD_SALT});
}

void journal_record_encode(const struct journal_record *record,
                           const struct journal_frame *frame, char *out)
{
    memset(out, 0, JOURNAL_RECORD_HEADER);
    put32(out, RECORD_MAGIC);
    put32(out + AT_RECORD_SALT, frame->salt);
    put32(out + AT_BODY_LEN, frame->body_len);
    put64(out + AT_LSN, record->lsn);
    put64(out + AT_DURABLE_LSN, frame->durable_lsn);
    put64(out + AT_RECEIVE, record->receive_ns);
    out[AT_KIND] = (char)record->kind;
    out[AT_MEDIA_TYPE] = (char)record->media_type;
    out[AT_CODING] = (char)record->coding;
    put32(out + AT_BODY_CRC, frame->body_crc);
    put32(out + AT_RECORD_CRC, crc_of_header(out));
}

static bool is_known(uint8_t kind)
{
    return kind == JOURNAL_REQUEST || kind == JOURNAL_TICK || kind == JOURNAL_CONFIG;
}

bool journal_record_decode(const char *bytes, struct journal_record *record,
                           struct journal_frame *frame)
{
    uint8_t kind = (uint8_t)bytes[AT_KIND];

    if (get32(bytes) != RECORD_MAGIC ||
        get32(bytes + AT_RECORD_CRC) != crc_of_header(bytes))
        return false;
    if (!is_known(kind) || get64(bytes + AT_LSN) > JOURNAL_MAX_LSN ||
        get64(bytes + AT_DURABLE_LSN) >= get64(bytes + AT_LSN) ||
        get32(bytes + AT_BODY_LEN) > JOURNAL_MAX_BODY)
        return false;
    *record = (struct journal_record){
        .kind = (enum journal_kind)kind,
        .lsn = get64(bytes + AT_LSN),
        .receive_ns = get64(bytes + AT_RECEIVE),
        .media_type = (uint8_t)bytes[AT_MEDIA_TYPE],
        .coding = (uint8_t)bytes[AT_CODING],
    };
    *frame = (struct journal_frame){
        .salt = get32(bytes + AT_RECORD_SALT),
        .body_len = get32(bytes + AT_BODY_LEN),
        .body_crc = get32(bytes + AT_BODY_CRC),
        .durable_lsn = get64(bytes + AT_DURABLE_LSN),
    };
    return true;
}

uint64_t journal_record_torn_bytes(const char *bytes, uint32_t salt, uint64_t lsn)
{
    int signs = (get32(bytes) == RECORD_MAGIC) + (get32(bytes + AT_RECORD_SALT) == salt) +
                (get64(bytes + AT_LSN) == lsn);

    return signs >= 2 ? (uint64_t)JOURNAL_RECORD_HEADER + get32(bytes + AT_BODY_LEN) : 0;
}
