#include "proto/otlp_hash.h"

#include "proto/otlp_field.h"
#include "proto/otlp_value.h"

/* Canonical KeyValue: 0A len key 12 len value, where both lengths take one byte. */
enum {
    SHORT_MAX = 0x7F,
    PLAIN_MAX = 4 + 2 * SHORT_MAX
};

/* SplitMix64's output function: every bit of the seed reaches every secret. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

void otlp_hasher_init(struct otlp_hasher *hasher, uint64_t seed, uint32_t max_depth)
{
    *hasher = (struct otlp_hasher){.seed = seed, .max_depth = max_depth};
    for (uint64_t i = 0; i < OTLP_HASH_SECRETS; i++)
        hasher->secrets[i] = scramble(seed + (i + 1) * 0x9E3779B97F4A7C15u);
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
    size_t len = 0;

    for (; value >= 0x80; value >>= 7)
        to[len++] = (uint8_t)(value | 0x80);
    to[len++] = (uint8_t)value;
    return len;
}

static size_t put_text(uint8_t *to, uint8_t tag, struct slice text)
{
    to[0] = tag;
    to[1] = (uint8_t)text.len;
    if (text.len)
        memcpy(to + 2, text.ptr, text.len);
    return 2 + text.len;
}

/* The canonical AnyValue, or false when it is not short and plain. */
static bool put_value(uint8_t *to, const struct otlp_value *value, size_t *len)
{
    uint64_t bits;

    switch (value->kind) {
    case OTLP_VALUE_EMPTY: *len = 0; return true;
    case OTLP_VALUE_STRING:
        if (value->text.len + 2 > SHORT_MAX)
            return false;
        *len = put_text(to, 0x0A, value->text);
        return true;
    case OTLP_VALUE_BOOL:
        to[0] = 0x10;
        to[1] = value->as_bool;
        *len = 2;
        return true;
    case OTLP_VALUE_INT:
        to[0] = 0x18;
        *len = 1 + put_varint(to + 1, (uint64_t)value->as_int);
        return true;
    case OTLP_VALUE_DOUBLE:
        memcpy(&bits, &value->as_double, sizeof bits);
        bits = htole64(bits);
        to[0] = 0x21;
        memcpy(to + 1, &bits, sizeof bits);
        *len = 9;
        return true;
    case OTLP_VALUE_ARRAY:
    case OTLP_VALUE_KVLIST:
    case OTLP_VALUE_BYTES: return false;
    }
    return false;
}

static bool hash_plain(const struct otlp_hasher *hasher, struct slice key,
                       const struct otlp_value *value, struct hash128 *hash)
{
    uint8_t bytes[PLAIN_MAX], any[SHORT_MAX];
    size_t len = 0, any_len;

    if (key.len > SHORT_MAX || !put_value(any, value, &any_len))
        return false;
    len = put_text(bytes, 0x0A, key);
    len += put_text(bytes + len, 0x12, (struct slice){(const char *)any, any_len});
    *hash = otlp_hash_short(hasher, (struct slice){(const char *)bytes, len});
    return true;
}

static enum otlp_hash_verdict hash_content(const struct otlp_hasher *hasher,
                                           const struct otlp_value *value, uint32_t depth,
                                           struct hash128 *hash);

/* `depth` is that of the AnyValue. */
static enum otlp_hash_verdict hash_value(const struct otlp_hasher *hasher,
                                         struct slice key, const struct otlp_value *value,
                                         uint32_t depth, struct hash128 *hash)
{
    struct hash128 content;

    if (hash_plain(hasher, key, value, hash))
        return OTLP_HASH_OK;

    enum otlp_hash_verdict verdict = hash_content(hasher, value, depth, &content);

    if (verdict == OTLP_HASH_OK)
        *hash = hash_mix(hash_bytes(key, hasher->seed), content);
    return verdict;
}

static enum otlp_hash_verdict hash_array(const struct otlp_hasher *hasher,
                                         const struct otlp_value *array, uint32_t depth,
                                         struct hash128 *hash)
{
    struct otlp_elements elements = otlp_value_elements(array);
    struct slice element;
    struct otlp_value value;
    struct hash128 one;
    const struct slice no_key = {0};

    /* AnyValue (depth) > ArrayValue > AnyValue */
    while (otlp_elements_next(&elements, &element)) {
        if (depth + 2 > hasher->max_depth)
            return OTLP_HASH_TOO_DEEP;
        if (!otlp_value_of_element(element, &value))
            return OTLP_HASH_BROKEN;

        enum otlp_hash_verdict verdict = hash_value(hasher, no_key, &value, depth + 2,
                                                    &one);

        if (verdict != OTLP_HASH_OK)
            return verdict;
        *hash = hash_mix(*hash, one);
    }
    return elements.broken ? OTLP_HASH_BROKEN : OTLP_HASH_OK;
}

static enum otlp_hash_verdict hash_kvlist(const struct otlp_hasher *hasher,
                                          const struct otlp_value *list, uint32_t depth,
                                          struct hash128 *hash)
{
    struct otlp_elements elements = otlp_value_elements(list);
    struct slice element;

    /* AnyValue (depth) > KeyValueList > KeyValue */
    while (otlp_elements_next(&elements, &element)) {
        enum otlp_hash_verdict verdict = otlp_hash_member(hasher, element, depth + 2,
                                                          hash);

        if (verdict != OTLP_HASH_OK)
            return verdict;
    }
    return elements.broken ? OTLP_HASH_BROKEN : OTLP_HASH_OK;
}

static enum otlp_hash_verdict hash_content(const struct otlp_hasher *hasher,
                                           const struct otlp_value *value, uint32_t depth,
                                           struct hash128 *hash)
{
    enum otlp_hash_verdict verdict = OTLP_HASH_OK;
    struct hash128 content = {0};

    if (value->kind == OTLP_VALUE_ARRAY)
        verdict = hash_array(hasher, value, depth, &content);
    else if (value->kind == OTLP_VALUE_KVLIST)
        verdict = hash_kvlist(hasher, value, depth, &content);
    else if (value->kind == OTLP_VALUE_STRING || value->kind == OTLP_VALUE_BYTES)
        content = hash_bytes(value->text, hasher->seed);
    else /* a number under a long key: hashed as an attribute without key */
        hash_plain(hasher, (struct slice){0}, value, &content);
    *hash = hash_mix(content, (struct hash128){value->kind + 1, hasher->seed});
    return verdict;
}

enum otlp_hash_verdict otlp_hash_member(const struct otlp_hasher *hasher,
                                        struct slice key_value, uint32_t depth,
                                        struct hash128 *set)
{
    struct slice key;
    struct otlp_value value;
    struct hash128 hash;

    /* KeyValue (depth) > AnyValue */
    if (depth + 1 > hasher->max_depth)
        return OTLP_HASH_TOO_DEEP;
    if (!otlp_value_of_attribute(key_value, &key, &value))
        return OTLP_HASH_BROKEN;

    enum otlp_hash_verdict verdict = hash_value(hasher, key, &value, depth + 1, &hash);

    if (verdict == OTLP_HASH_OK)
        *set = hash_add(*set, hash);
    return verdict;
}

enum otlp_hash_verdict otlp_hash_set(const struct otlp_hasher *hasher,
                                     struct slice message, uint32_t field, uint32_t depth,
                                     struct hash128 *set)
{
    struct wire wire = wire_of(message);
    struct slice key_value;
    enum otlp_hash_verdict worst = OTLP_HASH_OK;

    *set = (struct hash128){0};
    while (wire_find(&wire, field, &key_value)) {
        enum otlp_hash_verdict verdict = otlp_hash_add(hasher, key_value, depth + 1, set);

        if (verdict > worst)
            worst = verdict;
    }
    return wire.broken ? OTLP_HASH_BROKEN : worst;
}
