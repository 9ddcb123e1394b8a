/*
 * Gives every file of the folders that are named to a fuzz target, once: the corpus as a test, for
 * compilers without libFuzzer. Says how many there were; an empty corpus is a failure.
 */
#include "base/buffer.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CHUNK_BYTES = 65536
};

static bool read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file)
        return false;
    while ((got = fread(buffer_reserve(out, CHUNK_BYTES), 1, CHUNK_BYTES, file)) > 0)
        out->len += got;
    fclose(file);
    return true;
}

static bool replay_file(const char *folder, const char *name)
{
    struct buffer path = {0}, content = {0};

    buffer_printf(&path, "%s/%s", folder, name);
    buffer_append_char(&path, '\0');

    bool ok = read_file(path.ptr, &content);

    if (ok) {
        /* An allocation of the exact size lets the sanitizer see a read beyond the end. */
        uint8_t *exact = malloc(content.len ? content.len : 1);

        if (!exact)
            abort();
        if (content.len)
            memcpy(exact, content.ptr, content.len);
        LLVMFuzzerTestOneInput(exact, content.len);
        free(exact);
    } else {
        fprintf(stderr, "cannot read %s\n", path.ptr);
    }
    buffer_release(&path);
    buffer_release(&content);
    return ok;
}

static int replay_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    int count = 0;

    if (!entries) {
        fprintf(stderr, "cannot read %s\n", folder);
        exit(1);
    }
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (!replay_file(folder, entry->d_name))
            exit(1);
        count++;
    }
    closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
