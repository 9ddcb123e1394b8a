"""Reads a recording: what arrived, when, as plain points.

A recording is a folder with meta.json (the requests in order) and one body per request. Bodies are
decoded with the official classes of the PyPI package opentelemetry-proto, so that nothing here
shares code, tables or ideas with the decoder under test.
"""

import gzip
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import distributions
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2

DISTRIBUTIONS = ("histogram", "exponential", "summary")
PROTOBUF = ("application/x-protobuf", "application/grpc")
TEMPORALITY = {1: "delta", 2: "cumulative"}
NO_RECORDED_VALUE = 1


@dataclass(frozen=True)
class Request:
    path: Path
    received: int  # ns since 1970
    coding: str  # "identity" or "gzip", what the file on disk holds
    is_protobuf: bool


@dataclass(frozen=True)
class Metric:
    """What all points of one metric in one resource and scope share; it is their identity."""

    resource: frozenset  # attributes as (key, value) pairs
    scope: tuple  # name, version, attributes
    name: str
    unit: str
    kind: str  # gauge, sum, histogram, exponential, summary
    temporality: str  # delta, cumulative or ""
    monotonic: bool

    @property
    def source(self):
        return self.resource, self.scope

    @property
    def family(self):
        return self.resource, self.scope, self.name, self.unit, self.kind

    def resource_attribute(self, key):
        """The attribute as text, or None where it is missing or empty."""
        return attribute_text(self.resource, key)


@dataclass(frozen=True)
class Point:
    metric: Metric
    attributes: frozenset
    start: int
    time: int
    received: int
    no_recorded_value: bool
    value: object  # Fraction, a distribution, None (no value), or "not finite"
    extremes: tuple = None  # least and greatest, of distributions that say both

    def attribute(self, *keys):
        for key in keys:
            text = attribute_text(self.attributes, key)
            if text is not None:
                return text
        return None


@dataclass(frozen=True)
class Histogram:
    count: Fraction
    sum: object  # Fraction or None
    bounds: tuple
    buckets: tuple  # empty where the sender has no bounds


def attribute_text(attributes, key):
    for name, (kind, value) in attributes:
        if name == key and value != "":
            return str(value)
    return None


def requests(folder):
    """The requests of a recording in the order in which they arrived."""
    meta = json.loads((folder / "meta.json").read_text())
    found = []
    for entry in meta["requests"]:
        headers = entry.get("headers", {})
        coding = entry.get("content_encoding") or headers.get("content-encoding") or "identity"
        if entry["transport"] == "grpc":
            coding = "identity"  # recorded without frame and compression
        found.append(
            Request(
                folder / entry["file"],
                entry["received_unix_nano"],
                coding,
                entry["content_type"] in PROTOBUF,
            )
        )
    return sorted(found, key=lambda request: request.received)


def body(request):
    raw = request.path.read_bytes()
    return gzip.decompress(raw) if request.coding == "gzip" else raw


def decode(body_bytes, received):
    """The points of one request in wire order."""
    for export in exports(body_bytes, received):
        yield from export


def exports(body_bytes, received):
    """The points of one request, a list for each resource and scope as the message has them.

    A collector that batches puts several exports of one sender into a request, one after another.
    """
    message = ExportMetricsServiceRequest.FromString(body_bytes)
    for resource_metrics in message.resource_metrics:
        resource = attribute_set(resource_metrics.resource.attributes)
        for scope_metrics in resource_metrics.scope_metrics:
            scope = scope_metrics.scope
            scope_key = scope.name, scope.version, attribute_set(scope.attributes)
            yield [
                point
                for metric in scope_metrics.metrics
                for point in metric_points(metric, resource, scope_key, received)
            ]


def metric_points(metric, resource, scope, received):
    field = metric.WhichOneof("data")
    if field is None:
        return
    data = getattr(metric, field)
    kind = "exponential" if field == "exponential_histogram" else field
    shared = Metric(
        resource,
        scope,
        metric.name,
        metric.unit,
        kind,
        "cumulative"
        if kind == "summary"
        else TEMPORALITY.get(getattr(data, "aggregation_temporality", 0), ""),
        bool(getattr(data, "is_monotonic", False)),
    )
    for point in data.data_points:
        yield Point(
            shared,
            attribute_set(point.attributes),
            point.start_time_unix_nano,
            point.time_unix_nano,
            received,
            bool(point.flags & NO_RECORDED_VALUE),
            point_value(point),
            extremes(point),
        )


def point_value(point):
    if isinstance(point, metrics_pb2.NumberDataPoint):
        field = point.WhichOneof("value")
        return None if field is None else exact(getattr(point, field))
    if isinstance(point, metrics_pb2.HistogramDataPoint):
        return Histogram(
            Fraction(point.count),
            exact(point.sum) if point.HasField("sum") else None,
            tuple(point.explicit_bounds),
            tuple(Fraction(count) for count in point.bucket_counts),
        )
    total = exact(point.sum)
    if isinstance(point, metrics_pb2.SummaryDataPoint):
        return distributions.read_summary(point, total)
    return distributions.read_exponential(point, total if point.HasField("sum") else None)


def extremes(point):
    is_distribution = not isinstance(
        point, (metrics_pb2.NumberDataPoint, metrics_pb2.SummaryDataPoint)
    )
    if is_distribution and point.HasField("min") and point.HasField("max"):
        return exact(point.min), exact(point.max)
    return None


def exact(number):
    """Fractions keep every sum and difference free of rounding."""
    if isinstance(number, float) and (number != number or number in (float("inf"), -float("inf"))):
        return "not finite"
    return Fraction(number)


def attribute_set(attributes):
    return frozenset((each.key, any_value(each.value)) for each in attributes)


def any_value(value):
    """(type, value), so that 1 and "1" are different and lists can be members of a set."""
    field = value.WhichOneof("value")
    if field is None:
        return "empty", ""
    held = getattr(value, field)
    if field == "array_value":
        return field, tuple(any_value(each) for each in held.values)
    if field == "kvlist_value":
        return field, attribute_set(held.values)
    if field == "double_value":
        return field, repr(held)
    if field == "bool_value":
        return field, "true" if held else "false"
    return field, held
