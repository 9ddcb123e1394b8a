/*
 * What saving and loading agree on. A saved pipeline is, in the machine's own byte order:
 *
 *   mark, CHECKPOINT_VERSION                              u32 each
 *   reasons: count u32, then name, count u64, example_ns u64, example each
 *   the pipeline itself: description, one record, owned memory
 *   pools: name, description, used u32, freed u32, the freed ones in the order of their list, the
 *          records, owned memory; an empty name
 *   due: count u64, then time u64, cell u32 each
 *   mark
 *
 *   name           length u8, bytes
 *   description    record size u32, fields u32, then name, place u32, size u32 each
 *   owned memory   per owned field: name, bytes in all u64, the bytes record by record; an empty name
 *
 * Tables are not written: they are made again from the records.
 */
#ifndef PIPELINE_CHECKPOINT_FORMAT_H
#define PIPELINE_CHECKPOINT_FORMAT_H

#include <stdint.h>

/* "MOGc"; reads otherwise on a machine of the other byte order. */
#define CHECKPOINT_MARK UINT32_C(0x63474F4D)

/* Far above ours; they bound what a damaged description can ask for. */
enum {
    CHECKPOINT_MAX_FIELDS = 256,
    CHECKPOINT_MAX_RECORD = 1 << 20,
    CHECKPOINT_MAX_NAME = 256
};

#endif
