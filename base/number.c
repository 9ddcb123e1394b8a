#include "base/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * 17 significant digits always read back as the same double, and 15 are kept by every double in
 * the normal range (C17 5.2.4.2.2: DBL_DECIMAL_DIG, DBL_DIG), so three attempts find the shortest.
 * Subnormal numbers have fewer good digits and are tried from one digit on.
 */
enum {
    KEPT_DIGITS = 15,
    MAX_DIGITS = 17
};

struct decimal {
    char digits[MAX_DIGITS + 1];
    int count;
    int exponent; /* of the first digit */
};

/* The locale's decimal point may be anything, of any length; digits are digits. */
static void parse_scientific(const char *text, struct decimal *out)
{
    out->count = 0;
    for (; *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && out->count < MAX_DIGITS)
            out->digits[out->count++] = *text;
    out->exponent = (int)strtol(text + 1, NULL, 10);
}

static bool reads_back(const struct decimal *decimal, double value)
{
    char text[48];

    /* Digits without a point need no locale. */
    snprintf(text, sizeof(text), "%.*se%d", decimal->count, decimal->digits,
             decimal->exponent - decimal->count + 1);
    return strtod(text, NULL) == value;
}

/* Adds one to the last digit; false when a carry leaves the first. */
static bool count_up(struct decimal *decimal)
{
    for (int i = decimal->count - 1; i >= 0; i--) {
        if (decimal->digits[i] < '9') {
            decimal->digits[i]++;
            return true;
        }
        decimal->digits[i] = '0';
    }
    return false;
}

static void find_shortest(double value, struct decimal *out)
{
    char text[64];
    int digits = value < 0x1p-1022 ? 1 : KEPT_DIGITS;

    for (; digits <= MAX_DIGITS; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        parse_scientific(text, out);
        if (reads_back(out, value))
            break;
        /* Below a power of two doubles lie twice as dense as above it, so that the nearest
         * decimal, below, may miss where the next one, above, reads back. */
        if (count_up(out) && reads_back(out, value))
            break;
    }
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
}

static char *put(char *at, const char *bytes, int count)
{
    memcpy(at, bytes, (size_t)count);
    return at + count;
}

static char *put_zeros(char *at, int count)
{
    memset(at, '0', (size_t)count);
    return at + count;
}

static char *put_plain(char *at, const struct decimal *d)
{
    int whole = d->exponent + 1;

    if (whole <= 0) {
        at = put_zeros(put(at, "0.", 2), -whole);
        return put(at, d->digits, d->count);
    }
    if (whole >= d->count)
        return put_zeros(put(at, d->digits, d->count), whole - d->count);
    at = put(put(at, d->digits, whole), ".", 1);
    return put(at, d->digits + whole, d->count - whole);
}

static char *put_scientific(char *at, const struct decimal *d)
{
    char exponent[8];

    at = put(at, d->digits, 1);
    if (d->count > 1)
        at = put(put(at, ".", 1), d->digits + 1, d->count - 1);
    return put(at, exponent, snprintf(exponent, sizeof(exponent), "e%d", d->exponent));
}

size_t number_format(double value, char text[static NUMBER_TEXT_MAX])
{
    char *at = text;

    if (signbit(value)) {
        at = put(at, "-", 1);
        value = -value;
    }
    /* Most values are whole numbers, and those need no search. */
    if (value < 1e15 && value == floor(value)) {
        char whole[24];
        int len = snprintf(whole, sizeof(whole), "%llu", (unsigned long long)value);

        return (size_t)(put(at, whole, len) - text);
    }

    struct decimal decimal;

    find_shortest(value, &decimal);
    at = value >= 1e-6 && value < 1e21 ? put_plain(at, &decimal)
                                       : put_scientific(at, &decimal);
    return (size_t)(at - text);
}

bool number_parse(struct slice text, uint64_t *number)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}
