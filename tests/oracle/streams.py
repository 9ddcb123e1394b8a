"""Streams: which points count, and from when to when what they say is spread.

A total (monotonic sum, histogram, delta sum) becomes a list of rises: so much, evenly, in
(begin, end]. Covered spans tell what was watched. A gauge keeps its points as they are. Everything
is known only once it has arrived: a stream holds what came until now, nothing of what will come.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Optional

from distributions import Exponential, as_window, is_window
from distributions import rise as risen
from recording import DISTRIBUTIONS, Histogram, Metric
from routing import SINCE_BOOT_FAMILIES

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MAX_STARTS = 8
FORGOTTEN = 45 * MINUTE  # what comes so late may have been counted before, and been evicted since
PARTS_OF_AN_EXPORT = SECOND // 2  # so close to each other are the reports of its parts


@dataclass
class Rise:
    begin: int
    end: int  # equal to begin: all of it at this instant
    count: Fraction  # the increase of a sum, or of a histogram's count
    sum: Optional[Fraction] = None
    bounds: Optional[tuple] = None  # of a histogram; None where no percentile can be told
    buckets: tuple = ()
    exponential: object = None  # buckets of that kind
    open_part: Fraction = Fraction(1)  # of it lies in minutes that are open
    minutes: tuple = ()  # these
    extremes: Optional[tuple] = None  # least and greatest of a delta window

    def share_in(self, minute):
        """How much of it counts in an open minute; what lies in others is spread over these."""
        return self.lies_in(minute) / self.open_part

    def lies_in(self, minute):
        """An instant on the end belongs to it."""
        end = minute + MINUTE
        if self.begin == self.end:
            return Fraction(1 if minute < self.end <= end else 0)
        overlap = min(self.end, end) - max(self.begin, minute)
        return Fraction(max(overlap, 0), self.end - self.begin)


@dataclass
class Stream:
    metric: Metric
    attributes: frozenset
    start: int
    times: list = field(default_factory=list)  # of the points taken, rising
    values: list = field(default_factory=list)  # beside times
    rises: dict = field(default_factory=dict)  # minute -> rises that touch it
    covered: dict = field(default_factory=dict)  # minute -> (from, to) spans that were watched
    unknown_beginnings: list = field(default_factory=list)  # times of baselines
    known_zero: list = field(default_factory=list)  # (from, to): provably nothing, but no data
    ended: list = field(default_factory=list)  # times of NoRecordedValue
    cells: list = field(default_factory=list)  # whom it feeds
    paces: list = field(default_factory=list)  # times of points that were its newest when they came
    ends: dict = field(default_factory=dict)  # time of a report of its source -> of its own point
    first_begin: int = 0  # of a delta stream's windows
    evicted: bool = False
    filtered: bool = False  # by a rule: as if it had not come

    def add(self, point):
        """Takes the point; cells that read values hear of it first."""
        for cell in self.cells:
            if cell.reads_values:
                cell.touch(minutes_of_value(self, point.time), point.received)
        if not self.times or point.time > self.last_time:
            self.paces.append(point.time)
        place = bisect_left(self.times, point.time)
        self.times.insert(place, point.time)
        self.values.insert(place, point.value)

    def cover(self, begin, end, now, rise=None):
        """The span (begin, end] was watched, and what rose in it; the cells hear of it first."""
        minutes = self.open_minutes(begin, end, now)
        for cell in self.cells:
            if not cell.reads_values:
                cell.touch(minutes, now)
        for minute in minutes:
            self.covered.setdefault(minute, []).append((begin, end))
            if rise:
                self.rises.setdefault(minute, []).append(rise)

    def open_minutes(self, begin, end, now):
        minutes = minutes_of_span(begin, end)
        return [m for m in minutes if all(cell.is_open(m, now) for cell in self.cells)]

    @property
    def last_time(self):
        return self.times[-1] if self.times else None

    @property
    def interval(self):
        """A late point says nothing about how often the sender reports."""
        return interval(self.paces)

    @property
    def has_ended(self):
        return bool(self.ended) and (not self.times or self.ended[-1] >= self.last_time)

    def last_before(self, when):
        """Index of the last point before an instant, or None."""
        index = bisect_left(self.times, when) - 1
        return index if index >= 0 else None

    def alive_at(self, when):
        """Alive at an instant, by the interval that is known now."""
        index = self.last_before(when)
        if index is None:
            return False
        last = self.times[index]
        if any(last < ended < when for ended in self.ended):
            return False
        return when - last <= longest_silence(self.interval)


def minutes_of_span(begin, end):
    """Minutes (ns of their start) of which (begin, end] covers a part."""
    if begin == end:
        begin -= 1  # an instant on a boundary belongs to the minute that ends there
    return [number * MINUTE for number in range(begin // MINUTE, (end - 1) // MINUTE + 1)]


def interval(times):
    """The middle one of the last three gaps, the shorter of two, 60 s while there is one point."""
    last = times[-4:]
    gaps = sorted(b - a for a, b in zip(last, last[1:]))
    if not gaps:
        return MINUTE
    return gaps[1] if len(gaps) == 3 else gaps[0]


def longest_silence(interval_ns):
    return min(Fraction(5, 4) * interval_ns, Fraction(25, 4) * MINUTE)


class StreamTable:
    """All streams, fed in the order of arrival. `attach` gives a new stream its cells."""

    def __init__(self, watch_start, attach):
        self.watch_start = watch_start
        self.attach = attach
        self.streams = {}
        self.starts = {}  # identity without start -> starts
        self.families_with_eviction = set()
        self.families_of_windows = set()  # summaries that count each interval anew
        self.family_times = {}  # (family, start) -> times of points taken
        self.reports = {}  # (resource, scope) -> times at which it reported, rising
        self.windows = {}  # (resource and scope, time of a report) -> since when its windows reach
        self.report_before = {}  # (resource, scope) -> the one before the latest
        self.delta_streams = {}  # (resource, scope) -> its delta streams
        self.newest_time = 0  # of all points
        self.heard = {}  # (resource, scope) -> when its last report was received
        self.reasons = Counter()
        self.late_points = []

    def evict_idle(self, now):
        """By point times, not by the clock: a queue that is replayed in order was never idle.

        By those of its own source while that was heard within the hour, else by the newest of all.
        """
        for (identity, start), stream in list(self.streams.items()):
            source = stream.metric.source
            newest = self.newest_time
            if now - self.heard.get(source, 0) <= HOUR:
                newest = self.reports[source][-1]
            if stream.times and newest - stream.last_time > max(HOUR, 3 * stream.interval):
                stream.evicted = True
                self.families_with_eviction.add(stream.metric.family)
                self.starts[identity].remove(start)
                del self.streams[identity, start]

    def count(self, stream, reason):
        """Only where the point would have fed a cell: the oracle keeps no books of routes."""
        if stream.cells:
            self.reasons[reason] += 1

    def take(self, point, report_time):
        """One point of an export whose newest point has that time."""
        if point.no_recorded_value and not self.knows(point):
            return
        point = self.as_its_senders_mean_it(point)
        stream = self.stream_of(point)
        if stream is None:
            self.reasons["start_churn"] += 1
            return
        if point.no_recorded_value:
            stream.ended.append(point.time)
            self.count(stream, "stale_marker")
            return
        if is_delta_total(point.metric):
            self.take_delta(stream, point)
            stream.ends[report_time] = point.time
        elif is_total(point.metric):
            self.take_cumulative(stream, point)
        elif point.metric.name == "system.cpu.utilization":
            self.take_share(stream, point)
        else:
            self.take_gauge(stream, point)
        if not stream.filtered:
            times = self.family_times.setdefault((point.metric.family, point.start), set())
            times.add(point.time)

    def knows(self, point):
        return key_of(point) in self.streams

    def as_its_senders_mean_it(self, point):
        if point.metric.kind != "summary":
            return point
        identity = point.metric, point.attributes
        known = [self.streams[identity, start] for start in self.starts.get(identity, [])]
        if is_window(point, known):
            self.families_of_windows.add(point.metric.family)
        return as_window(point) if point.metric.family in self.families_of_windows else point

    def stream_of(self, point):
        identity, start = key_of(point)
        starts = self.starts.setdefault(identity, [])
        if start not in starts:
            alive = [s for s in starts if self.streams[identity, s].alive_at(point.time)]
            if len(alive) >= MAX_STARTS:
                return None
            starts.append(start)
            stream = Stream(point.metric, point.attributes, start)
            self.streams[identity, start] = stream
            self.attach(stream)
            if is_delta_total(point.metric):
                self.delta_streams.setdefault(point.metric.source, []).append(stream)
        return self.streams[identity, start]

    def drop_late(self, stream, point):
        self.count(stream, "late")
        self.late_points.append(point)

    # ---- gauges

    def take_gauge(self, stream, point):
        """Of two points of one time the first one counts."""
        if point.time in stream.times:
            said = stream.values[stream.times.index(point.time)]
            self.count(stream, "duplicate" if said == point.value else "out_of_order")
            return
        minute = point.time // MINUTE * MINUTE
        if not all(cell.is_open(minute, point.received) for cell in stream.cells):
            self.drop_late(stream, point)
            return
        stream.add(point)

    def take_share(self, stream, point):
        """A share of the time since the point before: seconds, where a cell reads increases."""
        is_read = any(not cell.reads_values for cell in stream.cells)
        last = stream.last_time
        is_alive = last is not None and stream.alive_at(point.time)
        if is_read and is_alive and point.time > last:
            seconds = point.value * Fraction(point.time - last, SECOND)
            self.book(stream, Rise(last, point.time, seconds), point)
        elif is_read and not is_alive:
            stream.unknown_beginnings.append(point.time)
            self.count(stream, "baseline")
        self.take_gauge(stream, point)

    # ---- cumulative totals

    def take_cumulative(self, stream, point):
        if not stream.times or stream.has_ended:
            self.first_cumulative(stream, point)
        elif point.time <= stream.last_time:
            says_the_same = point.value == stream.values[-1]
            self.count(stream, "duplicate" if says_the_same else "out_of_order")
            return
        elif point.time - stream.last_time > max(HOUR, 3 * stream.interval):
            stream.unknown_beginnings.append(point.time)
            self.count(stream, "gap")
        elif fell(stream.values[-1], point.value):
            if point.start == 0:
                self.rise(stream, stream.last_time, point)
            else:
                self.count(stream, "fell")
        else:
            self.rise(stream, stream.last_time, point, stream.values[-1])
        stream.add(point)

    def rise(self, stream, begin, point, since=None):
        self.book(stream, difference(begin, point.time, point.value, since), point)

    def book(self, stream, rise, point):
        begin = rise.begin
        minutes = stream.open_minutes(begin, point.time, point.received)
        rise.minutes = tuple(minutes)
        rise.extremes = point.extremes if is_delta_total(point.metric) else None
        rise.open_part = sum(rise.lies_in(minute) for minute in minutes)
        if rise.open_part == 0:
            self.drop_late(stream, point)
        else:
            stream.cover(begin, point.time, point.received, rise)

    def first_cumulative(self, stream, point):
        rises_from = None if stream.times else self.provable_beginning(point)
        if rises_from is None:
            stream.unknown_beginnings.append(point.time)
            self.count(stream, "baseline")
            return
        siblings = self.sibling_exports(point)
        stream.known_zero.append((0, rises_from))
        is_since_boot = point.time - point.start < SECOND and count_of(point.value) > 100
        if is_since_boot and not siblings:
            if rises_from < point.time:
                stream.cover(rises_from, point.time, point.received)
            self.count(stream, "since_boot")
        else:
            self.rise(stream, rises_from, point)

    def provable_beginning(self, point):
        """When the total was provably zero, or None: the first point is a baseline."""
        if not is_young_kind(point.metric):
            return None
        siblings = self.sibling_exports(point)
        if siblings:
            return siblings[-1]
        if point.received - point.time > FORGOTTEN:
            return None
        if point.start > self.watch_start and 0 <= point.time - point.start <= 10 * MINUTE:
            return point.start
        return None

    def sibling_exports(self, point):
        """Two or more times at which others of the family and start reported and this did not."""
        if point.start == 0 or point.metric.family in self.families_with_eviction:
            return []
        times = self.family_times.get((point.metric.family, point.start), set())
        earlier = sorted(time for time in times if time < point.time)
        return earlier if len(earlier) >= 2 else []

    # ---- delta totals

    def take_delta(self, stream, point):
        is_first = not stream.times
        begin = point.start or (stream.last_time if stream.times else point.time)
        begin = min(max(begin, point.time - DAY), point.time)
        if is_first or begin < stream.first_begin:
            self.begin_delta(stream, point, begin)
        if is_first and begin == point.time and point.start and is_since_boot_family(point.metric):
            self.count(stream, "since_boot")
        else:
            self.rise(stream, begin, point)
        if is_first or point.time > stream.last_time:
            stream.add(point)
        if is_first:  # it may come so late that its source has reported since
            known = self.reports.get(point.metric.source, [])
            self.cover_silence(stream, range(1, len(known)), point.received)

    def begin_delta(self, stream, point, begin):
        """The stream's first window, or a late one that lies before it."""
        stream.first_begin = begin
        reports = [time for time in self.reports.get(point.metric.source, []) if time < point.time]
        if not point.start or begin > self.watch_start:
            stream.known_zero, stream.unknown_beginnings = [(0, begin)], []
        else:
            known_since = min([begin, *reports])
            stream.known_zero, stream.unknown_beginnings = [(known_since, begin)], [known_since]

    def reported(self, source, time, since, now):
        """Resource and scope reported: delta streams of it that say nothing mean zero.

        `since`: the beginning of its delta windows, or 0.
        """
        self.heard[source] = now
        self.newest_time = max(self.newest_time, time)
        times = self.reports.setdefault(source, [])
        place = bisect_left(times, time)
        if times[place : place + 1] == [time]:
            return
        if since:
            self.windows[source, time] = since
        if times and time > times[-1] + PARTS_OF_AN_EXPORT:
            self.report_before[source] = times[-1]
        times.insert(place, time)
        for stream in self.delta_streams.get(source, []):
            if stream.evicted:
                continue
            self.cover_silence(stream, (place, place + 1), now)

    def cover_silence(self, stream, indices, now):
        """Between the reports of its source that come before these."""
        times = self.reports.get(stream.metric.source, [])
        for index in indices:
            if self.is_silent_span(stream, times, index):
                earlier, later = times[index - 1 : index + 1]
                stream.cover(stream.ends.get(earlier, earlier), later, now)

    def is_silent_span(self, stream, reports, index):
        """Whether nothing between two successive reports means zero."""
        if not 1 <= index < len(reports) or not stream.times:
            return False
        earlier, later = reports[index - 1], reports[index]
        ended = any(
            time <= later and not any(time < own <= earlier for own in stream.times)
            for time in stream.ended
        )
        allowed = longest_silence(interval(reports[:index]))
        joins = self.windows.get((stream.metric.source, later), later) <= earlier
        is_near = joins or later - earlier <= allowed
        return earlier >= stream.times[0] and is_near and not ended

    def complete_until(self, stream):
        """Until when nothing more is to come of a stream that says what it has to say in order.

        The parts of an export may come in several requests. So a silent delta stream has said
        everything until the report before its source's latest one.
        """
        if is_delta_total(stream.metric):
            return max(stream.last_time, self.report_before.get(stream.metric.source, 0))
        return stream.last_time

    def has_reached(self, stream, when):
        """A delta stream has reached what its resource and scope have reached."""
        if is_delta_total(stream.metric):
            reported = self.reports.get(stream.metric.source, [0])[-1]
            return max(reported, stream.last_time or 0) >= when
        return stream.last_time is not None and stream.last_time >= when


def key_of(point):
    """Identity, and of cumulative data the start time beside it."""
    start = point.start if point.metric.temporality == "cumulative" else 0
    return (point.metric, point.attributes), start


def minutes_of_value(stream, time):
    """Minutes whose value a gauge's point can be: its own, those it is carried to, and the one in
    which the next point lies, whose start is between the two."""
    place = bisect_left(stream.times, time)
    first, last = time // MINUTE, time // MINUTE + 7  # alive for at most 6.25 min
    if place < len(stream.times):
        last = min(last, stream.times[place] // MINUTE)
    return [number * MINUTE for number in range(first, last + 1)]


def difference(begin, end, value, since=None):
    if isinstance(value, Fraction):
        return Rise(begin, end, value - (since or 0))
    if not isinstance(value, Histogram):
        return other_difference(begin, end, value, since)
    bounds, buckets, total = value.bounds, value.buckets, value.sum
    if since is not None and since.bounds != bounds:
        bounds = None  # percentiles cannot be told for what spans the change
    elif since is not None:
        buckets = tuple(new - old for new, old in zip(buckets, since.buckets))
    if since is not None and total is not None:
        total = None if since.sum is None else total - since.sum
    count = value.count - (since.count if since else 0)
    return Rise(begin, end, count, total, bounds, buckets if bounds else ())


def other_difference(begin, end, value, since):
    count, total = value.count - (since.count if since else 0), value.sum
    if since is not None and total is not None:
        total = None if since.sum is None else total - since.sum
    rise = Rise(begin, end, count, total)
    if isinstance(value, Exponential):
        rise.exponential = risen(value, since) if since else value
    return rise


def fell(old, new):
    if isinstance(new, Fraction):
        return new < old
    if new.count < old.count:
        return True
    if isinstance(new, Exponential):
        return risen(new, old) is None
    if not isinstance(new, Histogram):
        return False
    return new.bounds == old.bounds and any(n < o for n, o in zip(new.buckets, old.buckets))


def count_of(value):
    return value if isinstance(value, Fraction) else value.count


def is_total(metric):
    rises = metric.kind == "sum" and metric.monotonic
    return metric.kind in DISTRIBUTIONS or rises or is_delta_total(metric)


def is_delta_total(metric):
    return metric.temporality == "delta"


def is_since_boot_family(metric):
    return metric.name.startswith(SINCE_BOOT_FAMILIES)


def is_young_kind(metric):
    made_by_sdk = metric.resource_attribute("telemetry.sdk.language") is not None
    return made_by_sdk and not is_since_boot_family(metric)
