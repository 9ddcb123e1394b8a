"""What the recorded programs measured, as totals that the posted rates must add up to."""

from dataclasses import dataclass, field

import gateway
import recording

NEVER = 2**64


@dataclass
class Process:
    """One life of one program; a restarted instance is another one."""

    instance: str
    start: int
    end: int = NEVER
    last_export: int = 0  # when its last request was put together
    last_arrival: int = 0  # and when it arrived
    rows: list = field(default_factory=list)


def processes(folder):
    running, found = {}, []
    for row in gateway.truth(folder):
        key = row.get("service.instance.id", ""), row.get("process")
        if row["kind"] == "process_start":
            running[key] = Process(key[0], row["t_unix_nano"])
            found.append(running[key])
        elif row["kind"] in ("process_end", "process_killed"):
            running[key].end = row["t_unix_nano"]
        else:
            running[key].rows.append(row)
    for process in found:
        find_last_export(folder, process)
    return found


def find_last_export(folder, process):
    """What a program measured after its last export reached nobody.

    A killed process takes its last seconds with it, and Node measures the HTTP request and the
    garbage collection of its last export after that export. Java's closing request arrives just
    after its program has ended. A resource without an instance id may belong to any process.
    """
    for request in gateway.protobuf_requests(folder):
        if not process.start <= request.received <= process.end + gateway.SECOND:
            continue
        for point in recording.decode(recording.body(request), request.received):
            instance = point.metric.resource_attribute("service.instance.id") or ""
            if process.instance in (instance, "") or not instance:
                process.last_export = max(process.last_export, point.time)
                process.last_arrival = request.received


def totals(folder):
    """{instrument: total} of counters, observable counters, and histograms' counts."""
    sums = {}
    for process in processes(folder):
        observed = {}  # of an observable counter the newest value is the total
        for row in process.rows:
            name = row["instrument"]
            if row["kind"] == "observable_counter":
                if row["t_unix_nano"] <= process.last_arrival:  # observed while exporting
                    observed[name, str(sorted(row["attributes"].items()))] = row["value"]
            elif row["t_unix_nano"] > process.last_export:
                continue
            elif row["kind"] == "counter":
                sums[name] = sums.get(name, 0) + row["value"]
            elif row["kind"] == "histogram":
                sums[name] = sums.get(name, 0) + 1
        for (name, _), value in observed.items():
            sums[name] = sums.get(name, 0) + value
    return sums


def kinds(folder):
    """{instrument: kinds that were sent}."""
    found = {}
    for request in gateway.protobuf_requests(folder):
        for point in recording.decode(recording.body(request), request.received):
            found.setdefault(point.metric.name, set()).add(point.metric.kind)
    return found
