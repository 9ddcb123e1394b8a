"""Native host metrics: the names, formulas and device rules of mackerel-agent."""

import re
from fractions import Fraction

from cells import gauge_of, increase, posted_minutes
from routing import LOAD
from streams import GRACE, MINUTE

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


def native_values(by_metric):
    """{(name, minute): value} from the streams of one host, {metric name: [stream]}."""
    return {
        **load(by_metric),
        **cpu(by_metric),
        **memory(by_metric),
        **swap(by_metric),
        **disk(by_metric),
        **network(by_metric),
        **filesystem(by_metric),
    }


# ---- values at the minute's start


def minutes_of(streams):
    """Minutes in which any of the streams has a value as a gauge would."""
    numbers = {t // MINUTE + more for stream in streams for t in stream.times for more in range(8)}
    minutes = sorted(number * MINUTE for number in numbers)
    return [m for m in minutes if any(gauge_of(s, m, streams) is not None for s in streams)]


def at_start(stream, minute, streams):
    """Linear between the points around the minute's start, as far as they are known when it closes,
    or None."""
    closes = minute + MINUTE + GRACE
    if gauge_of(stream, minute, streams) is None:
        return None
    if minute in stream.times:
        return stream.values[stream.times.index(minute)]
    before = stream.last_before(minute)
    if before is None or not stream.alive_at(minute, closes):
        return next(v for t, v in zip(stream.times, stream.values) if t >= minute)
    if before + 1 == len(stream.times) or stream.arrivals[before + 1] > closes:
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


def load(by_metric):
    return {
        (name, minute): mean_at_start(by_metric[metric], minute)
        for metric, name in LOAD.items()
        for minute in minutes_of(by_metric.get(metric, []))
    }


def memory(by_metric):
    usage = by_state(by_metric.get("system.memory.usage", []), MEMORY_STATE)
    shares = by_state(by_metric.get("system.memory.utilization", []), MEMORY_STATE)
    limits = by_metric.get("system.memory.limit", [])
    availables = by_metric.get("system.linux.memory.available", [])
    availables = availables or by_metric.get("system.memory.linux.available", [])
    values = {}
    for minute in minutes_of([s for streams in usage.values() for s in streams]):
        states = {state: sum_at_start(streams, minute) for state, streams in usage.items()}
        available = sum_at_start(availables, minute)
        total = memory_total(states, sum_at_start(limits, minute), available, shares, minute)
        used = states.get("used")
        if total is not None:
            values["memory.total", minute] = total
        if used is not None:
            values["memory.used", minute] = used
        if available is None and None not in (total, used):
            available = total - used
        if available is not None:
            values["memory.mem_available", minute] = available
    return values


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


def swap(by_metric):
    """Used + free over all devices; 0 on a host without swap that sends other paging metrics."""
    usage = by_state(by_metric.get("system.paging.usage", []), PAGING_STATE)
    values = {}
    if not usage:
        paging = [name for name in by_metric if name.startswith("system.paging.")]
        others = [stream for name in paging for stream in by_metric[name]]
        for minute in minutes_of(others):
            values["memory.swap_total", minute] = values["memory.swap_free", minute] = Fraction(0)
        return values
    for minute in minutes_of([s for streams in usage.values() for s in streams]):
        used, free = (sum_at_start(usage.get(state, []), minute) for state in ("used", "free"))
        if None not in (used, free):
            values["memory.swap_total", minute] = used + free
            values["memory.swap_free", minute] = free
    return values


def filesystem(by_metric):
    """One row per device: of several mounts of a device the one nearest the root."""
    streams = by_metric.get("system.filesystem.usage", [])
    mounts = {}
    for stream in streams:
        device, mountpoint = attribute(stream, DISK_DEVICE), attribute(stream, MOUNTPOINT) or ""
        if device and posts_filesystem(device, mountpoint):
            mounts.setdefault(device, {}).setdefault(mountpoint, []).append(stream)
    values = {}
    for device, by_mountpoint in mounts.items():
        nearest = min(by_mountpoint, key=lambda mountpoint: (len(mountpoint), mountpoint))
        states = by_state(by_mountpoint[nearest], FILESYSTEM_STATE)
        name = "filesystem." + label(device.removeprefix("/dev/"))
        for minute in minutes_of(by_mountpoint[nearest]):
            used, free = (sum_at_start(states.get(state, []), minute) for state in ("used", "free"))
            if None not in (used, free):
                values[name + ".used", minute] = used
                values[name + ".size", minute] = used + free
    return values


def posts_filesystem(device, mountpoint):
    if not device.startswith("/dev/") or device.startswith("/dev/mapper/docker-"):
        return False
    return not (device.startswith("/dev/dm-") and "devicemapper/mnt" in mountpoint)


# ---- totals at minute boundaries


def cpu(by_metric):
    streams = by_metric.get("system.cpu.time", [])
    states = by_state(streams, CPU_STATE)
    counts = by_metric.get("system.cpu.logical.count", [])
    values = {}
    for minute in posted_minutes(streams) if streams else []:
        end = minute + MINUTE
        total = increase(streams, minute, end)
        if total <= 0:
            continue
        cores = sum_of_gauges(counts, minute) or cores_seen(streams) or round(total / 60)
        per_name = {}
        for state, of_state in states.items():
            name = CPU_STATES.get(state)
            if name:
                per_name[name] = per_name.get(name, 0) + increase(of_state, minute, end)
        for name, seconds in per_name.items():
            values[f"cpu.{name}.percentage", minute] = 100 * cores * seconds / total
    return values


def sum_of_gauges(streams, minute):
    values = [gauge_of(stream, minute, streams) for stream in streams]
    return sum(value for value in values if value is not None)


def cores_seen(streams):
    return len({attribute(stream, CPU_NUMBER) for stream in streams} - {None})


def disk(by_metric):
    """Every device of /proc/diskstats but dm-* and those that never did anything."""
    active = {
        attribute(stream, DISK_DEVICE)
        for name in ("system.disk.operations", "system.disk.io")
        for stream in by_metric.get(name, [])
        if any(value != 0 for value in stream.values)
    }
    operations = by_metric.get("system.disk.operations", [])
    return per_second(
        [stream for stream in operations if attribute(stream, DISK_DEVICE) in active],
        DISK_DEVICE,
        DISK_DIRECTION,
        {"read": "disk.%s.reads.delta", "write": "disk.%s.writes.delta"},
        lambda name: not name.startswith("dm-"),
    )


def network(by_metric):
    return per_second(
        by_metric.get("system.network.io", []),
        INTERFACE,
        INTERFACE_DIRECTION,
        {"receive": "interface.%s.rxBytes.delta", "transmit": "interface.%s.txBytes.delta"},
        lambda name: name != "lo" and not name.startswith("veth"),
    )


def per_second(streams, device_keys, direction_keys, names, is_posted):
    series = {}
    for stream in streams:
        device, direction = attribute(stream, device_keys), attribute(stream, direction_keys)
        if device and direction in names and is_posted(device):
            series.setdefault(names[direction] % label(device), []).append(stream)
    return {
        (name, minute): increase(of_name, minute, minute + MINUTE) / 60
        for name, of_name in series.items()
        for minute in posted_minutes(of_name)
    }


def by_state(streams, keys):
    found = {}
    for stream in streams:
        found.setdefault(attribute(stream, keys), []).append(stream)
    return found
