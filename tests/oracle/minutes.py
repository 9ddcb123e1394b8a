"""The minutes of a cell: when they close, what corrects them, and when they are final.

A cell hears of a minute (`touch`) before the stream that feeds it changes: whether the minute was due
already is asked of what was known until then.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Optional

from streams import DAY, MINUTE, SECOND

GRACE = 15 * SECOND
LATENESS = 5 * MINUTE


@dataclass
class Minute:
    seen: int  # when its first point came
    is_late: bool  # it was due before its first point came, or closed with nothing to post
    last_touch: int = 0
    closed: bool = False
    first_posted: Optional[int] = None
    last_posted: Optional[int] = None
    final: bool = False  # too late for anything; it stays so


@dataclass(frozen=True)
class Posting:
    destination: object
    name: str
    minute: int
    value: Fraction
    lane: str  # "live" or "backfill"
    when: int


class Cell:
    """All streams of one destination and name. What it posts is said by its kind (cells.py)."""

    reads_values = False  # rather than increases
    waits = True  # for streams that will say more about a minute that is over

    def __init__(self, destination, table):
        self.destination = destination
        self.table = table
        self.streams = []
        self.minutes = {}
        self.changed = set()  # minutes that have something to post
        self.correctable = set()  # posted ones that will be final, while late ones never are
        self.now = 0

    def join(self, stream):
        self.streams.append(stream)
        stream.cells.append(self)

    # ---- what arrives

    def touch(self, minutes, now):
        for start in minutes:
            if not self.is_open(start, now):
                continue
            if start not in self.minutes:
                self.minutes[start] = Minute(now, is_late=self.closes_at(start) <= now)
            minute = self.minutes[start]
            if minute.closed and minute.first_posted is None:
                minute.is_late = True
            minute.last_touch = now
            self.changed.add(start)

    def is_open(self, start, now):
        is_final = start in self.minutes and self.minutes[start].final
        return not is_final and now <= start + MINUTE + DAY

    # ---- when it closes

    def closes_at(self, start):
        """By what is known now, if nothing more comes."""
        return start + MINUTE + GRACE + (self.hold(start) if self.waits else 0)

    def hold(self, start):
        """How long the minute may wait for streams that have not reached its end."""
        end = start + MINUTE
        awaited = [stream for stream in self.streams if is_awaited(stream, start)]
        if all(self.table.has_reached(stream, end) for stream in awaited):
            return 0
        known = [stream for stream in self.streams if stream.times and stream.times[0] <= end]
        intervals = [stream.interval for stream in known if stream.alive_at(end)]
        if not intervals:
            return 0
        at_most = 75 * SECOND if min(intervals) <= MINUTE else 10 * MINUTE
        return min(Fraction(5, 4) * max(intervals), at_most)

    def looked_at(self, start):
        """A minute that waited for streams is looked at once a second."""
        due, latest = start + MINUTE + GRACE, self.closes_at(start)
        if latest > due or self.now <= due:
            return latest
        due = max(due, self.minutes[start].seen)
        return due - (due - self.now) // SECOND * SECOND

    def posts_at(self, start):
        minute = self.minutes[start]
        if not minute.closed and not minute.is_late:
            return self.looked_at(start)
        if minute.last_posted is None:
            return minute.last_touch + GRACE
        return max(minute.last_touch, minute.last_posted + MINUTE)

    def run(self, until, log):
        """Posts what is due, the earliest first."""
        while self.changed:
            when, start = min((self.posts_at(start), start) for start in self.changed)
            if when > until:
                break
            self.now = max(self.now, when)
            self.changed.remove(start)
            self.close(start, log)
        self.now = max(self.now, until)
        self.finish_minutes()

    def close(self, start, log):
        minute = self.minutes[start]
        lane = "backfill" if minute.closed or minute.is_late else "live"
        minute.closed = True
        values = self.render(start) if self.may_post(start) else {}
        if not values:
            return
        minute.last_posted = self.now
        for name, value in values.items():
            log.append(Posting(self.destination, name, start, value, lane, self.now))
        if minute.first_posted is None:
            minute.first_posted = self.now
            if not minute.is_late:
                self.correctable.add(start)
            self.ask_next(start + MINUTE)

    def ask_next(self, start):
        """The minute before is posted now, so this one may be."""
        minute = self.minutes.get(start)
        if minute and minute.closed and minute.first_posted is None:
            minute.is_late = True
            self.changed.add(start)

    # ---- when it is final

    def finish_minutes(self):
        """Asked between requests: what one request says of several streams is one thing."""
        complete = self.complete_until()
        for start in list(self.correctable):
            minute = self.minutes[start]
            is_posted = start not in self.changed
            if is_posted and start + MINUTE <= complete and self.now > minute.first_posted + LATENESS:
                minute.final = True
                self.correctable.remove(start)

    def complete_until(self):
        """Every stream, neither ended nor evicted, has a point at or after that."""
        living = [
            self.table.complete_until(stream)
            for stream in self.streams
            if stream.times and not stream.has_ended and not stream.evicted
        ]
        return min(living, default=self.now)

    # ---- what the kinds of cells say

    def may_post(self, start):
        return True

    def was_posted(self, start):
        return start in self.minutes and self.minutes[start].first_posted is not None


def is_awaited(stream, start):
    """It fed the minute before, or began before this one and is alive at its end."""
    if stream.has_ended or not stream.times:
        return False
    if start - MINUTE in stream.covered:
        return True
    return stream.times[0] < start and stream.alive_at(start + MINUTE)
