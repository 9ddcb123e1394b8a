"""Metrics of containers: cpu, memory and network as mackerel-container-agent names them.

Written from reference 03 (A.3, A.4, D) and docs/containers.md.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from cells import GaugeCell, TotalCell, gauge_of, increase
from routing import Destination, host_identity, task_alone
from streams import MINUTE

# What tells the same, the best first.
CPU_TOTALS = ["cpu.time", "cpu.time by mode", "cadvisor cpu", "docker cpu"]
MEMORY_USAGES = ["working set", "cadvisor working set", "docker memory"]

# metric: (group, what it says). Several names are those of older and newer conventions.
TABLE = {
    "container.cpu.time": ("cpu", "cpu.time"),
    "container.cpu.usage": ("cpu", "cores"),
    "k8s.container.cpu_limit": ("cpu", "limit"),
    "k8s.container.cpu.limit.current": ("cpu", "limit"),
    "k8s.container.cpu.limit.desired": ("cpu", "limit"),
    "k8s.container.cpu_limit_utilization": ("cpu", "share"),
    "k8s.container.cpu.limit.utilization": ("cpu", "share"),
    "container.memory.working_set": ("memory", "working set"),
    "container.memory.available": ("memory", "available"),
    "container.memory.usage": ("memory", "usage"),
    "k8s.container.memory_limit": ("memory", "limit"),
    "k8s.container.memory.limit.current": ("memory", "limit"),
    "k8s.container.memory.limit.desired": ("memory", "limit"),
    "k8s.container.memory_limit_utilization": ("memory", "share"),
    "k8s.container.memory.limit.utilization": ("memory", "share"),
    "k8s.pod.network.io": ("network", "by direction"),
    "container.cpu.usage.total": ("cpu", "docker cpu"),
    "container.cpu.limit": ("cpu", "limit"),
    "container.cpu.logical.count": ("cpu", "machine"),
    "container.memory.usage.total": ("memory", "docker memory"),
    "container.memory.usage.limit": ("memory", "docker limit"),
    "container.network.io.usage.rx_bytes": ("network", "receive"),
    "container.network.io.usage.tx_bytes": ("network", "transmit"),
    "container_cpu_usage_seconds_total": ("cpu", "cadvisor cpu"),
    "container_spec_cpu_quota": ("cpu", "quota"),
    "container_spec_cpu_period": ("cpu", "period"),
    "container_memory_working_set_bytes": ("memory", "cadvisor working set"),
    "container_spec_memory_limit_bytes": ("memory", "cadvisor limit"),
    "container_network_receive_bytes_total": ("network", "receive"),
    "container_network_transmit_bytes_total": ("network", "transmit"),
}
# Shown by others of the same sender.
UNREAD = {
    "container.cpu.utilization",
    "container.cpu.usage.kernelmode",
    "container.cpu.usage.usermode",
    "container.memory.percent",
    "container_cpu_user_seconds_total",
    "container_cpu_system_seconds_total",
}
# What a metric tells about the node that its resource names.
NODE_FACTS = {
    "system.cpu.logical.count": "cores",
    "machine_cpu_cores": "cores",
    "k8s.node.allocatable_cpu": "allocatable cores",
    "k8s.node.cpu.allocatable": "allocatable cores",
    "system.memory.limit": "memory",
    "machine_memory_bytes": "memory",
    "k8s.node.memory.available": "available",
    "k8s.node.memory.working_set": "working set",
    "k8s.node.allocatable_memory": "allocatable memory",
    "k8s.node.memory.allocatable": "allocatable memory",
}
WORKLOADS = ("deployment", "statefulset", "daemonset", "cronjob")


@dataclass(frozen=True)
class Container:
    namespace: str
    pod: str
    workload: str
    name: str
    is_kubernetes: bool

    @property
    def instance(self):
        return self.namespace, self.pod, self.name


# ---- which container


def container_of(stream):
    get = stream.metric.resource_attribute
    if stream.metric.name.startswith("container_") and not get("k8s.container.name"):
        if not get("pod"):
            get = dict((key, value) for key, (_, value) in stream.attributes).get
        pod = get("pod") or ""
        workload = workload_of_pod(pod, get("k8s.node.name"))
        return Container(get("namespace") or "", pod, workload, get("container") or "", True)
    name = get("k8s.container.name") or get("container.name") or ""
    pod = get("k8s.pod.name") or get("k8s.pod.uid")
    if not pod:
        task = (get("aws.ecs.task.arn") or "").rpartition("/")[2]
        return Container("", task, get("aws.ecs.task.family") or "", name, False)
    return Container(get("k8s.namespace.name") or "", pod, workload_of(get), name, True)


def workload_of(get):
    for kind in WORKLOADS:
        if get(f"k8s.{kind}.name"):
            return get(f"k8s.{kind}.name")
    for kind in ("job", "replicaset"):
        if get(f"k8s.{kind}.name"):
            return without_generated(get(f"k8s.{kind}.name"))
    return workload_of_pod(get("k8s.pod.name") or "", get("k8s.node.name"))


def without_generated(name):
    """Of a replica set: its hash; of a cron job's job: its minutes."""
    return re.sub(r"(?<=.)-([456789bcdf]{3,10}|[0-9]{5,10})\Z", "", name)


def workload_of_pod(pod, node):
    if node and len(pod) > len(node) + 1 and pod.endswith("-" + node):
        return pod[: -len(node) - 1]
    match = re.fullmatch(r"(.+)-([a-z0-9]{5})", pod)
    if match:
        owner = without_generated(match[1])
        if owner != match[1]:
            return owner
        is_random = re.fullmatch(r"[bcdfghjklmnpqrstvwxz2456789]{5}", match[2])
        return match[1] if is_random else pod
    return re.sub(r"(?<=.)-[0-9]{1,4}\Z", "", pod)


# ---- where it is shown


def cluster_of(get):
    return get("k8s.cluster.uid") or get("k8s.cluster.name") or ""


def own_host(get, container, mode):
    """The pod's or the workload's host, or None."""
    if get("mackerel.host.id") or get("mackerel.host.custom_identifier"):
        return None
    parts = (container.namespace, cluster_of(get))
    if mode == "pod-host" and container.pod:
        if not container.is_kubernetes:
            return Destination("host", container.pod, "", ".".join(task_parts(get)) + ".ecs")
        name = container.pod
        uid = get("k8s.pod.uid") or ""
        is_static = get("k8s.node.name") and name.endswith("-" + get("k8s.node.name"))
        if "-" in uid and not is_static and get("k8s.pod.name") in (name, None):
            return Destination("host", name, "", uid + ".kubernetes")
        return Destination("host", name, "", dotted(name, *parts) + ".kubernetes")
    if mode == "workload" and container.workload:
        name = container.workload
        if not container.is_kubernetes:
            cluster = task_parts(get)[1:]
            return Destination("host", name, "", dotted(name, *cluster) + ".family.ecs")
        identifier = dotted(name, *parts) + ".workload.kubernetes"
        return Destination("host", dotted(name, container.namespace), "", identifier)
    return None


def task_parts(get):
    return task_alone(lambda key: None if key == "aws.ecs.launchtype" else get(key))


def dotted(*parts):
    return ".".join(part for part in parts if part)


def is_on_host_network(get):
    pod = get("k8s.pod.ip")
    return bool(pod) and (get("host.ip") == pod or f'"{pod}"' in str(get("host.ip") or ""))


def label(text):
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


class Containers:
    """All cells of containers."""

    def __init__(self, mode, table):
        self.mode = mode
        self.table = table
        self.groups = {}  # (destination, name of the cell) -> Group
        self.nodes = {}  # name -> {fact: value}

    def cells(self):
        for group in self.groups.values():
            yield from group.cells

    def note(self, point):
        """What the point tells about a node."""
        fact, node = NODE_FACTS.get(point.metric.name), node_of(point.metric)
        if fact and node and not point.no_recorded_value:
            self.nodes.setdefault(node, {})[fact] = point.value

    def take(self, stream):
        """False where the stream goes where other metrics go."""
        metric = stream.metric
        if self.mode == "off" or metric.kind not in ("gauge", "sum"):
            return False
        if metric.name not in TABLE and metric.name not in UNREAD:
            return False
        kind, says = TABLE.get(metric.name, ("cpu", None))
        # The resource alone chooses the host.
        resource = container_of(Resource(metric))
        host = own_host(metric.resource_attribute, resource, self.mode)
        if not host and (kind == "network" or not host_identity(metric)):
            return False
        destination = host or host_identity(metric)
        if says:
            self.join(stream, destination, bool(host), kind, says)
        return True

    def join(self, stream, destination, is_own, kind, says):
        container = container_of(stream)
        if kind == "network":
            name, says = interface(stream, container, says)
            if not name or is_on_host_network(stream.metric.resource_attribute):
                return
        else:
            if container.name in ("", "POD") or not name_of(container, is_own):
                return
            if stream.metric.name.startswith("container_") and not container.pod:
                return
            name = f"container.{kind}.{name_of(container, is_own)}"
            if not is_own:
                name = ("custom.k8s." if container.is_kubernetes else "custom.") + name
        if says == "cpu.time" and any(key == "cpu.mode" for key, _ in stream.attributes):
            says = "cpu.time by mode"
        key = destination, name
        if key not in self.groups:
            self.groups[key] = Group(destination, self.table, kind, name, self.nodes)
        self.groups[key].join(stream, container.instance, says)


@dataclass(frozen=True)
class Resource:
    """A stream without attributes: what its resource says alone."""

    metric: object
    attributes: frozenset = frozenset()


def name_of(container, is_own):
    if is_own:
        return label(container.name)
    parts = (container.namespace, container.workload, container.name)
    return "_".join(label(part) for part in parts if part)


def interface(stream, container, says):
    attributes = {key: value for key, (_, value) in stream.attributes}
    keys = ("interface", "network.interface.name", "device")
    name = next((attributes[key] for key in keys if key in attributes), "")
    if says == "by direction":
        says = attributes.get("direction") or attributes.get("network.io.direction")
    if not name or name == "lo" or name.startswith("veth") or says not in ("receive", "transmit"):
        return None, None
    if stream.metric.name.startswith("container.network"):
        name = f"{container.name}-{name}"
    return "interface." + label(name), says


# ---- values


class Group:
    """The containers of one cell: replicas, and one before and after it was started anew."""

    def __init__(self, destination, table, kind, name, nodes):
        self.nodes = nodes
        self.kind = kind
        self.name = name
        self.members = []  # (stream, instance, what it says)
        self.kept = {}  # limits by streams of shares
        totals, values = TotalCell(destination, table, name), GaugeCell(destination, table, name)
        totals.render = self.render_totals
        values.render = self.render_values
        self.cells = [totals, values]

    def join(self, stream, instance, says):
        self.members.append((stream, instance, says))
        is_counter = says in CPU_TOTALS or self.kind == "network"
        if is_counter:
            self.cells[0].join(stream)
        elif self.kind == "memory" or says == "cores":
            self.cells[1].join(stream)

    def totals(self):
        return [m for m in self.members if m[2] in CPU_TOTALS or self.kind == "network"]

    def render_totals(self, minute):
        if self.kind == "network":
            return self.network(minute)
        living = [m for m in self.totals() if is_there(m[0], minute)]
        if not living:
            return {}
        alive = [m for m in living if m[0].alive_at(minute + MINUTE)] or living
        says = min((m[2] for m in alive), key=CPU_TOTALS.index)
        streams = [stream for stream, _, what in self.members if what == says]
        cores = increase(streams, minute) / 60
        if says == "docker cpu":
            cores /= 10**9
        instances = self.instances(minute, CPU_TOTALS)
        return self.with_limit(100 * cores, self.cpu_limits(instances))

    def network(self, minute):
        values = {}
        for says, after in (("receive", "rx"), ("transmit", "tx")):
            streams = [s for s, _, what in self.members if what == says]
            if any(is_there(stream, minute) for stream in streams):
                values[f"{self.name}.{after}Bytes.delta"] = increase(streams, minute) / 60
        return values

    def render_values(self, minute):
        if self.kind == "cpu":
            if self.totals():
                return {}
            instances = self.instances(minute, ["cores"])
            usages = [100 * each["cores"][1] for each in instances]
            limits = self.cpu_limits(instances)
        else:
            instances = self.instances(minute, MEMORY_USAGES)
            usages = [first(each, MEMORY_USAGES) for each in instances]
            limits = [memory_limit(each) or self.machine(each, node_memory) for each in instances]
        return self.with_limit(sum(usages), limits) if usages else {}

    def with_limit(self, usage, limits):
        values = {self.name + ".usage": usage}
        if limits and None not in limits:
            values[self.name + ".limit"] = sum(limits)
        return values

    def instances(self, minute, usages):
        """Of each container what it says, the newest: {what: (time, value, stream)}.

        Those that are alive at the minute's end by what tells their usage, else all.
        """
        found = {}
        for stream, instance, says in self.members:
            said = self.said(stream, minute, says)
            if said and said[0] > found.setdefault(instance, {}).get(says, (-1,))[0]:
                found[instance][says] = said
        found = [each for each in found.values() if any(says in each for says in usages)]
        alive = [
            each
            for each in found
            if next(each[says] for says in usages if says in each)[2].alive_at(minute + MINUTE)
        ]
        return alive or found

    def said(self, stream, minute, says):
        end = minute + MINUTE
        if says in CPU_TOTALS:
            if not is_there(stream, minute):
                return None
            return min(stream.last_time, end), 0, stream
        value = gauge_of(stream, minute, [s for s, _, _ in self.members])
        if value is None:
            return None
        return stream.times[stream.last_before(end)], value, stream

    def cpu_limits(self, instances):
        limits = [self.cpu_limit(each) or self.machine(each, node_cores) for each in instances]
        return [None if limit is None else 100 * limit for limit in limits]

    def machine(self, said, fact):
        """Of the node that the container is on."""
        stream = next(iter(said.values()))[2]
        return fact(self.nodes.get(node_of(stream.metric), {}))

    def cpu_limit(self, said):
        limit = above_zero(said, "limit")
        if limit is None and above_zero(said, "quota") and above_zero(said, "period"):
            limit = Fraction(said["quota"][1]) / Fraction(said["period"][1])
        if limit is None and "share" in said:
            derived = divided(said, "cores", "share")
            if derived:
                self.kept[id(said["share"][2])] = Fraction(round(derived * 1000), 1000)
            limit = self.kept.get(id(said["share"][2]))
        return above_zero(said, "machine") if limit is None else limit


def node_of(metric):
    return metric.resource_attribute("k8s.node.name") or metric.resource_attribute("host.name")


def node_cores(facts):
    return facts.get("cores") or facts.get("allocatable cores")


def node_memory(facts):
    if facts.get("memory"):
        return facts["memory"]
    if facts.get("available") and facts.get("working set"):
        return facts["available"] + facts["working set"]
    return facts.get("allocatable memory")


def is_there(stream, minute):
    """It began before the minute's end, and ended neither before it nor long before its end."""
    if not stream.times or stream.times[0] >= minute + MINUTE:
        return False
    return stream.last_time >= minute or stream.alive_at(minute + MINUTE)


def first(said, names):
    return next(said[name][1] for name in names if name in said)


def above_zero(said, name):
    return said[name][1] if name in said and said[name][1] > 0 else None


def divided(said, used, share):
    """What is used / its share of the limit, of one scrape."""
    if not above_zero(said, used) or not above_zero(said, share):
        return None
    if said[used][0] != said[share][0]:
        return None
    return Fraction(said[used][1]) / Fraction(said[share][1])


def memory_limit(said):
    limit = above_zero(said, "limit")
    if limit is None and "available" in said and "working set" in said:
        if said["available"][0] == said["working set"][0]:
            limit = said["available"][1] + said["working set"][1]
    if limit is None and divided(said, "usage", "share"):
        limit = Fraction(round(divided(said, "usage", "share")))
    for name in ("cadvisor limit", "docker limit"):
        if limit is None and above_zero(said, name) and said[name][1] < 2**62:
            limit = said[name][1]
    return limit
