#include "exporter/key_file.h"

#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Keys have 44 characters; whatever is longer than this is another file. */
enum {
    KEY_FILE_MAX = 4096
};

static struct slice trim(struct slice text)
{
    while (text.len && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    while (text.len && isspace((unsigned char)*text.ptr)) {
        text.ptr++;
        text.len--;
    }
    return text;
}

char *key_file_read(const char *path, struct error *err)
{
    char text[KEY_FILE_MAX];
    FILE *file = fopen(path, "re");
    struct slice key = {text, 0};

    if (!file) {
        char why[128];

        FAIL(err, ERROR_INVALID, "cannot read the API key from %s: %s", path,
             strerror_r(errno, why, sizeof(why)));
        return NULL;
    }
    key.len = fread(text, 1, sizeof(text), file);
    fclose(file);
    key = trim(key);
    if (key.len && key.len < sizeof(text))
        return memory_copy(key);
    FAIL(err, ERROR_INVALID, "%s does not hold an API key", path);
    return NULL;
}

bool key_watch_look(struct key_watch *watch, const char *path, uint64_t now_ms)
{
    const struct key_watch before = *watch;
    struct stat file;

    if (now_ms < watch->due_ms)
        return false;
    watch->due_ms = now_ms + KEY_WATCH_MS;
    if (stat(path, &file) != 0)
        return false;
    watch->device = file.st_dev;
    watch->inode = file.st_ino;
    watch->size = file.st_size;
    watch->written = file.st_mtim;
    return before.device != watch->device || before.inode != watch->inode ||
           before.size != watch->size || before.written.tv_sec != watch->written.tv_sec ||
           before.written.tv_nsec != watch->written.tv_nsec;
}
