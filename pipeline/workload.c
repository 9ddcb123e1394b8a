#include "pipeline/workload.h"

enum {
    SUFFIX_LEN = 5,
    /* Hashes are the digits of a 32-bit number: of 200 million 199 have 7 or more. */
    HASH_MIN = 3,
    HASH_MAX = 10,
    /* Cron jobs number their jobs by minutes since 1970: 8 digits in this century. */
    MINUTES_MIN = 5,
    ORDINAL_MAX = 4
};

static const char digits[] = "0123456789", hash_characters[] = "456789bcdf",
                  safe_characters[] = "bcdfghjklmnpqrstvwxz2456789",
                  any_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

/* Is the text of that length, and of these characters only? */
static bool consists(struct slice text, const char *characters, size_t min, size_t max)
{
    if (text.len < min || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == 0 || !strchr(characters, text.ptr[i]))
            return false;
    return true;
}

/* Splits at the last dash; false where nothing would be left before it. */
static bool split(struct slice name, struct slice *before, struct slice *last)
{
    size_t at = name.len;

    while (at > 0 && name.ptr[at - 1] != '-')
        at--;
    if (at < 2)
        return false;
    *before = (struct slice){name.ptr, at - 1};
    *last = (struct slice){name.ptr + at, name.len - at};
    return true;
}

static bool is_generated(struct slice part)
{
    return consists(part, hash_characters, HASH_MIN, HASH_MAX) ||
           consists(part, digits, MINUTES_MIN, HASH_MAX);
}

struct slice workload_of_set(struct slice set)
{
    struct slice before, last;

    return split(set, &before, &last) && is_generated(last) ? before : set;
}

bool workload_is_static(struct slice pod, struct slice node)
{
    return node.len && pod.len > node.len + 1 && pod.ptr[pod.len - node.len - 1] == '-' &&
           memcmp(pod.ptr + pod.len - node.len, node.ptr, node.len) == 0;
}

struct slice workload_of_pod(struct slice pod, struct slice node)
{
    struct slice before, last;

    if (workload_is_static(pod, node))
        return (struct slice){pod.ptr, pod.len - node.len - 1};
    if (!split(pod, &before, &last))
        return pod;
    if (consists(last, any_characters, SUFFIX_LEN, SUFFIX_LEN)) {
        struct slice set = workload_of_set(before);

        if (set.len < before.len)
            return set;
        return consists(last, safe_characters, SUFFIX_LEN, SUFFIX_LEN) ? before : pod;
    }
    return consists(last, digits, 1, ORDINAL_MAX) ? before : pod;
}
