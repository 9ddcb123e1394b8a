/*
 * Numbers as text, the same in every locale.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NUMBER_TEXT_MAX = 32
};

/*
 * Writes the shortest decimal form that reads back as the same double (RFC 8259 syntax; 100 and
 * not 1e+02 between 1e-6 and 1e21), without NUL. The value must be finite. Returns the length.
 */
size_t number_format(double value, char text[static NUMBER_TEXT_MAX]);

/* Reads decimal digits, nothing else, that fit into 64 bits; else false and *number is untouched. */
bool number_parse(struct slice text, uint64_t *number);

#endif
