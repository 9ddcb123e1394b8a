/* CRC32C, the checksum of journal and checkpoint. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/slice.h"

#include <stdint.h>

/* Of what came `before` and the bytes, in pieces as they come; begin with 0. 0 for no bytes. */
uint32_t checksum_crc32c(uint32_t before, struct slice bytes);

#endif
