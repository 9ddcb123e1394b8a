"""Where a metric goes and what it is called there."""

import hashlib
import re
from dataclasses import dataclass

SINCE_BOOT_FAMILIES = ("system.", "process.", "container.", "k8s.", "hw.")
HOST_FAMILIES = ("system.", "k8s.node.", "hw.")

LONGEST_NAME = 128

LOAD = {
    "system.cpu.load_average.1m": "loadavg1",
    "system.cpu.load_average.5m": "loadavg5",
    "system.cpu.load_average.15m": "loadavg15",
}

# The native table's metrics and the group of mackerel-agent's names that each feeds.
NATIVE_GROUPS = {
    **{name: "load" for name in LOAD},
    "system.cpu.time": "cpu",
    "system.cpu.utilization": "cpu",
    "system.cpu.logical.count": "cpu",
    "system.memory.usage": "memory",
    "system.memory.limit": "memory",
    "system.memory.utilization": "memory",
    "system.linux.memory.available": "memory",
    "system.memory.linux.available": "memory",
    "system.paging.usage": "swap",
    "system.swap.usage": "swap",
    "system.disk.operations": "disk",
    "system.network.io": "network",
    "k8s.node.network.io": "network",
    "k8s.node.memory.working_set": "memory",
    "k8s.node.memory.available": "memory",
    "system.filesystem.usage": "filesystem",
}

PLATFORMS = {"windows": "windows", "darwin": "darwin"}
PLATFORMS |= dict.fromkeys(("freebsd", "netbsd", "openbsd", "dragonflybsd"), "bsd")

# What mackerel-agent does not have on a platform stays a custom metric there.
MISSING_GROUPS = {"windows": {"load"}, "darwin": {"disk"}, "bsd": {"disk"}, "linux": set()}


def platform_of(metric):
    return PLATFORMS.get(metric.resource_attribute("os.type"), "linux")


def is_native(metric, settings):
    """On a host it is not posted as a custom metric beside mackerel-agent's names."""
    group = NATIVE_GROUPS.get(metric.name)
    if metric.name.startswith("k8s.node.memory."):
        return group is not None and settings.get("kubelet.memory", False)
    if metric.name == "k8s.node.network.io":
        return settings.get("kubelet.network", True)
    return group is not None and group not in MISSING_GROUPS[platform_of(metric)]


@dataclass(frozen=True)
class Destination:
    kind: str  # "host" or "service"
    name: str
    host_id: str = ""
    custom_identifier: str = ""


def host_identity(metric):
    """A host by Mackerel's id, else by custom identifier, else by name; None without any."""
    get = metric.resource_attribute
    task = task_alone(get)
    name = get("k8s.node.name") or (task and task[0]) or machine_name(get) or get("host.id") or ""
    if get("mackerel.host.id"):
        return Destination("host", name, host_id=get("mackerel.host.id"))
    identifier = get("mackerel.host.custom_identifier")
    identifier = identifier or (task and ".".join(task) + ".ecs") or cloud_identifier(get)
    identifier = identifier or node_identifier(get) or get("host.id") or ""
    if identifier:
        return Destination("host", name, custom_identifier=identifier)
    return Destination("host", name) if name else None


def machine_name(get):
    """host.name, unless a pod or a container calls itself so."""
    name = get("host.name") or ""
    container = get("container.id") or ""
    is_own = name == get("k8s.pod.name") or (len(name) >= 12 and container.startswith(name))
    return "" if is_own else name


def task_alone(get):
    """(task id, cluster) of an ECS task that is not on an instance of its cluster, or None."""
    kind, *parts = (get("aws.ecs.task.arn") or "").split(":")[-1].split("/")
    if kind != "task" or not parts or get("aws.ecs.launchtype") == "ec2":
        return None
    cluster = (get("aws.ecs.cluster.arn") or "").rpartition("/")[2] or "/".join(parts[:-1])
    return (parts[-1], cluster) if cluster else (parts[-1],)


def cloud_identifier(get):
    provider, host_id = get("cloud.provider"), get("host.id") or ""
    on_instance = get("cloud.platform") == "aws_ecs" and get("aws.ecs.launchtype") == "ec2"
    if provider == "aws" and (on_instance or get("cloud.platform") in ("aws_ec2", "aws_eks")):
        if host_id.startswith("i-"):
            return host_id + ".ec2.amazonaws.com"
    if provider == "gcp" and host_id.isdigit():
        return host_id + ".gce.cloud.google.com"
    if provider == "azure" and host_id:
        return host_id + ".virtual_machine.azure.microsoft.com"
    return None


def node_identifier(get):
    if get("k8s.node.uid"):
        return get("k8s.node.uid") + ".node.kubernetes"
    cluster = get("k8s.cluster.uid") or get("k8s.cluster.name")
    if cluster and get("k8s.node.name"):
        return f"{get('k8s.node.name')}.{cluster}.node.kubernetes"
    return None


def service_of(metric, default_service):
    """The service's name before it is made to fit, or None."""
    get = metric.resource_attribute
    return get("mackerel.service") or get("service.namespace") or named(metric) or default_service


def named(metric):
    name = metric.resource_attribute("service.name")
    return None if not name or name.startswith("unknown_service") else name


def route(metric, default_service=None):
    """(destination, name without statistic), or None where there is no destination."""
    host = host_identity(metric) if metric.name.startswith(HOST_FAMILIES) else None
    base = metric_name(metric.name)
    if host:
        return host, "custom." + base
    service = service_of(metric, default_service)
    if not service:
        return None
    name = named(metric)
    if name and name != service:
        base = segment(name) + "." + base
    return Destination("service", service_name(service)), not_reserved(base)


def metric_name(name):
    return not_reserved(".".join(segment(part) for part in name.split(".")))


def not_reserved(name):
    """Mackerel keeps names that begin with two underscores for itself."""
    return "_" + name.lstrip("_") if name.startswith("__") else name


def segment(text):
    clean = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    if not text.isascii():
        clean += "-" + hashlib.sha256(text.encode()).hexdigest()[:6]
    return clean or "_"


def bounded(name, suffixes):
    """A posted name has at most 128 characters: it is cut before the longest of what may stand behind it."""
    most = LONGEST_NAME - max(map(len, suffixes), default=0)
    if len(name) <= most:
        return name
    return name[: most - 7] + "-" + hashlib.sha256(name.encode()).hexdigest()[:6]


def service_name(name):
    clean = segment(name).lstrip("-_")
    if len(clean) < 2:
        clean = "s-" + clean
    if len(clean) > 63:
        clean = clean[:56] + "-" + hashlib.sha256(name.encode()).hexdigest()[:6]
    return clean
