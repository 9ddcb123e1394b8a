#include "app/storage.h"

#include "base/buffer.h"
#include "base/log.h"

#include <string.h>

static const size_t MIB = 1 << 20;

static enum exit_code open_directory(struct storage *storage, const struct config *config,
                                     struct error *err)
{
    bool is_demanded = *config->durability != '\0';

    storage->state = state_open(
        &(struct state_options){
            .directory = config->state_directory,
            .reserve_bytes = config->journal_max_size / STATE_RESERVE_SHARE,
        },
        err);
    if (storage->state)
        return EXIT_FINE;
    if (err->kind == ERROR_BUSY)
        return EXIT_UNAVAILABLE;
    if (is_demanded)
        return EXIT_CONFIG;
    log_event(LOG_WARN,
              "state.directory cannot be used, so state is in memory: what was accepted "
              "and not yet posted is lost when the process ends; "
              "state.durability: memory says that this is meant",
              LOG_TEXT("error", err->text));
    return EXIT_FINE;
}

static size_t outbox_bytes(const struct config *config, bool is_on_disk)
{
    if (config->outbox_max_size)
        return (size_t)config->outbox_max_size;
    return is_on_disk ? 1024 * MIB : 256 * MIB;
}

static bool open_outbox(struct storage *storage, const struct config *config,
                        struct error *err)
{
    struct buffer path = {0};

    buffer_printf(&path, "%s/outbox.db", state_directory(storage->state));
    buffer_append_char(&path, '\0');

    struct outbox_options options = {
        .max_bytes = storage->outbox_max_bytes,
        .path = path.ptr,
        .disk = state_disk(storage->state),
        .without_graphs = !config->graph_definitions,
    };

    storage->outbox = outbox_open(&options, err);
    if (!storage->outbox && err->kind == ERROR_BUSY && state_make_room(storage->state))
        storage->outbox = outbox_open(&options, err);
    buffer_release(&path);
    return storage->outbox != NULL;
}

static void name_durability(struct storage *storage, const struct config *config)
{
    bool is_fsync = strcmp(config->durability, "fsync") == 0;

    storage->journal = is_fsync ? JOURNAL_FSYNC : JOURNAL_PROCESS;
    if (!storage->state)
        storage->durability = "memory";
    else
        storage->durability = is_fsync ? "fsync" : "process";
}

/* A preview prints and is done: it would take from the outbox what another run is to post. */
static bool may_use(const struct storage *storage, const struct config *config,
                    struct error *err)
{
    struct outbox_counts counts;

    outbox_read_counts(storage->outbox, &counts);
    if (counts.values == 0 || *config->apikey || *config->apikey_file)
        return true;
    return FAIL(err, ERROR_INVALID,
                "%zu values in %s wait to be posted and there is no API key: set "
                "MACKEREL_APIKEY, or preview with another state.directory",
                counts.values, config->state_directory);
}

enum exit_code storage_open(struct storage *storage, const struct config *config,
                            struct error *err)
{
    enum exit_code code = EXIT_FINE;

    *storage = (struct storage){0};
    if (strcmp(config->durability, "memory") != 0)
        code = open_directory(storage, config, err);
    if (code != EXIT_FINE)
        return code;
    name_durability(storage, config);
    storage->outbox_max_bytes = outbox_bytes(config, storage->state);
    if (storage->state && !open_outbox(storage, config, err))
        return EXIT_UNAVAILABLE;
    if (storage->state)
        return may_use(storage, config, err) ? EXIT_FINE : EXIT_CONFIG;
    storage->outbox = outbox_new(
        &(struct outbox_options){.max_bytes = storage->outbox_max_bytes,
                                 .without_graphs = !config->graph_definitions});
    return EXIT_FINE;
}

void storage_release(struct storage *storage)
{
    outbox_free(storage->outbox);
    state_free(storage->state);
    *storage = (struct storage){0};
}
