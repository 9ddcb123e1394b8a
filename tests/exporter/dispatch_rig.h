/*
 * A dispatch on a clock of seconds, in front of a fake API: one host "web-1" (id 2web), one service
 * "shop". A test sets how posts and questions are answered, lets time pass and looks at what was
 * posted.
 */
#ifndef TESTS_EXPORTER_DISPATCH_RIG_H
#define TESTS_EXPORTER_DISPATCH_RIG_H

#include "exporter/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* 2026-11-24T11:00:00Z; the tests begin 80 s later, when that minute has closed. */
enum {
    MINUTE_S = 1795518000,
    START_S = MINUTE_S + 80
};

#define RIG_WEB_FOUND \
    "{\"hosts\":[{\"id\":\"2web\",\"name\":\"web-1\",\"status\":\"working\"}]}"
#define RIG_SHOP_LISTED "{\"services\":[{\"name\":\"shop\",\"memo\":\"\",\"roles\":[]}]}"

extern const struct mackerel_destination rig_shop, rig_web, rig_web_by_id;

struct rig {
    struct outbox *outbox;
    struct dispatch *dispatch;
    uint64_t now_s;
    /* How posts are answered: */
    int status;
    int curl;           /* CURLcode */
    bool was_reused;    /* the connection, with a CURLcode */
    bool dies_once;     /* the next post's kept connection dies, no other */
    const char *poison; /* a body with this text is answered 400 */
    bool takes_part;    /* of a body with poison the rest is taken all the same */
    const char *retry_after;
    const char *body; /* of a 200; NULL: Mackerel's */
    /* How definitions of graphs are answered: */
    int graphs_status;         /* 0: 200 */
    const char *graphs_poison; /* a body with this text is answered 400 */
    /* How questions are answered: */
    const char *hosts, *services, *latest;
    /* What was seen: */
    int created;
    unsigned posts, service_posts, requests;
    struct buffer posted; /* bodies that were taken */
    unsigned graph_requests;
    struct buffer graphs; /* definitions that were taken */
};

struct rig *rig_new(bool create_services, enum native_mode native);
/* With options of the test's own: outbox, random and limits are filled in. */
struct rig *rig_new_with(struct dispatch_options options);
/* Checks that the value ledger balances, too. */
void rig_free(struct rig *rig);

struct instant rig_now(const struct rig *rig);

/* One value of the live lane: native if its name does not begin with "custom.". */
void rig_put(struct rig *rig, const struct mackerel_destination *to, uint64_t minute_s,
             const char *name);
void rig_put_in(struct rig *rig, const struct mackerel_destination *to, uint64_t minute_s,
                enum mackerel_lane lane, const char *name);

/* A value of web-1 with a definition of its graph, which has that title. */
void rig_put_graph(struct rig *rig, uint64_t minute_s, const char *graph,
                   const char *segment, const char *title);
/* How often the text occurs in what was taken. */
unsigned rig_count_graphs(const struct rig *rig, const char *text);

void rig_answer(struct rig *rig, struct errand *errand);
/* Lets everything happen that happens at this moment. */
void rig_settle(struct rig *rig);
void rig_pass(struct rig *rig, uint64_t seconds);

size_t rig_queued(struct rig *rig);
struct value_ledger rig_books(struct rig *rig);
bool rig_posted(const struct rig *rig, const char *text);
/* How often the text occurs in what was taken. */
unsigned rig_count(const struct rig *rig, const char *text);

#endif
