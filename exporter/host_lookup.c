#include "exporter/host_lookup.h"

#include <assert.h>
#include <stdio.h>

static_assert(sizeof(((struct host_finding *)0)->host_id) ==
                  sizeof(((struct mackerel_host *)0)->id),
              "ids are copied whole");

/* Hosts of one name that are looked at; nobody has more machines of one name than this. */
enum {
    MAX_HOSTS = 64
};

static bool is_match(const struct mackerel_host *host, struct slice name)
{
    if (host->is_retired || host->id[0] == '\0')
        return false;
    return name.len == 0 || slice_is(name, host->name);
}

enum host_lookup host_lookup_read(struct slice body, struct slice name,
                                  struct host_finding *finding)
{
    struct mackerel_host hosts[MAX_HOSTS];
    size_t count, matches = 0;
    struct error err;

    if (!mackerel_read_hosts(body, hosts, MAX_HOSTS, &count, &err)) {
        snprintf(finding->problem, sizeof(finding->problem), "unreadable answer: %.200s",
                 err.text);
        return HOST_LOOKUP_UNCLEAR;
    }
    for (size_t i = 0; i < count && i < MAX_HOSTS; i++)
        if (is_match(&hosts[i], name) && matches++ == 0)
            memcpy(finding->host_id, hosts[i].id, sizeof(finding->host_id));
    if (count <= MAX_HOSTS && matches <= 1)
        return matches ? HOST_LOOKUP_ONE : HOST_LOOKUP_NONE;
    snprintf(finding->problem, sizeof(finding->problem), "%s%zu hosts have this name",
             count > MAX_HOSTS ? "at least " : "", matches);
    return HOST_LOOKUP_UNCLEAR;
}
