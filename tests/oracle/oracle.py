"""An independent calculation of what the gateway posts for a recording.

It follows the gateway's written rules (docs/what-is-posted.md, docs/host-metrics.md), not its code,
and is written for readers: exact fractions, lists, no regard for speed. It goes through the requests
as they arrived; before each it posts what is due by then, and it forgets nothing.

    python3 oracle.py FOLDER [--watch-start NS] [--service NAME]

prints one JSON object per posting.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import cells
import containers
import distributions
import native
import planned
import recording
import routing
import rules
from streams import DAY, MINUTE, StreamTable, is_total

REPEAT_WINDOW = 10 * MINUTE
FOR_EVER = 2**64


class Gateway:
    def __init__(
        self, watch_start, default_service=None, container_mode="node", host_settings=None
    ):
        self.table = StreamTable(watch_start, self.attach)
        self.rules = None  # what the page says without any
        self.default_service = default_service
        self.custom = {}  # (destination, name, kind) -> cell
        self.hosts = {}  # destination -> native.Host
        self.host_settings = host_settings or {}  # hosts.* about devices
        self.containers = containers.Containers(container_mode, self.table)
        self.received = {}  # hash of a body -> when it came last
        self.postings = []

    def follow(self, rule_list):
        """These rules and no packs behind them, from the beginning on."""
        self.rules = rules.Rules(rule_list, self.default_service)

    @property
    def reasons(self):
        return self.table.reasons

    def values(self):
        """{(destination, metric, minute in ns): value} of all that is posted; the last counts."""
        return {(each.destination, each.name, each.minute): each.value for each in self.postings}

    # ---- requests and time

    def receive(self, body, now):
        self.post_until(now)
        self.table.evict_idle(now)
        digest = hashlib.sha256(body).digest()
        is_repeat = now - self.received.get(digest, -DAY) <= REPEAT_WINDOW
        self.received[digest] = now
        for export in recording.exports(body, now):
            if is_repeat:
                self.reasons["repeat"] += len(export)
            else:
                self.take([point for point in export if self.is_timely(point)])

    def is_timely(self, point):
        why = untimely(point)
        if why and (why == "no_time" or routing.route(point.metric, self.default_service)):
            self.reasons[why] += 1
        return why is None

    def take(self, points):
        """The points of one export, and that it came."""
        newest = max((point.time for point in points), default=0)
        for point in points:
            if is_sound(point):
                self.containers.note(point)
                self.table.take(point, newest)
        if points:
            windows = [p.start for p in points if p.metric.temporality == "delta" and p.start]
            since = min(windows, default=0)
            self.table.reported(points[0].metric.source, newest, since, points[0].received)

    def post_until(self, now):
        for cell in self.cells():
            cell.run(now, self.postings)

    def cells(self):
        yield from self.custom.values()
        for host in self.hosts.values():
            yield from host.cells.values()
        yield from self.containers.cells()

    # ---- where a stream goes

    def attach(self, stream):
        if self.rules:
            self.attach_by_rules(stream)
            return
        if self.containers.take(stream):
            return
        routed = routing.route(stream.metric, self.default_service)
        if routed is None:
            return
        destination, name = routed
        is_native = routing.is_native(stream.metric, self.host_settings)
        if destination.kind == "service" or not is_native:
            self.custom_cell(destination, name, stream.metric).join(stream)
        if destination.kind == "host" and (is_native or stream.metric.name.startswith("system.")):
            if destination not in self.hosts:
                self.hosts[destination] = native.Host(destination, self.table, self.host_settings)
            self.hosts[destination].join(stream)

    def attach_by_rules(self, stream):
        place = self.rules.place(stream)
        if place is None:
            stream.filtered = True
            return
        key = place.destination, place.name, stream.metric.kind, is_total(stream.metric), place.plan
        if key not in self.custom:
            planned_cell = planned.PlannedTotals if is_total(stream.metric) else planned.PlannedValues
            self.custom[key] = planned_cell(place.destination, self.table, place.name, place.plan)
        self.custom[key].join(stream)

    def custom_cell(self, destination, name, metric):
        name = routing.bounded(name, [".rate"] if is_total(metric) else [])
        kind = "distribution" if metric.kind in recording.DISTRIBUTIONS else metric.kind
        key = destination, name, kind, is_total(metric)
        if key not in self.custom:
            kind = cells.TotalCell if is_total(metric) else cells.GaugeCell
            self.custom[key] = kind(destination, self.table, name)
        return self.custom[key]


def untimely(point):
    """The reason, or None."""
    if point.time == 0:
        return "no_time"
    if point.time < point.received - DAY:
        return "too_old"
    return "future" if point.time > point.received + MINUTE else None


def is_sound(point):
    metric = point.metric
    if not metric.name:
        return False
    if metric.kind in ("sum", "histogram", "exponential") and not metric.temporality:
        return False
    if point.start > point.time:
        return False
    return point.no_recorded_value or is_sound_value(point)


def is_sound_value(point):
    value = point.value
    if value is None or value == "not finite":
        return False
    if isinstance(value, (distributions.Exponential, distributions.Summary)):
        return distributions.is_sound(value)
    if not isinstance(value, recording.Histogram):
        return not (point.metric.temporality == "delta" and point.metric.monotonic and value < 0)
    if value.sum == "not finite":
        return False
    if not all(math.isfinite(bound) for bound in value.bounds):
        return False
    fits = len(value.buckets) in (0, len(value.bounds) + 1)
    rising = all(a < b for a, b in zip(value.bounds, value.bounds[1:]))
    return fits and rising and (not value.buckets or sum(value.buckets) == value.count)


def run(requests, watch_start, default_service=None, container_mode="node"):
    """A gateway that received all of them and waited until everything was posted."""
    gateway = Gateway(watch_start, default_service, container_mode)
    for request in requests:
        gateway.receive(recording.body(request), request.received)
    gateway.post_until(FOR_EVER)
    return gateway


def posted(requests, watch_start, default_service=None, container_mode="node"):
    return run(requests, watch_start, default_service, container_mode).values()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--watch-start", type=int, default=0)
    parser.add_argument("--service")
    options = parser.parse_args()
    requests = [r for r in recording.requests(options.folder) if r.is_protobuf]
    gateway = run(requests, options.watch_start, options.service)
    for each in sorted(gateway.postings, key=lambda posting: posting.when):
        row = {**vars(each.destination), "minute": each.minute // 10**9, "metric": each.name}
        print(json.dumps({**row, "value": float(each.value), "lane": each.lane}))


if __name__ == "__main__":
    main()
