/*
 * "Did you mean": the known word that is nearest to an unknown one.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/slice.h"

#include <stddef.h>

/* Words longer than this are too far from anything known. */
enum {
    SUGGEST_MAX_LENGTH = 64
};

/* Edits (insert, delete, replace a byte) between the two; SIZE_MAX for words that are too long. */
size_t suggest_distance(struct slice a, struct slice b);

#endif
