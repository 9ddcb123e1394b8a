"""An independent calculation of what the gateway posts for a recording.

It follows the gateway's written rules (docs/what-is-posted.md, docs/host-metrics.md), not its code, and
is written for readers: exact fractions, lists, no regard for speed. It sees the whole recording
at once and therefore knows nothing of closing times, corrections and lateness; recordings in which
points come more than five minutes late are beyond it, and so are silences of an hour.

    python3 oracle.py FOLDER [--watch-start NS] [--service NAME]

prints one JSON object per value.
"""

import argparse
import hashlib
import json
from pathlib import Path

import cells
import native
import recording
import routing
from streams import MINUTE, StreamTable

REPEAT_WINDOW = 10 * MINUTE
DAY = 24 * 60 * MINUTE


def arrivals(requests):
    """Per export its points in time, without requests that came twice."""
    seen = {}
    for request in requests:
        body = recording.body(request)
        digest = hashlib.sha256(body).digest()
        is_repeat = request.received - seen.get(digest, -DAY) <= REPEAT_WINDOW
        seen[digest] = request.received
        if not is_repeat:
            for export in recording.exports(body, request.received):
                yield [point for point in export if is_timely(point)]


def is_timely(point):
    """Time 0 is too old as well."""
    return point.received - DAY <= point.time <= point.received + MINUTE


def is_sound(point):
    metric = point.metric
    if not metric.name or metric.kind in ("exponential", "summary"):
        return False
    if metric.kind in ("sum", "histogram") and not metric.temporality:
        return False
    if point.start > point.time and metric.kind != "gauge":
        return False
    return point.no_recorded_value or is_sound_value(point)


def is_sound_value(point):
    value = point.value
    if value is None or value == "not finite":
        return False
    if not isinstance(value, recording.Histogram):
        return not (point.metric.temporality == "delta" and point.metric.monotonic and value < 0)
    if value.sum == "not finite":
        return False
    fits = len(value.buckets) in (0, len(value.bounds) + 1)
    rising = all(a < b for a, b in zip(value.bounds, value.bounds[1:]))
    return fits and rising and (not value.buckets or sum(value.buckets) == value.count)


def read_streams(requests, watch_start):
    table = StreamTable(watch_start)
    for points in arrivals(requests):
        for point in points:
            if is_sound(point):
                table.take(point)
        if points:
            table.reported(points[0].metric.source, max(point.time for point in points))
    table.cover_silent_delta_streams()
    return [stream for stream in table.streams.values() if stream.times]


def posted(requests, watch_start, default_service=None):
    """{(destination, metric, minute in ns): value} of all that is posted."""
    custom, hosts = {}, {}
    for stream in read_streams(requests, watch_start):
        routed = routing.route(stream.metric, default_service)
        if routed is None:
            continue
        destination, name = routed
        if destination.kind == "host" and stream.metric.name.startswith("system."):
            hosts.setdefault(destination, {}).setdefault(stream.metric.name, []).append(stream)
        if destination.kind == "host" and stream.metric.name in routing.NEVER_CUSTOM:
            continue
        kind = stream.metric.kind, cells.is_total(stream.metric)
        custom.setdefault((destination, name, kind), []).append(stream)
    values = {}
    for (destination, name, _), streams in custom.items():
        for (metric, minute), value in cells.cell_values(name, streams).items():
            values[destination, metric, minute] = value
    for destination, by_metric in hosts.items():
        for (metric, minute), value in native.native_values(one_source(by_metric)).items():
            values[destination, metric, minute] = value
    return values


def one_source(by_metric):
    """One source (resource and scope) feeds a group of a host: the first one."""
    owner, kept = {}, {}
    for name, streams in by_metric.items():
        other = "swap" if name.startswith("system.paging.") else name
        group = routing.NATIVE_GROUPS.get(name, other)
        for stream in streams:
            source = stream.metric.source
            if owner.setdefault(group, source) == source:
                kept.setdefault(name, []).append(stream)
    return kept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--watch-start", type=int, default=0)
    parser.add_argument("--service")
    options = parser.parse_args()
    requests = [r for r in recording.requests(options.folder) if r.is_protobuf]
    found = posted(requests, options.watch_start, options.service)
    for (destination, metric, minute), value in sorted(found.items(), key=str):
        row = {**vars(destination), "minute": minute // (60 * 10**9), "metric": metric}
        print(json.dumps({**row, "minute": minute // 10**9, "value": float(value)}))


if __name__ == "__main__":
    main()
