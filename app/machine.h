/*
 * What this process may use and uses of the machine.
 */
#ifndef APP_MACHINE_H
#define APP_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory that the process may use: the limit of its control group (version 2 or 1) if there is one
 * below the machine's memory, else the machine's memory.
 */
uint64_t machine_memory_bytes(void);

/* Resident memory of this process; 0 when /proc is not there. */
uint64_t machine_resident_bytes(void);

/* A text that is the same at every start on this machine and another one on every other: machine id
 * (machine-id(5)), where there is one, and host name (of a pod: its name). */
void machine_identity(char *text, size_t size);

#endif
