#include "app/config.h"

#include <stddef.h>

#define KIB         UINT64_C(1024)
#define MIB         (1024 * KIB)
#define GIB         (1024 * MIB)
#define SECOND      UINT64_C(1000000000)
#define FIELD(name) offsetof(struct config, name)

/* Sorted by section, in the order in which a reader meets them. */
const struct config_key config_keys[] = {
    {.path = "mackerel.apikey",
     .type = CONFIG_SECRET,
     .offset = FIELD(apikey),
     .fallback = "",
     .environment = "MACKEREL_APIKEY",
     .help =
         "API key with read and write permission. Without a key the gateway previews: it "
         "prints what it would post."},
    {.path = "mackerel.apikey_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(apikey_file),
     .fallback = "",
     .environment = "MACKEREL_APIKEY_FILE",
     .help =
         "File that holds the API key instead; a key that changes there is in use seconds later."},
    {.path = "mackerel.apibase",
     .type = CONFIG_TEXT,
     .offset = FIELD(apibase),
     .fallback = "https://api.mackerelio.com",
     .environment = "MACKEREL_APIBASE",
     .help = "Base URL of the Mackerel API."},
    {.path = "mackerel.ca_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(ca_file),
     .fallback = "",
     .help = "PEM file of certificate authorities to trust instead of the system's."},
    {.path = "receiver.grpc.endpoint",
     .type = CONFIG_ENDPOINT,
     .offset = FIELD(grpc_endpoint),
     .fallback = "127.0.0.1:4317",
     .help = "Where OTLP/gRPC is received. Port 0 takes any free port."},
    {.path = "receiver.grpc.max_recv_msg_size",
     .type = CONFIG_SIZE,
     .offset = FIELD(max_recv_msg_size),
     .fallback = "64MiB",
     .min = KIB,
     .max = GIB,
     .help =
         "Largest message, before and after decompression; a quarter of receiver.memory.limit "
         "if that is less."},
    {.path = "receiver.http.endpoint",
     .type = CONFIG_ENDPOINT,
     .offset = FIELD(http_endpoint),
     .fallback = "127.0.0.1:4318",
     .help = "Where OTLP/HTTP is received. Port 0 takes any free port."},
    {.path = "receiver.http.max_request_body_size",
     .type = CONFIG_SIZE,
     .offset = FIELD(max_request_body_size),
     .fallback = "64MiB",
     .min = KIB,
     .max = GIB,
     .help =
         "Largest body, before and after decompression; a quarter of receiver.memory.limit if "
         "that is less."},
    {.path = "receiver.memory.limit",
     .type = CONFIG_SIZE,
     .offset = FIELD(memory_limit),
     .fallback = "0",
     .max = UINT64_MAX,
     .help =
         "Bytes in flight (received, not yet applied) above which requests are refused and "
         "senders asked to try again; 0 means 80 % of the memory that the cgroup or the "
         "machine allows."},
    {.path = "admin.endpoint",
     .type = CONFIG_ENDPOINT,
     .offset = FIELD(admin_endpoint),
     .fallback = "127.0.0.1:13133",
     .help = "Where /livez, /readyz, /status and /metrics are served."},
    {.path = "admin.socket",
     .type = CONFIG_TEXT,
     .offset = FIELD(admin_socket),
     .fallback = "",
     .help =
         "Unix socket for commands to the running gateway (outbox ls, ...); only its owner may "
         "open it. Not set: admin.sock in the state directory, none without one."},
    {.path = "state.directory",
     .type = CONFIG_TEXT,
     .offset = FIELD(state_directory),
     .fallback = "/var/lib/mackerel-otel-gateway",
     .help =
         "Where state lives: journal, checkpoint and outbox. One process may use it."},
    {.path = "state.durability",
     .type = CONFIG_CHOICE,
     .offset = FIELD(durability),
     .fallback = "",
     .choices = {"fsync", "process", "memory"},
     .help =
         "How durable a request is before its sender is told OK. fsync: it survives a loss of "
         "power. process: it survives the end of the process. memory: what is not yet posted is "
         "lost when the process ends. Not set: process if state.directory can be written, else "
         "memory."},
    {.path = "state.journal.max_size",
     .type = CONFIG_SIZE,
     .offset = FIELD(journal_max_size),
     .fallback = "1GiB",
     .min = 4 * MIB,
     .max = 1024 * GIB,
     .help =
         "Bytes of received requests that may be kept until a checkpoint holds what they say; "
         "above it senders are asked to try again, and a request that needs more than half of it is "
         "refused for good. A sixteenth of it is kept free on the disk, "
         "and a 64th set aside, for outbox and checkpoint."},
    {.path = "state.outbox.max_size",
     .type = CONFIG_SIZE,
     .offset = FIELD(outbox_max_size),
     .fallback = "0",
     .max = 1024 * GIB,
     .help =
         "Bytes of closed values that may wait for Mackerel; above it the oldest expire. 0 means "
         "1GiB on disk and 256MiB in memory."},
    {.path = "minutes.grace",
     .type = CONFIG_DURATION,
     .offset = FIELD(grace_ns),
     .fallback = "15s",
     .max = 600 * SECOND,
     .help = "A minute is closed this long after its end."},
    {.path = "minutes.lateness",
     .type = CONFIG_DURATION,
     .offset = FIELD(lateness_ns),
     .fallback = "5m",
     .max = 600 * SECOND,
     .help = "How long late points may correct a minute after it was first posted."},
    {.path = "minutes.spread",
     .type = CONFIG_DURATION,
     .offset = FIELD(spread_ns),
     .fallback = "30s",
     .max = 30 * SECOND,
     .help =
         "Each gateway posts a minute up to this long after it closed, always at the same second, "
         "so that many gateways do not post all at once. 0: at once."},
    {.path = "hosts.create",
     .type = CONFIG_CHOICE,
     .offset = FIELD(hosts_create),
     .fallback = "never",
     .choices = {"never", "listed", "any"},
     .help =
         "Which unknown hosts are registered in Mackerel (each is billed): none, those of "
         "hosts.listed, or all."},
    {.path = "hosts.listed",
     .type = CONFIG_LIST,
     .offset = FIELD(hosts_listed),
     .fallback = "",
     .help = "Names or custom identifiers of hosts that may be registered."},
    {.path = "hosts.native_metrics",
     .type = CONFIG_CHOICE,
     .offset = FIELD(native_metrics),
     .fallback = "auto",
     .choices = {"auto", "on", "off"},
     .help =
         "Whether mackerel-agent's own metrics (loadavg5, cpu.*, ...) are posted. auto: not "
         "where mackerel-agent posts them itself."},
    {.path = "hosts.graph_definitions",
     .type = CONFIG_BOOL,
     .offset = FIELD(graph_definitions),
     .fallback = "true",
     .help =
         "Whether titles, units and stacking of graphs of custom host metrics are posted."},
    {.path = "hosts.interfaces.ignore",
     .type = CONFIG_REGEX,
     .offset = FIELD(interfaces_ignore),
     .fallback = "",
     .help = "Interfaces that are not posted, by their names."},
    {.path = "hosts.disks.ignore",
     .type = CONFIG_REGEX,
     .offset = FIELD(disks_ignore),
     .fallback = "",
     .help = "Disks that are not posted, by their names."},
    {.path = "hosts.filesystems.ignore",
     .type = CONFIG_REGEX,
     .offset = FIELD(filesystems_ignore),
     .fallback = "",
     .help = "Filesystems that are not posted, by their devices (/dev/...)."},
    {.path = "hosts.filesystems.name",
     .type = CONFIG_CHOICE,
     .offset = FIELD(filesystems_name),
     .fallback = "device",
     .choices = {"device", "mountpoint"},
     .help =
         "What filesystems are named by. mountpoint is mackerel-agent's use_mountpoint."},
    {.path = "hosts.devices.rename",
     .type = CONFIG_MAP,
     .offset = FIELD(devices_rename),
     .fallback = "",
     .help =
         "Other names for devices, without /dev/: {dm-0: mapper_vg-root} gives filesystems on LVM "
         "the names that mackerel-agent gives them."},
    {.path = "hosts.kubelet.network",
     .type = CONFIG_BOOL,
     .offset = FIELD(kubelet_network),
     .fallback = "true",
     .help =
         "Whether a node's interfaces are those that the kubelet reports (k8s.node.network.io), "
         "where it does, and not those that a collector sees in its pod."},
    {.path = "hosts.kubelet.memory",
     .type = CONFIG_BOOL,
     .offset = FIELD(kubelet_memory),
     .fallback = "false",
     .help =
         "Whether a node's memory is posted from k8s.node.memory.* where no system.memory.* comes: "
         "its used memory is the working set, which is near."},
    {.path = "containers.mode",
     .type = CONFIG_CHOICE,
     .offset = FIELD(containers_mode),
     .fallback = "node",
     .choices = {"node", "pod-host", "workload", "off"},
     .help =
         "Which host shows a container's cpu, memory and network: the node's, summed over its "
         "replicas there; one for each pod, as mackerel-container-agent has it; one for each "
         "workload, summed over its pods. off: they go where other metrics go."},
    {.path = "services.create",
     .type = CONFIG_BOOL,
     .offset = FIELD(services_create),
     .fallback = "true",
     .help = "Whether services that are missing in Mackerel are created."},
    {.path = "services.default",
     .type = CONFIG_TEXT,
     .offset = FIELD(services_default),
     .fallback = "",
     .help = "Service of metrics whose resource names none."},
    {.path = "budgets.host_metrics",
     .type = CONFIG_COUNT,
     .offset = FIELD(host_metrics),
     .fallback = "200",
     .max = 1000000,
     .help =
         "Names of metrics that a host may have; Mackerel includes 200 with a standard host. "
         "Native metrics count and are never refused. 0: any number."},
    {.path = "budgets.service_metrics",
     .type = CONFIG_COUNT,
     .offset = FIELD(service_metrics),
     .fallback = "200",
     .max = 1000000,
     .help = "Names of metrics that a service may have. 0: any number."},
    {.path = "budgets.all_service_metrics",
     .type = CONFIG_COUNT,
     .offset = FIELD(all_service_metrics),
     .fallback = "200",
     .max = 1000000,
     .help =
         "Names of metrics that all services together may have; Mackerel includes 200 in an "
         "organization and bills each further 200 as a standard host. 0: any number."},
    {.path = "budgets.hosts",
     .type = CONFIG_COUNT,
     .offset = FIELD(hosts),
     .fallback = "1000",
     .max = 1000000,
     .help = "Hosts that may be posted to. 0: any number."},
    {.path = "budgets.attribute_values",
     .type = CONFIG_COUNT,
     .offset = FIELD(attribute_values),
     .fallback = "100",
     .max = 1000000,
     .help =
         "Values of a kept attribute that a metric may have in one destination, whatever its "
         "rule allows; what comes later goes to `other`. 0: as rules say."},
    {.path = "budgets.policy",
     .type = CONFIG_CHOICE,
     .offset = FIELD(budgets_policy),
     .fallback = "collapse",
     .choices = {"collapse", "refuse"},
     .help =
         "What happens to new names over a budget. collapse: new values of kept attributes go to "
         "`other`, and what still has no room is refused (over_budget). refuse: all are refused."},
    {.path = "rules",
     .type = CONFIG_RULES,
     .offset = FIELD(rules),
     .fallback = "[]",
     .help =
         "Where each metric goes and what is posted of it; the first rule that matches counts. "
         "See rules.md."},
    {.path = "packs",
     .type = CONFIG_LIST,
     .offset = FIELD(packs),
     .fallback = "native-host,container,generic",
     .choices = {"native-host", "container", "runtime", "generic"},
     .help =
         "Rules that come with the program and stand behind yours; `config rules` prints them. "
         "Without generic, what no rule matches is not posted (no_rule)."},
    {.path = "log.level",
     .type = CONFIG_CHOICE,
     .offset = FIELD(log_level),
     .fallback = "info",
     .choices = {"error", "warn", "info", "debug"},
     .help = "What is logged to standard error."},
    {.path = "log.format",
     .type = CONFIG_CHOICE,
     .offset = FIELD(log_format),
     .fallback = "auto",
     .choices = {"auto", "logfmt", "json"},
     .help = "How log lines are written; auto is logfmt."},
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);

const struct config_key *config_find(struct slice path)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (slice_is(path, config_keys[i].path))
            return &config_keys[i];
    return NULL;
}
