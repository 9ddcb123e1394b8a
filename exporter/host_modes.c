#include "exporter/host_modes.h"

#include <string.h>

/* Position of the word in a list that ends with NULL; the first where none is given; -1. */
static int find_word(const char *word, const char *const *words)
{
    if (!word || !*word)
        return 0;
    for (int i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return -1;
}

bool host_modes_read(struct host_registry_options *options, const char *create,
                     const char *native, struct error *err)
{
    static const char *const creates[] = {"never", "listed", "any", NULL};
    static const char *const natives[] = {"auto", "on", "off", NULL};
    int create_mode = find_word(create, creates);
    int native_mode = find_word(native, natives);

    if (create_mode < 0)
        return FAIL(err, ERROR_INVALID, "hosts.create must be never, listed or any");
    if (native_mode < 0)
        return FAIL(err, ERROR_INVALID, "hosts.native_metrics must be auto, on or off");
    options->create = (enum host_create)create_mode;
    options->native = (enum native_mode)native_mode;
    return true;
}
