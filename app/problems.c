#include "app/problems.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    MESSAGE_MAX = 1024
};

void problems_add(struct problems *problems, struct place place, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (place.line)
        buffer_printf(&problems->text, "%s:%u:%u: %s\n", place.source, place.line,
                      place.column, message);
    else
        buffer_printf(&problems->text, "%s: %s\n", place.source, message);
    problems->count++;
}

void problems_release(struct problems *problems)
{
    buffer_release(&problems->text);
    problems->count = 0;
}
