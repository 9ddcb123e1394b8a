#include "tests/exporter/outbox_cases.h"

static struct outbox *make(size_t max_bytes)
{
    return outbox_new(&(struct outbox_options){.max_bytes = max_bytes});
}

int main(void)
{
    struct outbox_rig rig = {make, .room_for_a_dozen = 16 * 1024, .games = 40};

    return outbox_cases_run("outbox in memory", &rig);
}
