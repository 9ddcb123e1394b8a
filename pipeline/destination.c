#include "pipeline/destination.h"

#include "pipeline/cell.h"
#include "pipeline/name.h"
#include "pipeline/roles.h"

static struct mackerel_destination host_of(const struct identity *identity)
{
    return (struct mackerel_destination){
        .kind = MACKEREL_HOST,
        .name = identity->host_name,
        .host_id = identity->host_id,
        .custom_identifier = identity->custom_identifier,
        .roles = identity->roles,
    };
}

uint32_t destination_of_host(struct pipeline *p, const struct identity *identity)
{
    struct mackerel_destination host = host_of(identity);

    return identity->has_host ? cell_destination(p, &host) : POOL_NONE;
}

uint32_t destination_of_service(struct pipeline *p, const struct identity *identity)
{
    if (!identity->has_service)
        return POOL_NONE;
    return cell_destination(p, &(struct mackerel_destination){
                                   .kind = MACKEREL_SERVICE,
                                   .name = identity->service,
                               });
}

/* Texts of templates one behind the other; slices are cut once it does not move any more. */
struct texts {
    struct buffer text;
    size_t ends[4];
};

static void add_text(struct texts *texts, size_t at, const struct template *template,
                     const struct template_source *source)
{
    /* Empty where an attribute is missing. */
    bool is_there = template && template_append(template, source, &texts->text);

    texts->ends[at] = texts->text.len;
    (void)is_there;
}

static void add_roles(struct texts *texts, size_t at, const struct rule *rule,
                      const struct template_source *source)
{
    struct buffer roles = {0};

    for (size_t i = 0; i < rule->role_count; i++) {
        size_t before = roles.len;

        if (before)
            buffer_append_char(&roles, ',');
        if (!template_append(&rule->roles[i], source, &roles))
            roles.len = before;
    }
    if (roles.len)
        roles_append(&texts->text, buffer_slice(&roles));
    texts->ends[at] = texts->text.len;
    buffer_release(&roles);
}

static struct slice text_at(const struct texts *texts, size_t at)
{
    size_t begin = at ? texts->ends[at - 1] : 0;

    if (texts->ends[at] == begin)
        return (struct slice)SLICE("");
    return (struct slice){texts->text.ptr + begin, texts->ends[at] - begin};
}

/* The resource's own host unless the rule says who it is; with the rule's roles if it has some. */
static uint32_t host_by_rule(struct pipeline *p, const struct rule *rule,
                             const struct identity *identity,
                             const struct template_source *source)
{
    struct mackerel_destination host = host_of(identity);
    struct texts texts = {0};
    uint32_t destination = POOL_NONE;

    if (rule->has_host) {
        add_text(&texts, 0, rule->host.id, source);
        add_text(&texts, 1, rule->host.custom_identifier, source);
        add_text(&texts, 2, rule->host.name, source);
    }
    add_roles(&texts, 3, rule, source);
    if (rule->has_host) {
        host.host_id = text_at(&texts, 0);
        host.custom_identifier = text_at(&texts, 1);
        host.name = text_at(&texts, 2);
    }
    if (rule->role_count)
        host.roles = text_at(&texts, 3);
    if (host.host_id.len || host.custom_identifier.len || host.name.len)
        destination = cell_destination(p, &host);
    buffer_release(&texts.text);
    return destination;
}

/* By the rule's template; POOL_NONE where it has none or an attribute of it is missing. */
static uint32_t service_by_rule(struct pipeline *p, const struct rule *rule,
                                const struct template_source *source)
{
    struct buffer text = {0}, name = {0};
    uint32_t destination = POOL_NONE;

    if (rule->service && template_append(rule->service, source, &text) && text.len) {
        name_append_service(&name, buffer_slice(&text));
        destination = cell_destination(p, &(struct mackerel_destination){
                                              .kind = MACKEREL_SERVICE,
                                              .name = buffer_slice(&name),
                                          });
    }
    buffer_release(&text);
    buffer_release(&name);
    return destination;
}

void destination_choose(struct pipeline *p, struct family *family,
                        const struct rule *rule, const struct template_source *source)
{
    const struct resource *resource = state_resource(
        p, state_source(p, family->source)->resource);

    family->wants_host = rule->destination == RULE_TO_HOST;
    family->follows_service = false;
    family->destination = POOL_NONE;
    if (family->wants_host) {
        family->destination = host_by_rule(p, rule, &resource->identity, source);
        if (family->destination != POOL_NONE || !rule->otherwise_service)
            return;
    }
    family->destination = service_by_rule(p, rule, source);
    if (family->destination != POOL_NONE)
        return;
    family->follows_service = true;
    family->destination = resource->service;
}
