/*
 * The API key in a file of its own, as secrets are mounted: one line, blanks around it ignored.
 */
#ifndef EXPORTER_KEY_FILE_H
#define EXPORTER_KEY_FILE_H

#include "base/error.h"

/* The key on the heap (free()), or NULL with an error that names the file and never the key. */
char *key_file_read(const char *path, struct error *err);

#endif
