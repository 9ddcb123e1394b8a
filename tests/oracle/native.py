"""Native host metrics: the names, formulas and device rules of mackerel-agent."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Callable

from cells import GaugeCell, TotalCell, gauge_of, increase
from routing import LOAD, NATIVE_GROUPS

CPU_STATES = {
    "user": "user",
    "nice": "nice",
    "system": "system",
    "kernel": "system",
    "idle": "idle",
    "wait": "iowait",
    "iowait": "iowait",
    "interrupt": "irq",
    "softirq": "softirq",
    "steal": "steal",
}
CPU_STATE = ("state", "cpu.mode", "system.cpu.state")
CPU_NUMBER = ("cpu", "cpu.logical_number", "system.cpu.logical_number")
MEMORY_STATE = ("state", "system.memory.state")
PAGING_STATE = ("state", "system.paging.state")
DISK_DEVICE = ("device", "system.device")
DISK_DIRECTION = ("direction", "disk.io.direction")
INTERFACE = ("device", "network.interface.name", "system.device")
INTERFACE_DIRECTION = ("direction", "network.io.direction")
FILESYSTEM_STATE = ("state", "system.filesystem.state")
MOUNTPOINT = ("mountpoint", "system.filesystem.mountpoint")
PAGE = 4096


def attribute(stream, keys):
    for key in keys:
        for name, (_, value) in stream.attributes:
            if name == key and value != "":
                return str(value)
    return None


def label(text):
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


class Host:
    """The native metrics of one host: of each group, one source."""

    def __init__(self, destination, table):
        self.destination = destination
        self.table = table
        self.by_metric = {}
        self.owners = {}
        self.cells = {}

    def join(self, stream):
        """One source (resource and scope) feeds a group of a host: the first one."""
        name = stream.metric.name
        other = "swap" if name.startswith("system.paging.") else name
        group = NATIVE_GROUPS.get(name, other)
        if self.owners.setdefault(group, stream.metric.source) != stream.metric.source:
            return
        self.by_metric.setdefault(name, []).append(stream)
        cell = self.cell_of(stream, group)
        if cell:
            cell.join(stream)

    def cell_of(self, stream, group):
        name = stream.metric.name
        if name in LOAD:
            return self.cell(GaugeCell, load, name)
        if name == "system.cpu.time":
            return self.cell(TotalCell, cpu)
        if group == "memory":
            return self.cell(GaugeCell, memory)
        if group == "swap":
            return self.cell(GaugeCell, swap)
        if group == "filesystem":
            device, mountpoint = attribute(stream, DISK_DEVICE), attribute(stream, MOUNTPOINT) or ""
            if device and posts_filesystem(device, mountpoint):
                return self.cell(GaugeCell, filesystem, device)
        if name in SERIES:
            series = SERIES[name]
            device = attribute(stream, series.device)
            direction = attribute(stream, series.direction)
            if device and direction in series.names and series.is_posted(device):
                return self.cell(TotalCell, per_second, name, device, direction)
        return None

    def cell(self, kind, render, *which):
        key = (render, *which)
        if key not in self.cells:
            cell = kind(self.destination, self.table, render.__name__)
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


def memory(by_metric, minute):
    usage = by_state(by_metric.get("system.memory.usage", []), MEMORY_STATE)
    if not has_value([s for streams in usage.values() for s in streams], minute):
        return {}
    shares = by_state(by_metric.get("system.memory.utilization", []), MEMORY_STATE)
    limits = by_metric.get("system.memory.limit", [])
    availables = by_metric.get("system.linux.memory.available", [])
    availables = availables or by_metric.get("system.memory.linux.available", [])
    states = {state: sum_at_start(streams, minute) for state, streams in usage.items()}
    available = sum_at_start(availables, minute)
    total = memory_total(states, sum_at_start(limits, minute), available, shares, minute)
    used = states.get("used")
    if available is None and None not in (total, used):
        available = total - used
    values = {
        "memory.total": total,
        "memory.used": used,
        "memory.mem_available": available,
    }
    return {name: value for name, value in values.items() if value is not None}


def memory_total(states, limit, available, shares, minute):
    used = states.get("used")
    if limit is not None:
        return limit
    if None not in (used, available):
        return used + available
    share = mean_at_start(shares.get("used", []), minute)
    if used is not None and share:
        return Fraction(round(used / share / PAGE) * PAGE)
    parts = [states.get(state) for state in ("used", "free", "cached")]
    parts.append(states.get("buffered", states.get("buffers")))
    return None if None in parts else sum(parts)


def swap(by_metric, minute):
    """Used + free over all devices; 0 on a host without swap that sends other paging metrics."""
    usage = by_state(by_metric.get("system.paging.usage", []), PAGING_STATE)
    if not usage:
        paging = [name for name in by_metric if name.startswith("system.paging.")]
        others = [stream for name in paging for stream in by_metric[name]]
        used = free = Fraction(0) if has_value(others, minute) else None
    else:
        used, free = (sum_at_start(usage.get(state, []), minute) for state in ("used", "free"))
    if None in (used, free):
        return {}
    return {"memory.swap_total": used + free, "memory.swap_free": free}


def filesystem(by_metric, minute, device):
    """One row per device: of several mounts of a device the one nearest the root."""
    mounts = {}
    for stream in by_metric.get("system.filesystem.usage", []):
        mountpoint = attribute(stream, MOUNTPOINT) or ""
        if attribute(stream, DISK_DEVICE) == device and posts_filesystem(device, mountpoint):
            mounts.setdefault(mountpoint, []).append(stream)
    nearest = min(mounts, key=lambda mountpoint: (len(mountpoint), mountpoint))
    states = by_state(mounts[nearest], FILESYSTEM_STATE)
    used, free = (sum_at_start(states.get(state, []), minute) for state in ("used", "free"))
    if None in (used, free):
        return {}
    name = "filesystem." + label(device.removeprefix("/dev/"))
    return {name + ".used": used, name + ".size": used + free}


def posts_filesystem(device, mountpoint):
    if not device.startswith("/dev/") or device.startswith("/dev/mapper/docker-"):
        return False
    return not (device.startswith("/dev/dm-") and "devicemapper/mnt" in mountpoint)


# ---- totals at minute boundaries


def cpu(by_metric, minute):
    streams = by_metric["system.cpu.time"]
    total = increase(streams, minute)
    if total <= 0:
        return {}
    counts = by_metric.get("system.cpu.logical.count", [])
    cores = sum_of_gauges(counts, minute) or cores_seen(streams) or round(total / 60)
    per_name = {}
    for state, of_state in by_state(streams, CPU_STATE).items():
        name = CPU_STATES.get(state)
        if name:
            per_name[name] = per_name.get(name, 0) + increase(of_state, minute)
    return {
        f"cpu.{name}.percentage": 100 * cores * seconds / total
        for name, seconds in per_name.items()
    }


def sum_of_gauges(streams, minute):
    values = [gauge_of(stream, minute, streams) for stream in streams]
    return sum(value for value in values if value is not None)


def cores_seen(streams):
    return len({attribute(stream, CPU_NUMBER) for stream in streams} - {None})


@dataclass(frozen=True)
class Series:
    """A metric of which each device and direction is a name of its own."""

    device: tuple
    direction: tuple
    names: dict  # of a direction
    is_posted: Callable  # of a device


SERIES = {
    "system.disk.operations": Series(
        DISK_DEVICE,
        DISK_DIRECTION,
        {"read": "disk.%s.reads.delta", "write": "disk.%s.writes.delta"},
        lambda device: not device.startswith("dm-"),
    ),
    "system.network.io": Series(
        INTERFACE,
        INTERFACE_DIRECTION,
        {"receive": "interface.%s.rxBytes.delta", "transmit": "interface.%s.txBytes.delta"},
        lambda device: device != "lo" and not device.startswith("veth"),
    ),
}


def per_second(by_metric, minute, metric, device, direction):
    if metric == "system.disk.operations" and not was_ever_active(by_metric, device):
        return {}
    series = SERIES[metric]
    streams = [
        stream
        for stream in by_metric[metric]
        if attribute(stream, series.device) == device
        and attribute(stream, series.direction) == direction
    ]
    return {series.names[direction] % label(device): increase(streams, minute) / 60}


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
