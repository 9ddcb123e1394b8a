/*
 * Who posts under which name, and budgets of names.
 */
#include "pipeline/names.h"

#include "pipeline/cell.h"
#include "pipeline/pipeline.h"
#include "pipeline/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct pipeline *open_pipeline(struct pipeline_budgets budgets)
{
    return pipeline_new(&(struct pipeline_options){.budgets = budgets});
}

static uint32_t service(struct pipeline *p, const char *name)
{
    return cell_destination(p, &(struct mackerel_destination){
                                   .kind = MACKEREL_SERVICE,
                                   .name = slice_of(name),
                               });
}

static uint32_t host(struct pipeline *p, const char *name)
{
    return cell_destination(p, &(struct mackerel_destination){
                                   .kind = MACKEREL_HOST,
                                   .name = slice_of(name),
                               });
}

/* A cell of the kind's own plan: 1 name for a gauge or a counter, 5 for a histogram. */
static uint32_t open_cell(struct pipeline *p, uint32_t destination, enum cell_kind kind,
                          const char *name)
{
    uint32_t plan = plans_take_default(p, kind);
    uint32_t cell = cell_open(p, &(struct cell_key){.drawing = POOL_NONE,
                                                    .destination = destination,
                                                    .plan = plan,
                                                    .kind = kind,
                                                    .name = slice_of(name)});

    plans_give(p, plan);
    return cell;
}

static uint32_t open_stream(struct pipeline *p, uint32_t cell)
{
    uint32_t stream = pool_take(&p->streams);

    cell_add_stream(p, cell, stream);
    return stream;
}

static uint32_t open_used_cell(struct pipeline *p, uint32_t destination,
                               enum cell_kind kind, const char *name)
{
    uint32_t cell = open_cell(p, destination, kind, name);

    assert_int_equal(names_ask(p, cell, 0), NAMES_FREE);
    open_stream(p, cell);
    return cell;
}

static void two_kinds_of_one_name_collide_where_they_post_the_same(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){0});
    uint32_t shop = service(p, "shop");

    (void)state;
    open_used_cell(p, shop, CELL_MEAN, "m");
    /* m and m.rate are two names. */
    open_used_cell(p, shop, CELL_RATE, "m");
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_SUM, "m"), 0), NAMES_COLLIDE);
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_HISTOGRAM, "m"), 0),
                     NAMES_COLLIDE);
    assert_int_equal(names_ask(p, open_cell(p, service(p, "other"), CELL_SUM, "m"), 0),
                     NAMES_FREE);
    pipeline_free(p);
}

static void names_are_compared_as_a_whole(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){0});
    uint32_t shop = service(p, "shop");

    (void)state;
    open_used_cell(p, shop, CELL_MEAN, "m.rate");
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_RATE, "m"), 0), NAMES_COLLIDE);
    pipeline_free(p);
}

static void labels_that_look_alike_collide(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){0});
    struct cell_key key = {.drawing = POOL_NONE,
                           .destination = service(p, "shop"),
                           .plan = plans_take_default(p, CELL_MEAN),
                           .kind = CELL_MEAN,
                           .name = slice_of("m.a_b"),
                           .label = {1, 1}};
    uint32_t first = cell_open(p, &key), second;

    (void)state;
    key.label = (struct hash128){2, 2};
    second = cell_open(p, &key);
    assert_int_not_equal(first, second);
    open_stream(p, first);
    assert_int_equal(names_ask(p, second, 0), NAMES_COLLIDE);
    plans_give(p, key.plan);
    pipeline_free(p);
}

static void a_name_is_free_again_once_its_cell_lost_its_last_stream(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){0});
    uint32_t shop = service(p, "shop"), cell = open_cell(p, shop, CELL_MEAN, "m");
    uint32_t one = open_stream(p, cell), two = open_stream(p, cell);
    uint32_t rival = open_cell(p, shop, CELL_SUM, "m");

    (void)state;
    cell_remove_stream(p, cell, one);
    assert_int_equal(names_ask(p, rival, 0), NAMES_COLLIDE);
    cell_remove_stream(p, cell, two);
    assert_int_equal(names_ask(p, rival, 0), NAMES_FREE);
    assert_int_equal(state_destination(p, shop)->names, 0);
    pipeline_free(p);
}

static void a_destination_has_as_many_names_as_its_budget(void **state)
{
    struct pipeline *p = open_pipeline(
        (struct pipeline_budgets){.host_metrics = 7, .service_metrics = 6});
    uint32_t shop = service(p, "shop"), web = host(p, "web");

    (void)state;
    open_used_cell(p, shop, CELL_HISTOGRAM, "h");
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_HISTOGRAM, "i"), 0),
                     NAMES_OVER_BUDGET);
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_MEAN, "g"), 1),
                     NAMES_OVER_BUDGET);
    open_used_cell(p, shop, CELL_MEAN, "g");
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_MEAN, "f"), 0),
                     NAMES_OVER_BUDGET);
    open_used_cell(p, web, CELL_HISTOGRAM, "h");
    open_used_cell(p, web, CELL_MEAN, "g");
    open_used_cell(p, web, CELL_MEAN, "f");
    assert_int_equal(names_ask(p, open_cell(p, web, CELL_MEAN, "e"), 0),
                     NAMES_OVER_BUDGET);
    pipeline_free(p);
}

static void services_share_a_budget(void **state)
{
    struct pipeline *p = open_pipeline(
        (struct pipeline_budgets){.all_service_metrics = 2});

    (void)state;
    open_used_cell(p, service(p, "a"), CELL_MEAN, "m");
    open_used_cell(p, service(p, "b"), CELL_MEAN, "m");
    assert_int_equal(names_ask(p, open_cell(p, service(p, "c"), CELL_MEAN, "m"), 0),
                     NAMES_OVER_BUDGET);
    open_used_cell(p, host(p, "web"), CELL_MEAN, "m");
    pipeline_free(p);
}

static void hosts_have_a_budget(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){.hosts = 1});
    uint32_t web = host(p, "web");

    (void)state;
    open_used_cell(p, web, CELL_MEAN, "m");
    assert_int_equal(names_ask(p, open_cell(p, host(p, "db"), CELL_MEAN, "m"), 0),
                     NAMES_OVER_BUDGET);
    open_used_cell(p, web, CELL_MEAN, "n");
    open_used_cell(p, service(p, "shop"), CELL_MEAN, "m");
    pipeline_free(p);
}

static void native_metrics_count_and_are_never_too_many(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){.host_metrics = 4});
    uint32_t web = host(p, "web");
    uint32_t load = cell_open(p, &(struct cell_key){.drawing = POOL_NONE,
                                                    .destination = web,
                                                    .plan = POOL_NONE,
                                                    .kind = CELL_INSTANTS,
                                                    .group = NATIVE_LOAD});

    (void)state;
    open_stream(p, load);
    open_used_cell(p, web, CELL_MEAN, "m");
    assert_int_equal(state_destination(p, web)->names, 4);
    assert_int_equal(names_ask(p, open_cell(p, web, CELL_MEAN, "n"), 0),
                     NAMES_OVER_BUDGET);
    pipeline_free(p);
}

static void a_cell_of_former_rules_gives_way_and_posts_no_more(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){.service_metrics = 1});
    uint32_t shop = service(p, "shop"), old = open_used_cell(p, shop, CELL_MEAN, "m");
    uint32_t stream = state_cell(p, old)->first_stream, new;

    (void)state;
    p->generation++;
    p->changed_minute = 1000;
    assert_false(names_yields(p, old, 1000));
    new = open_used_cell(p, shop, CELL_SUM, "m");
    assert_true(names_yields(p, old, 1000));
    assert_false(names_yields(p, old, 999));
    assert_false(names_yields(p, new, 1000));
    cell_remove_stream(p, old, stream);
    assert_int_equal(state_destination(p, shop)->names, 1);
    assert_int_equal(names_ask(p, open_cell(p, shop, CELL_MEAN, "m"), 0), NAMES_COLLIDE);
    pipeline_free(p);
}

static void kept_values_count_until_their_cells_are_empty(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){0});
    struct kept_value get = {{1, 1}, {10, 10}}, put = {{1, 1}, {20, 20}};
    struct cell_key key = {.drawing = POOL_NONE,
                           .destination = service(p, "shop"),
                           .plan = plans_take_default(p, CELL_MEAN),
                           .kind = CELL_MEAN,
                           .name = slice_of("m.GET"),
                           .label = {1, 1},
                           .kept = &get,
                           .kept_count = 1};
    uint32_t cell = cell_open(p, &key), stream = open_stream(p, cell);

    (void)state;
    assert_true(names_has_value(p, &get));
    assert_false(names_has_value(p, &put));
    assert_true(names_has_room(p, &put, 2));
    assert_false(names_has_room(p, &put, 1));
    cell_remove_stream(p, cell, stream);
    assert_false(names_has_value(p, &get));
    assert_true(names_has_room(p, &put, 1));
    plans_give(p, key.plan);
    pipeline_free(p);
}

static void destinations_near_their_budget_are_named(void **state)
{
    struct pipeline *p = open_pipeline((struct pipeline_budgets){.service_metrics = 5});
    uint32_t shop = service(p, "shop");
    struct pipeline_budget_use use;
    uint32_t cell = POOL_NONE;

    (void)state;
    open_used_cell(p, shop, CELL_MEAN, "a");
    open_used_cell(p, shop, CELL_MEAN, "b");
    open_used_cell(p, shop, CELL_MEAN, "c");
    names_read_use(p, &use);
    assert_int_equal(use.near_count, 0);
    cell = open_used_cell(p, shop, CELL_MEAN, "d");
    names_read_use(p, &use);
    assert_int_equal(use.near_count, 1);
    assert_string_equal(use.near[0].destination, "shop");
    assert_int_equal(use.near[0].names, 4);
    assert_int_equal(use.near[0].budget, 5);
    assert_int_equal(use.service_names, 4);
    cell_remove_stream(p, cell, state_cell(p, cell)->first_stream);
    names_read_use(p, &use);
    assert_int_equal(use.near_count, 0);
    assert_string_equal(use.near[0].destination, "");
    pipeline_free(p);
}

static void what_is_counted_anew_is_the_same(void **state)
{
    struct pipeline *p = open_pipeline(
        (struct pipeline_budgets){.service_metrics = 6, .host_metrics = 6});
    uint32_t shop = service(p, "shop"), web = host(p, "web");

    (void)state;
    open_used_cell(p, shop, CELL_HISTOGRAM, "h");
    open_used_cell(p, web, CELL_MEAN, "m");
    names_rebuild(p);
    assert_int_equal(state_destination(p, shop)->names, 5);
    assert_int_equal(state_destination(p, web)->names, 1);
    assert_int_equal(p->names.hosts, 1);
    assert_int_equal(p->names.of_services, 5);
    assert_int_equal(p->names.near, 1);
    assert_int_equal(names_ask(p, open_cell(p, web, CELL_SUM, "m"), 0), NAMES_COLLIDE);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_kinds_of_one_name_collide_where_they_post_the_same),
        cmocka_unit_test(names_are_compared_as_a_whole),
        cmocka_unit_test(labels_that_look_alike_collide),
        cmocka_unit_test(a_name_is_free_again_once_its_cell_lost_its_last_stream),
        cmocka_unit_test(a_destination_has_as_many_names_as_its_budget),
        cmocka_unit_test(services_share_a_budget),
        cmocka_unit_test(hosts_have_a_budget),
        cmocka_unit_test(native_metrics_count_and_are_never_too_many),
        cmocka_unit_test(a_cell_of_former_rules_gives_way_and_posts_no_more),
        cmocka_unit_test(kept_values_count_until_their_cells_are_empty),
        cmocka_unit_test(destinations_near_their_budget_are_named),
        cmocka_unit_test(what_is_counted_anew_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
