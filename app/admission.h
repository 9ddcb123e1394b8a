/*
 * Who is let in: one budget for bytes in flight (received, not yet applied), and a door that is open
 * while the program takes requests. What is refused is counted by why. Any thread.
 */
#ifndef APP_ADMISSION_H
#define APP_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise it and set max_bytes; the door is closed. */
struct admission {
    size_t max_bytes;
    atomic_size_t bytes;
    atomic_bool is_open;
    atomic_uint_least64_t refused_room, refused_closed, refused_journal;
};

/* Takes so many bytes of the budget, or says no. */
bool admission_take(struct admission *admission, size_t bytes);
void admission_give(struct admission *admission, size_t bytes);
/* Is the door open for the request that asks? */
bool admission_enter(struct admission *admission);

#endif
