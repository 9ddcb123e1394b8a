/*
 * Everything that is wrong with a configuration, said at once and with its place.
 */
#ifndef APP_PROBLEMS_H
#define APP_PROBLEMS_H

#include "base/buffer.h"
#include "base/compiler.h"

#include <stddef.h>

struct problems {
    struct buffer text; /* a line each: "place: what" */
    size_t count;
};

/* Where a value stands: a file with line and column, or a name such as "--set" alone. */
struct place {
    const char *source;
    unsigned line, column; /* 0: none */
};

void problems_add(struct problems *problems, struct place place, const char *format, ...)
    PRINTF_LIKE(3, 4);
void problems_release(struct problems *problems);

#endif
