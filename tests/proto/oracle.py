"""What a batch must say about a message, computed from the official parser's tree.

The rules are written down here a second time, in another language and over another data structure
than the decoder's.
"""
import base64
import math
import struct
from fractions import Fraction

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest)

KINDS = {"gauge": 1, "sum": 2, "histogram": 3, "exponential_histogram": 4, "summary": 5}
WITH_TEMPORALITY = ("sum", "histogram", "exponential_histogram")
NO_RECORDED_VALUE = 1
MAX_BUCKETS = 65536


def bits(value):
    return struct.pack(">d", value).hex()


def json_value(value):
    """What the text of an array or a map must mean as JSON."""
    kind = value.WhichOneof("value")
    if kind == "double_value":
        number = value.double_value
        if math.isfinite(number):
            return number
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "array_value":
        return list(map(json_value, value.array_value.values))
    if kind == "kvlist_value":
        return {pair.key: json_value(pair.value) for pair in value.kvlist_value.values}
    return None if kind in (None, "string_value_strindex") else getattr(value, kind)


def attribute(pair):
    kind = pair.value.WhichOneof("value")
    value = pair.value
    facts = {
        "string_value": lambda: [1, value.string_value],
        "bool_value": lambda: [2, value.bool_value],
        "int_value": lambda: [3, str(value.int_value)],
        "double_value": lambda: [4, bits(value.double_value)],
        "array_value": lambda: [5, json_value(value)],
        "kvlist_value": lambda: [6, json_value(value)],
        "bytes_value": lambda: [7, value.bytes_value.hex()],
    }.get(kind, lambda: [0, None])()
    return [pair.key] + facts


def attributes(pairs):
    return [attribute(pair) for pair in pairs]


def identity_value(value):
    """Equal exactly for values that make the same stream: maps are sets, arrays are ordered."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return (kind, tuple(map(identity_value, value.array_value.values)))
    if kind == "kvlist_value":
        return (kind, identity_set(value.kvlist_value.values))
    if kind == "double_value":
        return (kind, bits(value.double_value))
    if kind in (None, "string_value_strindex"):
        return (None,)
    return (kind, getattr(value, kind))


def identity_set(pairs):
    return tuple(sorted((repr((pair.key, identity_value(pair.value))) for pair in pairs)))


def time_verdict(point):
    if point.time_unix_nano == 0:
        return "no_time"
    if point.start_time_unix_nano > point.time_unix_nano:
        return "start_after_time"
    return None


def number_verdict(point, delta_counter):
    kind = point.WhichOneof("value")
    if kind is None:
        return "no_value"
    value = getattr(point, kind)
    if kind == "as_double" and not math.isfinite(value):
        return "not_finite"
    return "negative_delta" if delta_counter and value < 0 else None


def sum_verdict(point):
    if not point.HasField("sum"):
        return None
    if not math.isfinite(point.sum):
        return "not_finite"
    return "bad_histogram" if point.count == 0 and point.sum != 0 else None


def histogram_verdict(point):
    counts, bounds = point.bucket_counts, point.explicit_bounds
    if len(counts) == 0 and len(bounds) == 0:
        return sum_verdict(point)
    rising = all(a < b for a, b in zip(bounds, bounds[1:]))
    if len(counts) != len(bounds) + 1 or sum(counts) != point.count:
        return "bad_histogram"
    if not rising or not all(map(math.isfinite, bounds)):
        return "bad_histogram"
    return sum_verdict(point)


def side_holds_doubles(side, scale):
    """Each bucket (base^i, base^(i+1)] that is not empty touches [2^-1074, 2^1024)."""
    per_power = Fraction(2) ** max(-5000, min(scale, 5000))
    return all(count == 0 or (side.offset + i < 1024 * per_power
                              and side.offset + i + 1 >= -1074 * per_power)
               for i, count in enumerate(side.bucket_counts))


def exponential_verdict(point):
    sides = (point.positive, point.negative)
    inside = sum(sum(side.bucket_counts) for side in sides)
    width = point.zero_threshold
    if (inside + point.zero_count != point.count or not math.isfinite(width) or width < 0
            or any(len(side.bucket_counts) > MAX_BUCKETS for side in sides)
            or not all(side_holds_doubles(side, point.scale) for side in sides)):
        return "bad_histogram"
    return sum_verdict(point)


def summary_verdict(point):
    quantiles = [quantile.quantile for quantile in point.quantile_values]
    if (not all(0 <= quantile <= 1 for quantile in quantiles)
            or not all(a < b for a, b in zip(quantiles, quantiles[1:]))
            or any(quantile.value < 0 for quantile in point.quantile_values)):
        return "bad_summary"
    if not math.isfinite(point.sum):
        return "not_finite"
    return "bad_summary" if point.count == 0 and point.sum != 0 else None


def point_verdict(kind, data, point):
    early = time_verdict(point)
    if early or point.flags & NO_RECORDED_VALUE:
        return early
    if kind in ("gauge", "sum"):
        return number_verdict(point, kind == "sum" and data.is_monotonic
                              and data.aggregation_temporality == 1)
    return {"histogram": histogram_verdict, "exponential_histogram": exponential_verdict,
            "summary": summary_verdict}[kind](point)


def point_facts(kind, point):
    flagged = point.flags & NO_RECORDED_VALUE
    facts = {"start": point.start_time_unix_nano, "time": point.time_unix_nano,
             "flags": flagged, "attributes": attributes(point.attributes)}
    if kind in ("gauge", "sum"):
        member = None if flagged else point.WhichOneof("value")
        facts["type"] = {None: 0, "as_int": 1, "as_double": 2}[member]
        if member:
            facts["value"] = point.as_int if member == "as_int" else bits(point.as_double)
        return facts
    facts["count"] = 0 if flagged else point.count
    if kind == "summary":
        facts["sum"] = bits(0.0 if flagged else point.sum)
        facts["quantiles"] = [] if flagged else [
            [bits(quantile.quantile), bits(quantile.value)] for quantile in point.quantile_values]
        return facts
    for name in ("sum", "min", "max"):
        if point.HasField(name) and not flagged:
            facts[name] = bits(getattr(point, name))
    if kind == "exponential_histogram":
        facts.update(exponential_facts(type(point)() if flagged else point))
    else:
        facts["buckets"] = [] if flagged else list(point.bucket_counts)
        facts["bounds"] = [] if flagged else list(map(bits, point.explicit_bounds))
    return facts


def exponential_facts(point):
    def side(buckets):
        return [len(buckets.bucket_counts),
                [[buckets.offset + i, count]
                 for i, count in enumerate(buckets.bucket_counts) if count]]

    return {"zero_threshold": bits(point.zero_threshold), "zero_count": point.zero_count,
            "scale": point.scale, "positive": side(point.positive),
            "negative": side(point.negative)}


def metric_facts(kind, data, metric):
    temporality = data.aggregation_temporality if kind in WITH_TEMPORALITY else 0
    return {"kind": KINDS[kind], "temporality": temporality, "name": metric.name,
            "monotonic": kind == "sum" and data.is_monotonic, "unit": metric.unit,
            "description": metric.description}


def metric_verdict(kind, data, metric):
    if metric.name == "":
        return "no_name"
    if kind in WITH_TEMPORALITY and data.aggregation_temporality not in (1, 2):
        return "no_temporality"
    return None


class Expectation:
    """Counts, points, and the identity of each point's stream."""

    def __init__(self, body):
        self.total = self.unknown = 0
        self.refused = {}
        self.points, self.identities = [], []
        for resource_metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    self.take(resource_metrics.resource, scope_metrics.scope, metric)

    def take(self, resource, scope, metric):
        kind = metric.WhichOneof("data")
        if kind is None:
            self.unknown += 1
            return
        data = getattr(metric, kind)
        shared = metric_facts(kind, data, metric)
        shared.update(scope=scope.name, version=scope.version,
                      resource=attributes(resource.attributes),
                      scope_attributes=attributes(scope.attributes))
        family = (identity_set(resource.attributes), scope.name, scope.version,
                  identity_set(scope.attributes), metric.name, metric.unit, kind,
                  shared["temporality"], shared["monotonic"])
        for point in data.data_points:
            self.total += 1
            verdict = metric_verdict(kind, data, metric) or point_verdict(kind, data, point)
            if verdict:
                self.refused[verdict] = self.refused.get(verdict, 0) + 1
                continue
            self.points.append({**shared, **point_facts(kind, point)})
            self.identities.append((family, identity_set(point.attributes)))
