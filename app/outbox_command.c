#include "app/outbox_command.h"

#include "base/number.h"
#include "exporter/host_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    WORDS_MAX = 4,
    WORD_MAX = 32,
    ROWS_AT_ONCE = 64,
    PLACE_MAX = 128,
    MINUTE_TEXT = sizeof("2026-11-24T12:34Z"),
};

struct command {
    char words[WORDS_MAX][WORD_MAX];
    size_t count;
};

static bool split(struct slice text, struct command *command)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = 0;

        while (at + len < text.len && text.ptr[at + len] > ' ')
            len++;
        if (len >= WORD_MAX || (len && command->count == WORDS_MAX))
            return false;
        if (len)
            memcpy(command->words[command->count++], text.ptr + at, len);
        at += len + 1;
    }
    return true;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool read_minute(const char *word, uint64_t *minute_s)
{
    struct tm day = {0};
    const char *end = strptime(word, "%Y-%m-%dT%H:%MZ", &day);

    if (end && !*end)
        *minute_s = (uint64_t)timegm(&day);
    else if (!number_parse(slice_of(word), minute_s))
        return false;
    *minute_s -= *minute_s % 60;
    return true;
}

static void write_minute(uint64_t minute_s, char text[static MINUTE_TEXT])
{
    time_t time = (time_t)minute_s;
    struct tm day;

    gmtime_r(&time, &day);
    strftime(text, MINUTE_TEXT, "%Y-%m-%dT%H:%MZ", &day);
}

static bool find_destination(struct outbox *outbox, uint64_t id,
                             struct outbox_destination *found)
{
    return id && outbox_list(outbox, id - 1, found, 1) == 1 && found->id == id;
}

static bool no_destination(const char *word, struct buffer *text)
{
    buffer_printf(text, "no destination %s: `outbox ls` shows their numbers\n", word);
    return false;
}

static bool no_minute(const char *word, struct buffer *text)
{
    buffer_printf(text, "'%s' is no minute: write 2026-11-24T12:34Z or Unix seconds\n",
                  word);
    return false;
}

/* ---- ls ---------------------------------------------------------------------------------- */

static void describe_place(struct outbox *outbox, uint64_t id,
                           char place[static PLACE_MAX])
{
    struct outbox_destination found;
    char sought[PLACE_MAX - 8];

    if (!find_destination(outbox, id, &found)) {
        snprintf(place, PLACE_MAX, "?");
    } else if (found.destination.kind == MACKEREL_SERVICE) {
        snprintf(place, PLACE_MAX, "service %.*s", SLICE_ARG(found.destination.name));
    } else {
        host_text_sought(&found.destination, sought, sizeof(sought));
        snprintf(place, PLACE_MAX, "host %s", sought);
    }
}

static void list_row(struct outbox *outbox, const struct outbox_row_view *row,
                     struct buffer *text)
{
    static const char *const lanes[] = {
        [MACKEREL_LIVE] = "live", [MACKEREL_BACKFILL] = "backfill"};
    char place[PLACE_MAX], minute[MINUTE_TEXT];

    describe_place(outbox, row->destination, place);
    write_minute(row->minute_s, minute);
    buffer_printf(text, "%-11" PRIu64 "  %s  %-8s  %8zu  %9zu  %8" PRIu32 "  %s%s\n",
                  row->destination, minute, lanes[row->lane], row->queued, row->in_flight,
                  row->revision, place, row->due_s ? "  (to be confirmed)" : "");
}

static bool list(struct outbox *outbox, struct buffer *text)
{
    struct outbox_row_view rows[ROWS_AT_ONCE], last = {0};
    struct outbox_counts counts;
    size_t count;

    buffer_append_text(text, "DESTINATION  MINUTE             LANE        QUEUED  "
                             "IN FLIGHT  REVISION  WHERE\n");
    do {
        count = outbox_list_rows(outbox, last.destination, last.minute_s, rows,
                                 ROWS_AT_ONCE);
        for (size_t i = 0; i < count; i++)
            list_row(outbox, &rows[i], text);
        if (count)
            last = rows[count - 1];
    } while (count == ROWS_AT_ONCE);
    outbox_read_counts(outbox, &counts);
    buffer_printf(text, "%zu rows, %zu values, %zu bytes\n", counts.rows, counts.values,
                  counts.bytes);
    return true;
}

/* ---- show -------------------------------------------------------------------------------- */

static void show_value(void *self, const struct outbox_value_view *value)
{
    struct buffer *text = self;
    char number[NUMBER_TEXT_MAX];
    size_t len = number_format(value->value, number);
    const char *stage = value->in_flight ? "in flight"
                        : value->queued  ? "queued"
                                         : "to be confirmed";

    buffer_printf(text, "%-15s  %8" PRIu32 "  %.*s  %.*s\n", stage, value->revision,
                  SLICE_ARG(value->name), (int)len, number);
}

static bool show(struct outbox *outbox, const struct command *command,
                 struct buffer *text)
{
    uint64_t id = 0, minute_s;

    if (!number_parse(slice_of(command->words[1]), &id))
        return no_destination(command->words[1], text);
    if (!read_minute(command->words[2], &minute_s))
        return no_minute(command->words[2], text);
    buffer_append_text(text, "STAGE            REVISION  NAME  VALUE\n");
    if (outbox_show_row(outbox, id, minute_s, show_value, text))
        return true;
    buffer_reset(text);
    buffer_printf(text,
                  "no row of destination %s at %s: posted already, or never there\n",
                  command->words[1], command->words[2]);
    return false;
}

/* ---- retry and drop ---------------------------------------------------------------------- */

static bool select_destination(struct outbox *outbox, const char *word,
                               struct outbox_selection *selection, struct buffer *text)
{
    struct outbox_destination found;

    if (strcmp(word, "all") == 0)
        return true;
    if (!number_parse(slice_of(word), &selection->destination) ||
        !find_destination(outbox, selection->destination, &found))
        return no_destination(word, text);
    return true;
}

static bool retry(struct outbox *outbox, const struct command *command, uint64_t now_s,
                  struct buffer *text)
{
    struct outbox_selection selection = {.until_minute_s = UINT64_MAX};
    const char *where = command->count > 1 ? command->words[1] : "all";

    if (!select_destination(outbox, where, &selection, text))
        return false;
    buffer_printf(text, "%zu values are queued\n",
                  outbox_retry(outbox, &selection, now_s));
    return true;
}

static bool drop(struct outbox *outbox, const struct command *command, uint64_t now_s,
                 struct buffer *text)
{
    struct outbox_selection selection = {.until_minute_s = UINT64_MAX};
    const struct outbox_verdict verdict = {
        .end = OUTBOX_WITHHELD,
        .reason = WITHHELD_OPERATOR,
        .now_ns = now_s * 1000000000,
    };

    if (!select_destination(outbox, command->words[1], &selection, text))
        return false;
    if (command->count > 2 && !read_minute(command->words[2], &selection.until_minute_s))
        return no_minute(command->words[2], text);
    buffer_printf(text, "%zu values dropped; what is in flight is not\n",
                  outbox_drop(outbox, &selection, &verdict));
    return true;
}

bool outbox_command(struct outbox *outbox, struct slice line, uint64_t now_s,
                    struct buffer *text)
{
    struct command command = {0};
    bool is_short = split(line, &command);
    const char *verb = command.words[0];

    if (is_short && command.count == 1 && strcmp(verb, "ls") == 0)
        return list(outbox, text);
    if (is_short && command.count == 3 && strcmp(verb, "show") == 0)
        return show(outbox, &command, text);
    if (is_short && command.count <= 2 && strcmp(verb, "retry") == 0)
        return retry(outbox, &command, now_s, text);
    if (is_short && command.count >= 2 && command.count <= 3 && strcmp(verb, "drop") == 0)
        return drop(outbox, &command, now_s, text);
    buffer_append_text(text, "outbox commands: ls | show DESTINATION MINUTE | "
                             "retry [DESTINATION|all] | drop DESTINATION|all [MINUTE]\n");
    return false;
}
