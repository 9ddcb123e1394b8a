/*
 * The rules that come with the program, as YAML in the language of docs/rules.md (pipeline/packs). They
 * stand behind the user's, in the order of the table.
 */
#ifndef PIPELINE_PACK_H
#define PIPELINE_PACK_H

#include "base/slice.h"

struct pack {
    const char *name;
    struct slice text;
};

/* The last has no name. Made of the files when the program is built. */
extern const struct pack packs[];

#endif
