"""Reads a golden case: in.json becomes OTLP requests in protobuf, want.txt becomes expected values.

README.md describes both formats. Requests are built with the official classes of the PyPI package
opentelemetry-proto, so nothing is shared with the decoder under test.
"""
import json
import math
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
        if isinstance(counts, int):
            point.count = counts
            return
        point.bucket_counts.extend(counts)
        point.explicit_bounds.extend(series["bounds"])
        point.count = sum(counts)
    elif series["kind"] == "exponential":
        fill_exponential(point, value)
    elif series["kind"] == "summary":
        fill_summary(point, value)
    elif isinstance(value, int):
        point.as_int = value
    else:
        point.as_double = value


def fill_exponential(point, value):
    """{"sum": 9, "scale": 3, "zero": 1, "threshold": 0.5, "positive": [offset, [counts]], ...}."""
    point.sum, point.scale, point.zero_count = value["sum"], value["scale"], value.get("zero", 0)
    point.zero_threshold = value.get("threshold", 0)
    point.count = point.zero_count
    for side in ("positive", "negative"):
        offset, counts = value.get(side, [0, []])
        getattr(point, side).offset = offset
        getattr(point, side).bucket_counts.extend(counts)
        point.count += sum(counts)


def fill_summary(point, value):
    point.sum, point.count, quantiles = value
    for quantile, held in quantiles.items():
        point.quantile_values.add(quantile=float(quantile), value=float(held))


FIELDS = {"gauge": "gauge", "histogram": "histogram", "exponential": "exponential_histogram",
          "summary": "summary"}


def add_point(metric, series, row):
    """One point; the metric's data field follows from the series."""
    data = getattr(metric, FIELDS.get(series["kind"], "sum"))
    if series["kind"] not in ("gauge", "summary"):
        data.aggregation_temporality = TEMPORALITY[series.get("temporality", "cumulative")]
    if series["kind"] in ("counter", "updown"):
        data.is_monotonic = series["kind"] == "counter"
    point = data.data_points.add(time_unix_nano=row["time"])
    if "start" in row:
        point.start_time_unix_nano = row["start"]
    set_attributes(point.attributes, series.get("attributes", {}))
    fill_value(point, series, row["value"])


def series_rows(series):
    """Each point as a dict with times in ns; columns that a row lacks come from the series."""
    columns = series.get("columns", ["time", "value"])
    for cells in series["points"]:
        many = cells if isinstance(cells, dict) else {"first": cells}
        row = dict(zip(columns, many["first"]))
        if "start" in series:
            row.setdefault("start", series["start"])
        row = {key: nanos(value) if key != "value" else value for key, value in row.items()}
        row.setdefault("received", row["time"] + TRAVEL_NS)
        for i in range(many.get("count", 1)):
            yield repeated(row, i, many, is_window="start" in columns)


def repeated(row, i, many, is_window):
    """The i-th of a regular run: `every` seconds after each other, received `apart` seconds so."""
    if i == 0:
        return row
    step = i * many["every"] * NS
    apart = many.get("apart", many["every"])
    moved = {"time": row["time"] + step, "value": row["value"] + i * many.get("rise", 0)}
    moved["received"] = row["received"] + int(i * Fraction(str(apart)) * NS)
    if is_window:
        moved["start"] = row["start"] + step
    return {**row, **moved}


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
            request = requests.setdefault(row["received"], ExportMetricsServiceRequest())
            add_to_request(request, series, row)
    return nanos(case.get("watch_start", "11:00:00")), sorted(requests.items(), key=lambda r: r[0])


def container_mode(folder):
    return json.loads((folder / "in.json").read_text()).get("containers", "node")


def host_settings(folder):
    """hosts.* of the configuration that say something about devices."""
    return json.loads((folder / "in.json").read_text()).get("hosts", {})


def native_policy(settings):
    """As the gateway's journal has them (pipeline/native_policy.h): one `name value` a line."""
    lines = [f"{name} {value}" for name, value in settings.items() if name.endswith(".ignore")]
    if settings.get("filesystems.name") == "mountpoint":
        lines.append("filesystems.mountpoint yes")
    if not settings.get("kubelet.network", True):
        lines.append("kubelet.no-network yes")
    if settings.get("kubelet.memory"):
        lines.append("kubelet.memory yes")
    renames = settings.get("devices.rename", {}).items()
    lines += [f"rename {device}={name}" for device, name in renames]
    return "".join(line + "\n" for line in lines)


def replay_options(folder):
    policy = native_policy(host_settings(folder))
    return ["--containers", container_mode(folder), "--native-policy", policy]


def load_want(folder):
    """({(destination, minute, name): [(value, lane)]}, {reason: points}) of want.txt.

    Of a value without a lane the lane is None: only what Mackerel holds in the end is wanted.
    """
    values, reasons = {}, {}
    for line in (folder / "want.txt").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if line.startswith(("skipped ", "dropped ")):
            _, reason, count = line.split()
            reasons[reason] = int(count)
            continue
        destination, minutes, name, *wanted = (cell.strip() for cell in line.split("  ") if cell)
        for minute in minutes_between(*minutes.split("-")):
            assert (destination, minute, name) not in values, f"twice in want.txt: {line}"
            values[destination, minute, name] = postings(*wanted)
    return values, reasons


def minutes_between(first, last=None):
    """"12:00", "12:02" gives 12:00, 12:01, 12:02."""
    at, end = (nanos(text + ":00") // NS for text in (first, last or first))
    return [clock(unix_s) for unix_s in range(at, end + 1, 60)]


def number(text):
    """"30/60", "0.5", or a power as "2^2.75" and "-2^1/2"."""
    base, _, exponent = text.partition("^")
    if not exponent:
        return Fraction(base)
    return Fraction(math.copysign(abs(int(base)) ** float(Fraction(exponent)), int(base)))


def postings(values, lanes=None):
    """"1/2 then 1", "live then backfill" gives [(1/2, "live"), (1, "backfill")]."""
    values = [number(value) for value in values.split(" then ")]
    lanes = lanes.split(" then ") if lanes else [None] * len(values)
    return list(zip(values, lanes, strict=True))


def destination_text(posted):
    """`service shop`, `host machine-1 (web-1)`, `host (web-1)` or `host id:2abc`."""
    if posted["kind"] == "service":
        return f"service {posted['name']}"
    if posted["host_id"]:
        return f"host id:{posted['host_id']}"
    parts = [posted["custom_identifier"], f"({posted['name']})" if posted["name"] else ""]
    return " ".join(["host"] + [part for part in parts if part])


def read_posted(output):
    """What replay printed, in the shape of load_want(), and the ledger."""
    *lines, last = [json.loads(line) for line in output.splitlines()]
    posted = ((p, p["minute"], p["metric"], p["value"], p["lane"]) for p in lines)
    return in_order(posted), last["ledger"]


def in_order(posted):
    """{(destination, minute, name): [(value, lane)]}; the same value posted again is no news."""
    values = {}
    for destination, minute, name, value, lane in posted:
        known = values.setdefault((destination_text(destination), clock(minute), name), [])
        if not known or known[-1][0] != value:
            known.append((value, lane))
    return values


def differences(want, got):
    """Readable lines, none if all wanted values were posted and no others."""
    lines = []
    for key in sorted(want.keys() | got.keys()):
        text = "  ".join(key)
        if key not in got:
            lines.append(f"missing    {text}  {readable(want[key])}")
        elif key not in want:
            lines.append(f"unexpected {text}  {readable(got[key])}")
        elif not is_same(want[key], got[key]):
            lines.append(f"differs    {text}  want {readable(want[key])} got {readable(got[key])}")
    return lines


def is_same(want, got):
    if want[0][1] is None:
        got = got[-len(want):]
    return len(want) == len(got) and all(
        math.isclose(wanted, value, rel_tol=1e-9, abs_tol=1e-12) and wanted_lane in (None, lane)
        for (wanted, wanted_lane), (value, lane) in zip(want, got)
    )


def readable(postings):
    return " then ".join(f"{float(value):.12g} {lane or ''}".strip() for value, lane in postings)
