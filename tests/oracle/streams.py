"""Streams: which points count, and from when to when what they say is spread.

A total (monotonic sum, histogram, delta sum) becomes a list of rises: so much, evenly, in
(begin, end]. Covered spans tell what was watched. A gauge keeps its points as they are.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Optional

from recording import Histogram, Metric
from routing import SINCE_BOOT_FAMILIES

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
GRACE = 15 * SECOND  # a minute of gauges closes so long after its end
MAX_STARTS = 8


@dataclass
class Rise:
    begin: int
    end: int  # equal to begin: all of it at this instant
    count: Fraction  # the increase of a sum, or of a histogram's count
    sum: Optional[Fraction] = None
    bounds: Optional[tuple] = None  # of a histogram; None where no percentile can be told
    buckets: tuple = ()

    @property
    def is_histogram(self):
        return self.bounds is not None or self.sum is not None


@dataclass
class Stream:
    metric: Metric
    attributes: frozenset
    start: int
    first_received: int
    times: list = field(default_factory=list)  # of the points taken, rising
    values: list = field(default_factory=list)  # beside times
    arrivals: list = field(default_factory=list)  # beside times, when each was received
    rises: list = field(default_factory=list)
    covered: list = field(default_factory=list)  # (from, to) spans that were watched
    unknown_beginnings: list = field(default_factory=list)  # times of baselines
    known_zero: list = field(default_factory=list)  # (from, to): provably nothing, but no data
    ended: list = field(default_factory=list)  # times of NoRecordedValue

    def add(self, point, place=None):
        place = len(self.times) if place is None else place
        self.times.insert(place, point.time)
        self.values.insert(place, point.value)
        self.arrivals.insert(place, point.received)

    @property
    def last_time(self):
        return self.times[-1] if self.times else None

    def interval_known(self, when):
        """The interval from the points that had arrived by then."""
        return interval([t for t, received in zip(self.times, self.arrivals) if received <= when])

    def last_before(self, when):
        """Index of the last point before an instant, or None."""
        earlier = [index for index, time in enumerate(self.times) if time < when]
        return earlier[-1] if earlier else None

    def alive_at(self, when, known=None):
        """Alive at an instant, by the interval that is known later, when a minute closes."""
        index = self.last_before(when)
        if index is None:
            return False
        last = self.times[index]
        if any(last < ended < when for ended in self.ended):
            return False
        return when - last <= longest_silence(self.interval_known(known or when))


def interval(times):
    """The middle one of the last three gaps, the shorter of two, 60 s while there is one point."""
    gaps = sorted(b - a for a, b in list(zip(times, times[1:]))[-3:])
    if not gaps:
        return MINUTE
    return gaps[1] if len(gaps) == 3 else gaps[0]


def longest_silence(interval_ns):
    return min(Fraction(5, 4) * interval_ns, Fraction(25, 4) * MINUTE)


class StreamTable:
    """All streams of a recording, fed in the order of arrival."""

    def __init__(self, watch_start):
        self.watch_start = watch_start
        self.streams = {}
        self.starts = {}  # identity without start -> starts
        self.family_times = {}  # (family, start) -> times of points taken
        self.reports = {}  # (resource, scope) -> times at which it reported

    def reported(self, source, time):
        times = self.reports.setdefault(source, [])
        if not times or time > times[-1]:
            times.append(time)

    def take(self, point):
        stream = self.stream_of(point)
        if stream is None:
            return
        if point.no_recorded_value:
            stream.ended.append(point.time)
            return
        if is_delta_total(point.metric):
            self.take_delta(stream, point)
        elif is_total(point.metric):
            self.take_cumulative(stream, point)
        else:
            take_gauge(stream, point)
        times = self.family_times.setdefault((point.metric.family, point.start), set())
        times.add(point.time)

    def stream_of(self, point):
        identity = point.metric, point.attributes
        start = point.start if point.metric.temporality == "cumulative" else 0
        starts = self.starts.setdefault(identity, [])
        if start not in starts:
            alive = [s for s in starts if self.streams[identity, s].alive_at(point.time)]
            if len(alive) >= MAX_STARTS:
                return None
            starts.append(start)
            self.streams[identity, start] = Stream(
                point.metric, point.attributes, start, point.received
            )
        return self.streams[identity, start]

    # ---- cumulative totals

    def take_cumulative(self, stream, point):
        if not stream.times or (stream.ended and stream.ended[-1] >= stream.last_time):
            self.first_cumulative(stream, point)
        elif point.time <= stream.last_time:
            return  # duplicate or out of order
        elif point.time - stream.last_time > max(HOUR, 3 * interval(stream.times)):
            stream.unknown_beginnings.append(point.time)  # gap
        elif fell(stream.values[-1], point.value):
            if point.start == 0:
                add_rise(stream, stream.last_time, point.time, point.value)
        else:
            add_rise(stream, stream.last_time, point.time, point.value, stream.values[-1])
        stream.add(point)

    def first_cumulative(self, stream, point):
        rises_from = None if stream.times else self.provable_beginning(point)
        if rises_from is None:
            stream.unknown_beginnings.append(point.time)
            return
        siblings = self.sibling_exports(point)
        stream.known_zero.append((0, rises_from))
        is_since_boot = point.time - point.start < SECOND and count_of(point.value) > 100
        if is_since_boot and not siblings:
            stream.covered.append((rises_from, point.time))
        else:
            add_rise(stream, rises_from, point.time, point.value)

    def provable_beginning(self, point):
        """When the total was provably zero, or None: the first point is a baseline."""
        if not is_young_kind(point.metric):
            return None
        siblings = self.sibling_exports(point)
        if siblings:
            return siblings[-1]
        if point.start > self.watch_start and 0 <= point.time - point.start <= 10 * MINUTE:
            return point.start
        return None

    def sibling_exports(self, point):
        """Two or more times at which others of the family and start reported and this did not."""
        if point.start == 0:
            return []
        times = self.family_times.get((point.metric.family, point.start), set())
        earlier = sorted(time for time in times if time < point.time)
        return earlier if len(earlier) >= 2 else []

    # ---- delta totals

    def take_delta(self, stream, point):
        is_first = not stream.times
        begin = point.start or (stream.last_time if stream.times else point.time)
        begin = min(max(begin, point.time - 24 * HOUR), point.time)
        if is_first:
            self.first_delta(stream, point, begin)
        if is_first and begin == point.time and point.start and is_since_boot_family(point.metric):
            stream.covered.append((begin, point.time))
        else:
            add_rise(stream, begin, point.time, point.value)
        if is_first or point.time > stream.last_time:
            stream.add(point)

    def first_delta(self, stream, point, begin):
        reports = [time for time in self.reports.get(point.metric.source, []) if time < point.time]
        if not point.start or begin > self.watch_start:
            stream.known_zero.append((0, begin))
        else:
            known_since = min([begin, *reports])
            stream.known_zero.append((known_since, begin))
            stream.unknown_beginnings.append(known_since)

    def cover_silent_delta_streams(self):
        """Where its resource and scope report, a delta stream that says nothing means zero."""
        for stream in self.streams.values():
            if is_delta_total(stream.metric):
                stream.covered += silent_spans(stream, self.reports[stream.metric.source])


def silent_spans(stream, reports):
    spans = []
    for index in range(1, len(reports)):
        earlier, later = reports[index - 1], reports[index]
        allowed = longest_silence(interval(reports[:index]))
        ended = any(earlier < time <= later for time in stream.ended)
        if earlier >= stream.times[0] and later - earlier <= allowed and not ended:
            spans.append((earlier, later))
    return spans


def take_gauge(stream, point):
    """Kept in the order of time; of two points of one time the first one counts."""
    if point.time in stream.times:
        return
    place = len([time for time in stream.times if time < point.time])
    stream.add(point, place)


def add_rise(stream, begin, end, value, since=None):
    stream.covered.append((begin, end))
    if not isinstance(value, Histogram):
        stream.rises.append(Rise(begin, end, value - (since or 0)))
        return
    bounds, buckets, total = value.bounds, value.buckets, value.sum
    if since is not None and since.bounds != bounds:
        bounds = None  # percentiles cannot be told for what spans the change
    elif since is not None:
        buckets = tuple(new - old for new, old in zip(buckets, since.buckets))
    if since is not None and total is not None:
        total = None if since.sum is None else total - since.sum
    count = value.count - (since.count if since else 0)
    stream.rises.append(Rise(begin, end, count, total, bounds, buckets if bounds else ()))


def fell(old, new):
    if not isinstance(new, Histogram):
        return new < old
    if new.count < old.count:
        return True
    return new.bounds == old.bounds and any(n < o for n, o in zip(new.buckets, old.buckets))


def count_of(value):
    return value.count if isinstance(value, Histogram) else value


def is_total(metric):
    rises = metric.kind == "sum" and metric.monotonic
    return metric.kind == "histogram" or rises or is_delta_total(metric)


def is_delta_total(metric):
    return metric.temporality == "delta"


def is_since_boot_family(metric):
    return metric.name.startswith(SINCE_BOOT_FAMILIES)


def is_young_kind(metric):
    made_by_sdk = metric.resource_attribute("telemetry.sdk.language") is not None
    return made_by_sdk and not is_since_boot_family(metric)
