#include "exporter/notice.h"

#include "base/log.h"
#include "exporter/host_text.h"

static void say_unknown(const struct loader *loader, uint64_t id)
{
    struct host_unknown unknown;

    if (host_registry_explain(loader->hosts, id, &unknown))
        log_event(LOG_WARN, "host unknown, its values wait",
                  LOG_TEXT("sought", unknown.sought),
                  LOG_TEXT("problem", unknown.problem), LOG_TEXT("hint", unknown.hint));
}

void notice_host(const struct loader *loader, uint64_t id, enum host_event event)
{
    const struct target *target = target_find(&loader->targets, id);
    const char *host_id = host_registry_id(loader->hosts, id);
    char sought[HOST_TEXT_MAX];

    if (!target)
        return;
    host_text_sought(&target->stored.destination, sought, sizeof(sought));

    const struct log_field fields[] = {LOG_TEXT("host", host_id ? host_id : ""),
                                       LOG_TEXT("sought", sought)};

    switch (event) {
    case HOST_EVENT_NONE:
    case HOST_EVENT_STILL_UNKNOWN: return;
    case HOST_EVENT_FOUND: log_write(LOG_INFO, "host found", fields, 2); return;
    case HOST_EVENT_CREATED: log_write(LOG_INFO, "host created", fields, 2); return;
    case HOST_EVENT_UNKNOWN: say_unknown(loader, id); return;
    case HOST_EVENT_AGENT_WRITES:
        log_write(
            LOG_WARN,
            "mackerel-agent posts on this host: its native metrics are withheld, custom "
            "metrics go on (hosts.native_metrics: on would post both)",
            fields, 2);
        return;
    case HOST_EVENT_AGENT_SILENT:
        log_write(LOG_INFO,
                  "no mackerel-agent posts on this host: its native metrics go there",
                  fields, 2);
        return;
    }
}

void notice_service_created(const struct loader *loader, uint64_t id)
{
    const struct target *target = target_find(&loader->targets, id);

    if (target)
        log_event(LOG_INFO, "service created",
                  LOG_TEXT("service", target->stored.destination.name));
}
