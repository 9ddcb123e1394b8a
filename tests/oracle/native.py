"""Native host metrics: the names, formulas and device rules of mackerel-agent, by platform."""

import re
from dataclasses import dataclass
from fractions import Fraction

from cells import GaugeCell, TotalCell, gauge_of, increase
from routing import LOAD, NATIVE_GROUPS, is_native, platform_of
from streams import MINUTE, SECOND

CPU_STATES = {
    "user": "user",
    "nice": "nice",
    "system": "system",
    "kernel": "system",
    "idle": "idle",
    "wait": "iowait",
    "iowait": "iowait",
    "interrupt": "irq",
    "irq": "irq",
    "softirq": "softirq",
    "steal": "steal",
}
CPU_STATE = ("state", "cpu.mode", "system.cpu.state")
CPU_NUMBER = ("cpu", "cpu.logical_number", "system.cpu.logical_number")
MEMORY_STATE = ("state", "system.memory.state")
PAGING_STATE = ("state", "system.paging.state")
DISK_DEVICE = ("device", "system.device")
DISK_DIRECTION = ("direction", "disk.io.direction")
INTERFACE = ("device", "network.interface.name", "system.device", "interface")
INTERFACE_DIRECTION = ("direction", "network.io.direction")
FILESYSTEM_STATE = ("state", "system.filesystem.state")
MOUNTPOINT = ("mountpoint", "system.filesystem.mountpoint")
PAGE = 4096

# One thing under several names.
METRIC_ALIASES = {"system.memory.linux.available": "system.linux.memory.available"}
VALUE_ALIASES = {**CPU_STATES, "buffers": "buffered"}
ALIASES = (
    CPU_STATE + MEMORY_STATE + PAGING_STATE + FILESYSTEM_STATE,
    CPU_NUMBER,
    INTERFACE,
    DISK_DIRECTION + INTERFACE_DIRECTION,
    MOUNTPOINT,
)
KIND_OF_KEY = {key: kind for kind, keys in enumerate(ALIASES) for key in keys}

# A source of the second kind takes a group over from one of the first.
FALLBACKS = {"system.cpu.utilization", "system.network.io", "system.swap.usage"}
FALLBACKS |= {"k8s.node.memory.working_set", "k8s.node.memory.available"}


def attribute(stream, keys):
    for key in keys:
        for name, (_, value) in stream.attributes:
            if name == key and value != "":
                return str(value)
    return None


def label(text):
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def meaning(stream):
    """What a stream is about, under whichever names."""
    name = stream.metric.name
    about = {
        (KIND_OF_KEY.get(key, key), VALUE_ALIASES.get(str(value), str(value)))
        for key, (_, value) in stream.attributes
    }
    if name == "system.filesystem.usage":  # a device is mounted once in a place
        about = {pair for pair in about if pair[0] in KIND_OF_KEY.values()}
    return METRIC_ALIASES.get(name, name), frozenset(about)


class Host:
    """The native metrics of one host: of each group, one source."""

    def __init__(self, destination, table, settings):
        self.destination = destination
        self.table = table
        self.settings = settings
        self.by_metric = {}
        self.owners = {}
        self.meanings = {}
        self.labels = {}  # group -> {label: device}
        self.cells = {}

    def join(self, stream):
        """One source (resource and scope) feeds a group of a host: the first, or a better one."""
        name = stream.metric.name
        other = "swap" if name.startswith("system.paging.") else name
        group = NATIVE_GROUPS.get(name, other) if is_native(stream.metric, self.settings) else other
        if not self.owns(group, stream) or self.is_said(stream):
            return
        self.by_metric.setdefault(name, []).append(stream)
        cell = self.cell_of(stream, group)
        if cell:
            cell.join(stream)

    def owns(self, group, stream):
        rank = stream.metric.name not in FALLBACKS
        source, best = self.owners.setdefault(group, (stream.metric.source, rank))
        if stream.metric.name == "system.cpu.logical.count":
            return source == stream.metric.source
        if rank < best or (rank == best and source != stream.metric.source):
            return False
        if rank > best:
            self.owners[group] = stream.metric.source, rank
            self.leave([name for name in FALLBACKS if NATIVE_GROUPS[name] == group])
        return True

    def leave(self, names):
        for name in names:
            for stream in self.by_metric.pop(name, []):
                for cell in stream.cells:
                    cell.streams.remove(stream)
                stream.cells.clear()

    def is_said(self, stream):
        """Another stream of the source, under other names, says the same."""
        identity = stream.metric.name, stream.attributes
        key = stream.metric.source, meaning(stream)
        return self.meanings.setdefault(key, identity) != identity

    def cell_of(self, stream, group):
        name, platform = stream.metric.name, platform_of(stream.metric)
        if group == "load":
            return self.cell(GaugeCell, load, name)
        if group == "cpu" and name != "system.cpu.logical.count":
            return self.cell(CpuCell, cpu, name, platform)
        if group == "memory":
            return self.cell(GaugeCell, memory, platform)
        if group == "swap":
            return self.cell(GaugeCell, swap, platform)
        if group == "filesystem":
            device, mountpoint = attribute(stream, DISK_DEVICE), attribute(stream, MOUNTPOINT) or ""
            if device and self.posts_filesystem(platform, device, mountpoint):
                settings = tuple(sorted(self.settings.get("devices.rename", {}).items()))
                by_mountpoint = self.settings.get("filesystems.name") == "mountpoint"
                naming = by_mountpoint and platform != "windows", settings
                return self.cell(GaugeCell, filesystem, device, platform, naming)
        if group in ("disk", "network"):
            return self.series_cell(stream, group, platform)
        return None

    def posts_filesystem(self, platform, device, mountpoint):
        if self.ignores("filesystem", device):
            return False
        return filesystem_name(platform, device, mountpoint)

    def ignores(self, group, text):
        """mackerel-agent's `ignore`: a regular expression that is anchored nowhere."""
        key = {"disk": "disks", "network": "interfaces", "filesystem": "filesystems"}[group]
        pattern = self.settings.get(key + ".ignore")
        return bool(pattern) and re.search(pattern, text) is not None

    def series_cell(self, stream, group, platform):
        series = SERIES[stream.metric.name]
        device = attribute(stream, series.device)
        direction = attribute(stream, series.direction)
        if not device or direction not in series.names:
            return None
        name = device_name(group, platform, device)
        if not name or self.ignores(group, device if platform == "windows" else label(name)):
            return None
        name = self.settings.get("devices.rename", {}).get(name, name)
        name = self.label_of(group, device, name)
        return self.cell(TotalCell, per_second, stream.metric.name, device, direction, name)

    def label_of(self, group, device, name):
        """Devices whose names become the same get one `_` more each."""
        labels = self.labels.setdefault(group, {})
        text = label(name)
        while labels.setdefault(text, device) != device:
            text += "_"
        return text

    def cell(self, kind, render, *which):
        key = (render, *which)
        if key not in self.cells:
            cell = kind(self.destination, self.table, render.__name__)
            cell.by_metric = self.by_metric
            cell.render = lambda minute: render(self.by_metric, minute, *which)
            self.cells[key] = cell
        return self.cells[key]


# ---- values at the minute's start


def has_value(streams, minute):
    return any(gauge_of(stream, minute, streams) is not None for stream in streams)


def at_start(stream, minute, streams):
    """Linear between the points around the minute's start, as far as they are known, or None."""
    if gauge_of(stream, minute, streams) is None:
        return None
    if minute in stream.times:
        return stream.values[stream.times.index(minute)]
    before = stream.last_before(minute)
    if before is None or not stream.alive_at(minute):
        return next(v for t, v in zip(stream.times, stream.values) if t >= minute)
    if before + 1 == len(stream.times):
        return stream.values[before]
    (t0, t1), (v0, v1) = stream.times[before : before + 2], stream.values[before : before + 2]
    return v0 + (v1 - v0) * Fraction(minute - t0, t1 - t0)


def sum_at_start(streams, minute):
    values = [at_start(stream, minute, streams) for stream in streams]
    values = [value for value in values if value is not None]
    return sum(values) if values else None


def mean_at_start(streams, minute):
    values = [at_start(stream, minute, streams) for stream in streams]
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def load(by_metric, minute, metric):
    streams = by_metric[metric]
    if not has_value(streams, minute):
        return {}
    return {LOAD[metric]: mean_at_start(streams, minute)}


def memory(by_metric, minute, platform):
    usage = by_state(by_metric.get("system.memory.usage", []), MEMORY_STATE)
    if not usage:
        return kubelet_memory(by_metric, minute)
    if not has_value([s for streams in usage.values() for s in streams], minute):
        return {}
    shares = by_state(by_metric.get("system.memory.utilization", []), MEMORY_STATE)
    limits = by_metric.get("system.memory.limit", [])
    availables = by_metric.get("system.linux.memory.available", [])
    availables = availables or by_metric.get("system.memory.linux.available", [])
    states = {state: sum_at_start(streams, minute) for state, streams in usage.items()}
    available = sum_at_start(availables, minute)
    total = memory_total(states, sum_at_start(limits, minute), available, shares, minute, platform)
    values = MEMORY[platform](states, total, available)
    return {f"memory.{name}": value for name, value in values.items() if value is not None}


def kubelet_memory(by_metric, minute):
    """Its available memory is the capacity without the working set."""
    names = ("k8s.node.memory.working_set", "k8s.node.memory.available")
    used, available = (sum_at_start(by_metric.get(name, []), minute) for name in names)
    total = None if None in (used, available) else used + available
    values = {"memory.total": total, "memory.used": used, "memory.mem_available": available}
    return {name: value for name, value in values.items() if value is not None}


def memory_total(states, limit, available, shares, minute, platform):
    used = states.get("used")
    if limit is not None:
        return limit
    if None not in (used, available):
        return used + available
    share = mean_at_start(shares.get("used", []), minute)
    if used is not None and share:
        return Fraction(round(used / share / PAGE) * PAGE)
    parts = [used, states.get("free")]
    if platform == "linux":
        parts += [states.get("cached"), states.get("buffered", states.get("buffers"))]
    elif platform != "windows":
        parts.append(states.get("inactive", 0))
    return None if None in parts else sum(parts)


def linux_memory(states, total, available):
    used = states.get("used")
    if available is None and None not in (total, used):
        available = total - used
    return {"total": total, "used": used, "mem_available": available}


def windows_memory(states, total, _):
    free = states.get("free")
    used = total - free if None not in (total, free) else None
    return {"total": total, "free": free, "used": used}


def darwin_memory(states, total, _):
    cached = states.get("cached", states.get("inactive"))
    return {"total": total, "used": states.get("used"), "cached": cached, "free": states.get("free")}


def bsd_memory(states, total, _):
    buffers = states.get("buffered", states.get("buffers"))
    cached = states.get("cached")
    return {"total": total, "free": states.get("free"), "buffers": buffers, "cached": cached}


MEMORY = {
    "linux": linux_memory,
    "windows": windows_memory,
    "darwin": darwin_memory,
    "bsd": bsd_memory,
}


def swap(by_metric, minute, platform):
    """Used + free over all devices; 0 on a host without swap that sends other paging metrics."""
    streams = by_metric.get("system.paging.usage") or by_metric.get("system.swap.usage", [])
    usage = by_state(streams, PAGING_STATE)
    if not usage:
        paging = [name for name in by_metric if name.startswith("system.paging.")]
        others = [stream for name in paging for stream in by_metric[name]]
        used = free = Fraction(0) if has_value(others, minute) else None
    else:
        used, free = (sum_at_start(usage.get(state, []), minute) for state in ("used", "free"))
    if None in (used, free):
        return {}
    name = "pagefile" if platform == "windows" else "swap"
    return {f"memory.{name}_total": used + free, f"memory.{name}_free": free}


# ---- devices


def drive(text):
    """The letter of `C:`, or None."""
    match = re.fullmatch(r"(.):\\?", text)
    return match and match[1]


def filesystem_name(platform, device, mountpoint):
    """What mackerel-agent calls it; None where it has none of it."""
    if platform == "windows":
        return drive(device)
    if not device.startswith("/dev/") or device == "/dev/":
        return None
    if platform == "darwin" and (mountpoint.startswith("/Volumes/") or is_swap_of_mac(mountpoint)):
        return None
    if platform == "linux" and device.startswith("/dev/mapper/docker-"):
        return None
    if device.startswith("/dev/dm-") and "devicemapper/mnt" in mountpoint:
        return None
    return device.removeprefix("/dev/")


def is_swap_of_mac(mountpoint):
    return mountpoint == "/private/var/vm"


def device_name(group, platform, device):
    """Of a disk or an interface; None where mackerel-agent leaves it out."""
    if group == "disk":
        if platform == "windows":
            return drive(device)
        return None if device.startswith("dm-") else device
    if platform == "windows":
        return None if device.startswith("Loopback ") else device
    is_loopback = device == "lo" if platform == "linux" else device.startswith("lo")
    return None if is_loopback or device.startswith("veth") else device


def filesystem(by_metric, minute, device, platform, naming):
    """One row per device: of several mounts of a device the one nearest the root."""
    mounts = {}
    for stream in by_metric.get("system.filesystem.usage", []):
        mountpoint = attribute(stream, MOUNTPOINT) or ""
        is_posted = filesystem_name(platform, device, mountpoint)
        if attribute(stream, DISK_DEVICE) == device and is_posted:
            mounts.setdefault(mountpoint, []).append(stream)
    nearest = min(mounts, key=lambda mountpoint: (len(mountpoint), mountpoint))
    states = by_state(mounts[nearest], FILESYSTEM_STATE)
    used, free = (sum_at_start(states.get(state, []), minute) for state in ("used", "free"))
    if None in (used, free):
        return {}
    by_mountpoint, renames = naming
    name = filesystem_name(platform, device, nearest)
    name = nearest if by_mountpoint and nearest else dict(renames).get(name, name)
    name = "filesystem." + label(name)
    return {name + ".used": used, name + ".size": used + free}


# ---- cpu


class CpuCell(TotalCell):
    """Percentages need every state of every cpu, over the same time, of as many cpus."""

    def may_post(self, minute):
        return (
            super().may_post(minute)
            and not any(begins_or_falls(stream, minute) for stream in self.streams)
            and self.is_level(minute)
            and not self.has_hole(minute)
            and not self.count_changes(minute)
        )

    def speaking(self, minute):
        return [stream for stream in self.streams if speaks(stream, minute)]

    def is_level(self, minute):
        """All states are known to the minute's end, or to the same time in it."""
        last = {stream.last_time for stream in self.speaking(minute)}
        return len(last) == 1 or all(time >= minute + MINUTE for time in last)

    def has_hole(self, minute):
        """A state of a cpu was there before, and is not while others of that cpu are."""
        cpus = {attribute(stream, CPU_NUMBER) for stream in self.speaking(minute)}
        silent = [s for s in self.streams if s.times and s.last_time < minute]
        silent = [s for s in silent if not s.has_ended and not s.evicted]
        return any(attribute(stream, CPU_NUMBER) in cpus for stream in silent)

    def count_changes(self, minute):
        counts = self.by_metric.get("system.cpu.logical.count", [])
        at_both_ends = {mean_at_start(counts, time) for time in (minute, minute + MINUTE)}
        here = {gauge_of(stream, minute, counts) for stream in counts}
        return len((at_both_ends | here) - {None}) > 1


def speaks(stream, minute):
    return bool(stream.times) and stream.times[0] <= minute + MINUTE and stream.last_time >= minute


def begins_or_falls(stream, minute):
    if any(minute < time <= minute + MINUTE for time in stream.unknown_beginnings):
        return True
    if stream.metric.kind == "gauge":
        return False
    points = list(zip(stream.times, stream.values))
    return any(
        new < old - 1 and t0 < minute + MINUTE and t1 > minute
        for (t0, old), (t1, new) in zip(points, points[1:])
    )


def cpu(by_metric, minute, metric, platform):
    streams = by_metric.get(metric, [])
    speaking = [stream for stream in streams if speaks(stream, minute)]
    if not speaking:
        return {}
    until = min(min(stream.last_time for stream in speaking), minute + MINUTE)
    known = Fraction(until - minute, SECOND)
    states = {}
    for state, of_state in by_state(streams, CPU_STATE).items():
        if any(stream in speaking for stream in of_state):
            name = CPU_STATES.get(state, "other")
            states[name] = states.get(name, 0) + increase(of_state, minute)
    total = sum(states.values())
    if platform == "windows":  # the time of interrupts is in the system's
        total -= states.get("irq", 0)
    if total <= 0:
        return {}
    per_cpu = len({attribute(stream, CPU_NUMBER) for stream in speaking} - {None})
    cores = sum_of_gauges(by_metric.get("system.cpu.logical.count", []), minute) or per_cpu
    is_average = metric == "system.cpu.utilization" and not per_cpu
    scale = scale_of(platform, cores, is_average, total / known if known else 0)
    if scale is None:
        return {}
    time = known * (1 if is_average else cores)
    whole = time if total < Fraction(95, 100) * time else total
    return {
        f"cpu.{name}.percentage": scale * seconds / whole
        for name, seconds in posted_states(platform, states).items()
    }


def scale_of(platform, cores, is_average, cpus_by_time):
    """Mackerel's Linux graphs stack to 100 for each cpu, the others to 100."""
    if platform != "linux":
        return 100
    if cores:
        return 100 * cores
    return None if is_average else 100 * max(1, round(cpus_by_time))


def posted_states(platform, states):
    if platform == "linux":
        return {name: value for name, value in states.items() if name != "other"}
    names = ["user", "system", "idle"] + (["nice"] if platform == "bsd" else [])
    posted = {name: states[name] for name in names if name in states}
    if platform == "darwin" and "user" in posted:
        posted["user"] += states.get("nice", 0)
    return posted


def sum_of_gauges(streams, minute):
    values = [gauge_of(stream, minute, streams) for stream in streams]
    return sum(value for value in values if value is not None)


# ---- disks and interfaces


@dataclass(frozen=True)
class Series:
    """A metric of which each device and direction is a name of its own."""

    device: tuple
    direction: tuple
    names: dict  # of a direction


NETWORK = Series(
    INTERFACE,
    INTERFACE_DIRECTION,
    {"receive": "interface.%s.rxBytes.delta", "transmit": "interface.%s.txBytes.delta"},
)
SERIES = {
    "system.disk.operations": Series(
        DISK_DEVICE,
        DISK_DIRECTION,
        {"read": "disk.%s.reads.delta", "write": "disk.%s.writes.delta"},
    ),
    "system.network.io": NETWORK,
    "k8s.node.network.io": NETWORK,
}


def per_second(by_metric, minute, metric, device, direction, name):
    if metric == "system.disk.operations" and not was_ever_active(by_metric, device):
        return {}
    series = SERIES[metric]
    streams = [
        stream
        for stream in by_metric.get(metric, [])
        if attribute(stream, series.device) == device
        and attribute(stream, series.direction) == direction
    ]
    if not any(speaks(stream, minute) for stream in streams):
        return {}
    return {series.names[direction] % name: increase(streams, minute) / 60}


def was_ever_active(by_metric, device):
    """Of /proc/diskstats those that never did anything are left out."""
    return any(
        value != 0
        for name in ("system.disk.operations", "system.disk.io")
        for stream in by_metric.get(name, [])
        if attribute(stream, DISK_DEVICE) == device
        for value in stream.values
    )


def by_state(streams, keys):
    found = {}
    for stream in streams:
        found.setdefault(attribute(stream, keys), []).append(stream)
    return found
