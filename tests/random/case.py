"""A case: what a gateway receives, as a flat list of points, so that it can be cut smaller.

Each row knows its request; rows of one request that stand together and share resource, scope and metric
become one message of OTLP.
"""

from dataclasses import dataclass, field, replace
from itertools import groupby

from recording import ExportMetricsServiceRequest

ORIGIN = 1795500000 * 10**9  # a full minute
TEMPORALITY = {"": 0, "delta": 1, "cumulative": 2}


@dataclass(frozen=True)
class Instrument:
    name: str
    unit: str
    kind: str  # gauge, sum, histogram, exponential_histogram, summary
    temporality: str = ""
    monotonic: bool = False


@dataclass(frozen=True)
class Row:
    request: int
    received: int
    export: int  # rows of a request with another number are another part of it
    resource: tuple  # of (key, value)
    scope: str
    instrument: Instrument
    attributes: tuple  # of (key, value)
    point: tuple  # of (field, value) as OTLP names them


@dataclass
class Case:
    watch_start: int
    service: str = ""  # services.default
    reload_every: int = 0
    rows: list = field(default_factory=list)
    rules: list = field(default_factory=list)  # in force, no packs behind them; none: the packs

    def with_rows(self, rows):
        return replace(self, rows=rows)

    def requests(self):
        """[(received, body)] in the order of arrival."""
        rows = sorted(self.rows, key=lambda row: (row.received, row.request))
        for (received, _), of_request in groupby(rows, lambda row: (row.received, row.request)):
            yield received, body(list(of_request))

    def text(self):
        """For people; times are seconds behind ORIGIN."""
        start = seconds(self.watch_start)
        lines = [f"watch_start {start} reload {self.reload_every} {self.service}"]
        lines += [f"rule {rule}" for rule in self.rules]
        for row in sorted(self.rows, key=lambda row: (row.received, row.request)):
            point = dict(row.point)
            for name in "start_time_unix_nano", "time_unix_nano":
                if point.get(name):
                    point[name] = seconds(point[name])
            what = row.instrument
            lines.append(
                f"#{row.request}.{row.export} at {seconds(row.received)} {dict(row.resource)}"
                f" {row.scope} {what.name} {what.unit} {what.kind} {what.temporality}"
                f" {dict(row.attributes)} {point}"
            )
        return "\n".join(lines)


def seconds(time):
    return round((time - ORIGIN) / 1e9, 3)


def body(rows):
    message = ExportMetricsServiceRequest()
    for (_, resource, scope), export in groupby(
        rows, lambda row: (row.export, row.resource, row.scope)
    ):
        part = message.resource_metrics.add()
        add_attributes(part.resource.attributes, resource)
        in_scope = part.scope_metrics.add()
        in_scope.scope.name = scope
        for instrument, points in groupby(export, lambda row: row.instrument):
            add_metric(in_scope.metrics.add(), instrument, points)
    return message.SerializeToString()


def add_metric(metric, instrument, rows):
    metric.name, metric.unit = instrument.name, instrument.unit
    data = getattr(metric, instrument.kind)
    data.SetInParent()
    if instrument.kind in ("sum", "histogram", "exponential_histogram"):
        data.aggregation_temporality = TEMPORALITY[instrument.temporality]
    if instrument.kind == "sum":
        data.is_monotonic = instrument.monotonic
    for row in rows:
        point = data.data_points.add(**dict(row.point))
        add_attributes(point.attributes, row.attributes)


def add_attributes(attributes, pairs):
    for key, value in pairs:
        into = attributes.add(key=key).value
        if isinstance(value, bool):
            into.bool_value = value
        elif isinstance(value, int):
            into.int_value = value
        elif isinstance(value, float):
            into.double_value = value
        else:
            into.string_value = value
