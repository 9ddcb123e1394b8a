"""Cells: all streams of one destination and name, merged into the values of each minute."""

import math
from fractions import Fraction

import distributions
from minutes import Cell
from recording import DISTRIBUTIONS
from streams import MINUTE

QUANTILES = {"p90": Fraction(9, 10), "p95": Fraction(95, 100), "p99": Fraction(99, 100)}
REACHED = 1 - Fraction(1, 10**9)


# ---- totals


def was_watched(stream, minute):
    """Whether the covered spans, and the known zero before them, fill the minute."""
    reached = minute
    for begin, end in sorted(stream.known_zero + stream.covered.get(minute, [])):
        if begin <= reached < end:
            reached = end
    return reached >= minute + MINUTE


def rises_of(streams, minute):
    return [rise for stream in streams for rise in stream.rises.get(minute, [])]


def increase(streams, minute):
    rises = rises_of(streams, minute)
    return sum((r.count * r.share_in(minute) for r in rises), Fraction(0))


def total_values(streams, minute):
    """{statistic: value} of a cell of totals."""
    count = increase(streams, minute)
    values = {"rate": count / 60}
    if streams[0].metric.kind not in DISTRIBUTIONS:
        return values
    values.update(own_quantiles(streams, minute))
    if count <= 0:
        return values
    parts = [
        (rise, rise.share_in(minute))
        for rise in rises_of(streams, minute)
        if rise.share_in(minute) > 0
    ]
    if all(rise.sum is not None for rise, _ in parts if rise.count > 0):
        values["avg"] = sum((rise.sum or 0) * share for rise, share in parts) / count
    parts = [(rise, share) for rise, share in parts if rise.count > 0]
    if all(rise.exponential for rise, _ in parts):
        merged = distributions.merged([(rise.exponential, share) for rise, share in parts])
        found = {name: distributions.percentile(merged, q) for name, q in QUANTILES.items()}
        values.update((name, value) for name, value in found.items() if math.isfinite(value))
        return values
    layouts = {rise.bounds for rise, _ in parts}
    if len(layouts) == 1 and layouts != {None} and layouts != {()}:
        values.update(percentiles(layouts.pop(), parts))
    return values


def own_quantiles(streams, minute):
    """Of summaries, where no histogram has buckets beside them."""
    if any(r.count > 0 and (r.bounds or r.exponential) for r in rises_of(streams, minute)):
        return {}
    said = [stream for stream in streams if stream.metric.kind == "summary"]
    return distributions.quantiles(said, minute, minute + MINUTE)


def percentiles(bounds, parts):
    buckets = [
        sum(rise.buckets[i] * share for rise, share in parts) for i in range(len(bounds) + 1)
    ]
    return {name: percentile(bounds, buckets, q) for name, q in QUANTILES.items()}


def percentile(bounds, buckets, q):
    """Prometheus: linear inside the bucket that holds the rank; overflow gives the last bound."""
    rank = q * sum(buckets)
    before = Fraction(0)
    for index, count in enumerate(buckets):
        if count > 0 and before + count >= rank * REACHED:
            break
        before += count
    if index == len(bounds):
        return Fraction(bounds[-1])
    if index == 0 and bounds[0] <= 0:
        return Fraction(bounds[0])
    lower = Fraction(bounds[index - 1]) if index else Fraction(0)
    return lower + (Fraction(bounds[index]) - lower) * (rank - before) / buckets[index]


# ---- gauges and up-down counters


def gauge_of(stream, minute, streams):
    """The stream's value of the minute, or None."""
    end = minute + MINUTE
    index = stream.last_before(end)
    if index is None:
        return None
    if stream.times[index] >= minute:
        return stream.values[index]
    if stream.alive_at(end) and not replaced(stream, index, end, streams):
        return stream.values[index]
    return None


def replaced(stream, index, end, streams):
    """Another start of the same identity, later than the last point, has a point before the end."""
    return any(
        other is not stream
        and (other.metric, other.attributes) == (stream.metric, stream.attributes)
        and other.start > stream.times[index]
        and other.last_before(end) is not None
        for other in streams
    )


def gauge_value(streams, minute):
    """The merged value of a cell, or None."""
    end = minute + MINUTE
    held = [(stream, gauge_of(stream, minute, streams)) for stream in streams]
    held = [(stream, value) for stream, value in held if value is not None]
    living = [(stream, value) for stream, value in held if stream.alive_at(end)]
    values = [value for _, value in (living or held)]
    if not values:
        return None
    total = sum(values)
    return total if streams[0].metric.kind == "sum" else total / len(values)


# ---- the two kinds of cells


class TotalCell(Cell):
    def __init__(self, destination, table, name):
        super().__init__(destination, table)
        self.name = name

    def may_post(self, minute):
        """Not the part of a minute in which a running sender was first met."""
        if self.was_posted(minute - MINUTE):
            return True
        if any(was_watched(stream, minute) for stream in self.streams):
            return True
        beginnings = [time for stream in self.streams for time in stream.unknown_beginnings]
        return not any(minute < time <= minute + MINUTE for time in beginnings)

    def render(self, minute):
        values = total_values(self.streams, minute)
        return {f"{self.name}.{statistic}": value for statistic, value in values.items()}


class GaugeCell(Cell):
    reads_values = True
    waits = False

    def __init__(self, destination, table, name):
        super().__init__(destination, table)
        self.name = name

    def render(self, minute):
        value = gauge_value(self.streams, minute)
        return {} if value is None else {self.name: value}
