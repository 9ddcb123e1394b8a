"""Reads a golden case: in.json becomes OTLP requests in protobuf, want.txt becomes expected values.

README.md describes both formats. Requests are built with the official classes of the PyPI package
opentelemetry-proto, so nothing is shared with the decoder under test.
"""
import json
from datetime import datetime, timezone
from fractions import Fraction

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2

NS = 10**9
DAY = "2026-11-24"
TEMPORALITY = {"delta": 1, "cumulative": 2}
NO_RECORDED_VALUE = 1
TRAVEL_NS = NS // 2


def nanos(text):
    """"12:00:10.5", "2026-11-23 12:00:10" or "none" (0) as Unix time in nanoseconds."""
    if text == "none":
        return 0
    day, _, clock = text.rpartition(" ")
    whole, _, fraction = clock.partition(".")
    at = datetime.fromisoformat(f"{day or DAY} {whole}").replace(tzinfo=timezone.utc)
    return int(at.timestamp()) * NS + int(Fraction(f"0.{fraction or 0}") * NS)


def clock(unix_s):
    return datetime.fromtimestamp(unix_s, timezone.utc).strftime("%H:%M")


def set_attributes(target, attributes):
    for key, value in attributes.items():
        item = target.add(key=key)
        if isinstance(value, int):
            item.value.int_value = value
        else:
            item.value.string_value = value


def fill_value(point, series, value):
    if value is None:
        point.flags = NO_RECORDED_VALUE
    elif series["kind"] == "histogram":
        point.sum, counts = value
        point.bucket_counts.extend(counts)
        point.explicit_bounds.extend(series["bounds"])
        point.count = sum(counts)
    elif isinstance(value, int):
        point.as_int = value
    else:
        point.as_double = value


def add_point(metric, series, row):
    """One point; the metric's data field follows from the series."""
    data = getattr(metric, {"gauge": "gauge", "histogram": "histogram"}.get(series["kind"], "sum"))
    if series["kind"] != "gauge":
        data.aggregation_temporality = TEMPORALITY[series.get("temporality", "cumulative")]
    if series["kind"] in ("counter", "updown"):
        data.is_monotonic = series["kind"] == "counter"
    point = data.data_points.add(time_unix_nano=nanos(row["time"]))
    if "start" in row:
        point.start_time_unix_nano = nanos(row["start"])
    set_attributes(point.attributes, series.get("attributes", {}))
    fill_value(point, series, row["value"])


def series_rows(series):
    """Each point as a dict; columns that a row lacks come from the series."""
    columns = series.get("columns", ["time", "value"])
    for cells in series["points"]:
        row = dict(zip(columns, cells))
        if "start" in series:
            row.setdefault("start", series["start"])
        yield row


def received_ns(row):
    return nanos(row["received"]) if "received" in row else nanos(row["time"]) + TRAVEL_NS


def add_to_request(request, series, row):
    resource = request.resource_metrics.add()
    set_attributes(resource.resource.attributes, series["resource"])
    scope = resource.scope_metrics.add()
    scope.scope.name = series.get("scope", "example")
    add_point(scope.metrics.add(name=series["metric"], unit=series.get("unit", "")), series, row)


def load(folder):
    """(Unix time at which watching began, [(receive time, request)] in order of arrival)."""
    case = json.loads((folder / "in.json").read_text())
    requests = {}
    for series in case["series"]:
        series["resource"] = case["resources"][series["resource"]]
        for row in series_rows(series):
            request = requests.setdefault(received_ns(row), ExportMetricsServiceRequest())
            add_to_request(request, series, row)
    return nanos(case.get("watch_start", "11:00:00")), sorted(requests.items(), key=lambda r: r[0])


def load_want(folder):
    """({(destination, minute, name): Fraction}, {reason: points}) of want.txt."""
    values, reasons = {}, {}
    for line in (folder / "want.txt").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if line.startswith(("skipped ", "dropped ")):
            _, reason, count = line.split()
            reasons[reason] = int(count)
            continue
        destination, minute, name, value = (cell for cell in line.split("  ") if cell)
        key = (destination.strip(), minute.strip(), name.strip())
        assert key not in values, f"twice in want.txt: {key}"
        values[key] = Fraction(value.strip())
    return values, reasons


def destination_text(posted):
    """`service shop`, `host machine-1 (web-1)`, `host (web-1)` or `host id:2abc`."""
    if posted["kind"] == "service":
        return f"service {posted['name']}"
    if posted["host_id"]:
        return f"host id:{posted['host_id']}"
    parts = [posted["custom_identifier"], f"({posted['name']})" if posted["name"] else ""]
    return " ".join(["host"] + [part for part in parts if part])


def read_posted(output):
    """What replay printed, in the shape of load_want(), and the ledger. A later value of a minute
    replaces the earlier one, as in Mackerel."""
    *lines, last = [json.loads(line) for line in output.splitlines()]
    values = {(destination_text(p), clock(p["minute"]), p["metric"]): p["value"] for p in lines}
    return values, last["ledger"]
