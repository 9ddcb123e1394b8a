#include "app/explain_live.h"

#include "app/explain.h"

static void look(void *self, const struct pipeline *pipeline)
{
    explain_state(pipeline, self);
}

bool explain_live(struct engine *engine, struct buffer *answer)
{
    if (engine_inspect(engine, look, answer))
        return true;
    buffer_append_text(answer, "the gateway is starting, stopping or busy; ask again\n");
    return false;
}
