/*
 * The file around a checkpoint: which LSN and which hash seed it belongs to, and a checksum over all
 * of it. The bytes between are somebody else's (fold_save(), fold_load()).
 *
 *   "MOGCHKPT", version u32, 0 u32, LSN u64, seed u64 | the bytes | length of it all u64, CRC32C u32
 *
 * in the machine's own byte order; the checksum covers everything before it.
 *
 * A checkpoint is written into checkpoint.new and takes the place of the old one by rename, once it is
 * synced: at any moment the directory has a whole one. Of a failure in between the old one knows
 * nothing; the half-made file goes. Only a failed sync of the names after the rename leaves open
 * which of the two a power loss would bring back; both are whole.
 *
 * What cannot be used is set aside as checkpoint.bad, for a person, and said in the log.
 *
 * Threads: any, one at a time for each writer and reader.
 */
#ifndef APP_CHECKPOINT_FILE_H
#define APP_CHECKPOINT_FILE_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKPOINT_FILE_NAME "checkpoint"
#define CHECKPOINT_FILE_NEW  "checkpoint.new"

struct checkpoint_head {
    uint64_t lsn;  /* of the last record that is in the state */
    uint64_t seed; /* of the hashes in it */
};

/* ---- writing ----------------------------------------------------------------------------- */

struct checkpoint_writer;

/* NULL when no file can be made. */
struct checkpoint_writer *checkpoint_file_begin(const struct disk *disk,
                                                const struct checkpoint_head *head,
                                                struct error *err) MUST_CHECK;

/* The next bytes; a checkpoint_write of pipeline/checkpoint.h. False after the first failure. */
bool checkpoint_file_write(void *writer, struct slice bytes) MUST_CHECK;

/* Everything is written, if nothing failed so far. No byte may follow. */
bool checkpoint_file_end(struct checkpoint_writer *writer, struct error *err) MUST_CHECK;

/* Waits until the disk has the bytes; commit() does it if nobody did. */
bool checkpoint_file_sync(struct checkpoint_writer *writer, struct error *err) MUST_CHECK;

/* Takes the place of the old checkpoint. Frees the writer in any case. */
bool checkpoint_file_commit(struct checkpoint_writer *writer,
                            struct error *err) MUST_CHECK;

/* Frees the writer and removes what it wrote. NULL-safe. */
void checkpoint_file_abandon(struct checkpoint_writer *writer);

/* Size of the file so far. */
uint64_t checkpoint_file_bytes(const struct checkpoint_writer *writer);

/* ---- reading ----------------------------------------------------------------------------- */

struct checkpoint_reader;

/*
 * The checkpoint, whole by its checksum. NULL with ERROR_NOT_FOUND when there is none; with
 * another kind when it cannot be used: then it has been set aside and the log says so. A
 * checkpoint.new that was left behind is removed.
 */
struct checkpoint_reader *checkpoint_file_open(const struct disk *disk,
                                               struct checkpoint_head *head,
                                               struct error *err) MUST_CHECK;

/* A checkpoint_read of pipeline/checkpoint.h. */
bool checkpoint_file_read(void *reader, char *to, size_t len) MUST_CHECK;

void checkpoint_file_close(struct checkpoint_reader *reader);

/* For who finds that the bytes, though whole, are of no use: as open() does with a broken file. */
void checkpoint_file_set_aside(const struct disk *disk, const char *why);

#endif
