/*
 * The state's records field by field, as data, for whatever treats them all alike: setting pools
 * up, releasing them, saving, loading and checking (pipeline/checkpoint.h).
 *
 * schema.c has one line per field of every record and one per member of struct pipeline. While one is
 * missing the build fails (COMPLETE there), so a new field or pool cannot be forgotten: its line
 * says what it is, and the rest follows.
 *
 * Indices say how they relate to what they name, and loading holds them to it: a LINK names a
 * record in use; a USE too, and the record counts its uses in its USERS field; an OWN too, and no
 * two own the same record, so that lists of OWN links are finite.
 */
#ifndef PIPELINE_SCHEMA_H
#define PIPELINE_SCHEMA_H

#include "pipeline/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_kind {
    SCHEMA_PLAIN, /* any bytes */
    SCHEMA_BOOL,  /* 0 or 1 */
    SCHEMA_UPTO,  /* uint8_t of at most `most` */
    SCHEMA_REASON, /* uint8_t: enum reason + 1, or 0; numbers may change between versions */
    SCHEMA_USERS, /* uint32_t: how many USE links name the record */
    SCHEMA_LINK,
    SCHEMA_USE,
    SCHEMA_OWN,
    SCHEMA_LIST, /* pointer to owned numbers, as many as the field at `length_at` says */
    SCHEMA_TEXT, /* pointer to an owned text of that length */
    SCHEMA_STRING, /* pointer to an owned text that ends with NUL; NULL is the same as ""; struct pipeline only */
    SCHEMA_SLICES, /* pointer to an owned text, of which the SLICE fields behind it are cut in order */
    SCHEMA_SLICES_BUFFER, /* the same in a struct buffer */
    SCHEMA_SLICE,
    SCHEMA_LAST_STORED = SCHEMA_SLICE,
    SCHEMA_REASONS, /* struct pipeline only: the ledger's reasons; */
    SCHEMA_POOL,    /* records of type `record`; */
    SCHEMA_TABLE, /* from the hash at `hash_at` to a record of the pool that no OWN link names */
};

struct schema_field {
    const char *name;
    uint32_t at, size;
    enum schema_kind kind;
    bool may_be_none;   /* LINK, USE, OWN: POOL_NONE is allowed */
    uint8_t most;       /* UPTO */
    uint32_t pool_at;   /* LINK, USE, OWN, TABLE: the pool in struct pipeline */
    uint32_t length_at; /* LIST, TEXT: an uint32_t of the record */
    uint32_t element;   /* LIST: size of one */
    uint32_t hash_at;   /* TABLE */
    const struct schema_record *record; /* POOL */
};

struct schema_record {
    uint32_t size, field_count;
    const struct schema_field *fields;
};

/* struct pipeline itself; its POOL fields lead to the others. Scratch has no field. */
extern const struct schema_record schema_pipeline;

void schema_init_pools(struct pipeline *p);

/* Frees what the records own, the pools and the tables. */
void schema_release(struct pipeline *p);

/* Where the field is in its record. */
static inline void *schema_at(const struct schema_field *field, void *record)
{
    return (char *)record + field->at;
}

static inline struct pool *schema_pool(struct pipeline *p, uint32_t pool_at)
{
    return (struct pool *)(void *)((char *)p + pool_at);
}

static inline bool schema_is_index(const struct schema_field *field)
{
    return field->kind == SCHEMA_LINK || field->kind == SCHEMA_USE ||
           field->kind == SCHEMA_OWN;
}

/* Does the field hold a pointer to memory that the record owns? */
static inline bool schema_is_owned(const struct schema_field *field)
{
    return field->kind >= SCHEMA_LIST && field->kind <= SCHEMA_SLICES_BUFFER;
}

static inline bool schema_has_owned(const struct schema_record *record)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (schema_is_owned(&record->fields[i]))
            return true;
    return false;
}

#endif
