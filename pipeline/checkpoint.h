/*
 * The pipeline's whole state as bytes, and back. What is written is everything that decides about
 * later values: records, tables, due times, the point ledger, counts and the options in force. A
 * loaded pipeline that is given the same records behaves exactly as the saved one would.
 *
 * The format describes itself: for every kind of record the names, places and sizes of its fields
 * come first. A pipeline that knows the same fields reads in bulk; one that has gained or lost fields
 * maps them by name (new ones are zero, new indices none), so that an upgrade keeps its state as long
 * as the meaning of the fields stays. Pools and owned memory that only one side knows are skipped or
 * empty; reasons go by their names. A field that changed its size is refused, and CHECKPOINT_VERSION
 * changes when a meaning does.
 *
 * Bytes are trusted no further than that they are whole: the file around them has a checksum. Every
 * count and index is checked before it is used, and lists are checked to be finite (pipeline/verify.h
 * has what is not checked), so that bytes of a wrong program are refused or give wrong values, but
 * do no harm. Memory grows with the bytes that are there, not with what they claim.
 *
 * A million streams are 140 MB of counters or 290 MB of gauges; saving them costs about 0.1 s and
 * 0.25 s of CPU, loading 0.2 s and 0.4 s (tests/bench/checkpoint_bench.c).
 */
#ifndef PIPELINE_CHECKPOINT_H
#define PIPELINE_CHECKPOINT_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "pipeline/pipeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHECKPOINT_VERSION = 1
};

/* Takes the next piece; false ends the saving. */
typedef bool checkpoint_write(void *self, struct slice bytes);
/* Fills `to` with the next `len` bytes; false when there are not so many. */
typedef bool checkpoint_read(void *self, char *to, size_t len);

bool pipeline_save(const struct pipeline *pipeline, checkpoint_write *write,
                   void *self) MUST_CHECK;

/* NULL with ERROR_INVALID when the bytes are not such a state. */
struct pipeline *pipeline_load(checkpoint_read *read, void *self,
                               struct error *err) MUST_CHECK;

#endif
