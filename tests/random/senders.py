"""Random senders: a resource with instruments that measure, restart, fall silent and are odd at times."""

import math

import exponential
from case import Instrument

SECOND = 10**9
MINUTE = 60 * SECOND
BOUNDS = [(1.0, 5.0, 25.0), (0.0, 10.0), (-5.0, 5.0), (100.0,), (0.5, 1.0, 2.0, 4.0, 8.0)]
NAMES = ["orders", "http.server.requests", "größe", "a..b", "__hidden", "queue size", "x"]
KINDS = ["sum", "sum", "histogram", "histogram", "exponential_histogram", "gauge", "updown"]
DISTRIBUTIONS = ["histogram", "exponential_histogram", "summary"]
# At all of these a bucket ends at every threshold: one that lies around it would be folded into zero
# before or after the scale is lowered, which the reference does not say.
SCALES = [20, 8, 3, 0]
OBSERVED = [-8, -5, 0, 0.25, 1, 3.5, 5, 20, 300]
HOST_NAMES = ["system.processes.created", "k8s.node.uptime", "hw.energy"]
PACES = [10, 15, 20, 30, 60, 60]  # seconds between exports


class Sender:
    """One process after another of one program."""

    def __init__(self, choice, begin, number, *, odd=False, paces=PACES, kinds=KINDS,
                 suspends=True, starts=0.8):
        """`starts`: how often one says when its windows and totals began."""
        self.choice = choice
        self.odd = odd
        self.suspends = suspends
        self.interval = choice.choice(paces) * SECOND
        self.jitter = choice.choice([0, 0, 0.02, 0.2])
        self.begin = begin + int(choice.uniform(0, 5) * MINUTE)
        if choice.random() < 0.3:
            self.begin = begin  # points on the minutes' boundaries
        self.minutes = choice.choice([3, 5, 8, 12])
        self.minutes *= 1 if self.interval < MINUTE else 2
        self.resource = resource(choice, number)
        self.scope = choice.choice(["", "meter", "other"])
        self.starts_known = choice.random() < starts
        self.restarts = choice.random() < 0.3
        temporality = choice.choice(["delta", "cumulative"])
        count = choice.choice([1, 1, 2, 3])
        self.bounds = choice.choice(BOUNDS + [()])
        self.threshold = choice.choice([0.0, 0.0, 0.5])
        self.kinds = kinds
        self.series = [s for _ in range(count) for s in self.instrument(temporality)]

    # ---- what it measures with

    def instrument(self, temporality):
        choice = self.choice
        names = HOST_NAMES if choice.random() < 0.1 else NAMES
        made = self.kind(choice.choice(names), temporality)
        labels = choice.sample(["a", "b", "c"], choice.choice([1, 1, 2, 3]))
        for label in labels:
            attributes = (("route", label),) if len(labels) > 1 else ()
            yield Series(choice, made, attributes, self)

    def kind(self, name, temporality):
        choice = self.choice
        unit = choice.choice(["1", "ms", "By", ""])
        kind = choice.choice(self.kinds)
        name += "." + kind  # two kinds of one name are a collision, which has tests of its own
        if kind in ("gauge", "summary"):
            return Instrument(name, unit, kind)
        if kind == "updown":
            return Instrument(name, unit, "sum", "cumulative", False)
        if kind == "sum" and temporality == "delta" and choice.random() < 0.2:
            return Instrument(name + ".statsd", unit, "sum", "delta", False)
        return Instrument(name, unit, kind, temporality, kind == "sum")

    # ---- what it exports

    def exports(self):
        """(time, points) in order; a point is what a Row has behind its numbers."""
        choice = self.choice
        start, time = self.begin, self.begin
        restart_at = time + int(choice.uniform(0.3, 0.7) * self.minutes * MINUTE)
        for each in self.series:
            each.begin(start)
        end = self.begin + self.minutes * MINUTE
        while time < end:
            time += int(self.interval * (1 + self.jitter * choice.uniform(-1, 1)))
            if self.restarts and time > restart_at:
                start, restart_at = time - choice.choice([0, 1, 5]) * SECOND, end
                for each in self.series:
                    each.begin(start)
            yield time, list(self.points(time))
            if choice.random() < 0.02 and self.suspends:
                time += choice.choice([1, 3, 10, 70, 130]) * MINUTE  # it was suspended

    def points(self, time):
        for each in self.series:
            for point in each.export(time):
                yield self.resource, self.scope, each.instrument, each.attributes, point


def resource(choice, number):
    pairs = {"service.name": choice.choice(["shop", "mill", "unknown_service:go"])}
    if choice.random() < 0.2:
        del pairs["service.name"]
    if choice.random() < 0.3:
        pairs["service.namespace"] = choice.choice(["town", "-x", "ä"])
    if choice.random() < 0.7:
        pairs["service.instance.id"] = str(number)
    if choice.random() < 0.7:
        pairs["telemetry.sdk.language"] = "go"
    if choice.random() < 0.3:
        pairs["host.name"] = choice.choice(["h1", "h2"])
    return tuple(pairs.items())


class Series:
    """One attribute set of an instrument, over all starts of its sender."""

    def __init__(self, choice, instrument, attributes, sender):
        self.choice = choice
        self.instrument = instrument
        self.attributes = attributes
        self.sender = sender
        self.appears = sender.begin
        if choice.random() < 0.3:
            self.appears += int(choice.uniform(0, sender.minutes) * MINUTE)
        self.silence = choice.choice([0, 0, 0.3])  # of a delta series: nothing was measured
        self.is_whole = choice.random() < 0.5
        self.bounds = sender.bounds
        self.has_sum = choice.random() < 0.8
        self.has_extremes = choice.random() < 0.7
        self.has_start = sender.starts_known
        self.threshold = sender.threshold
        self.observed = OBSERVED if choice.random() < 0.3 else [v for v in OBSERVED if v >= 0]
        self.starts_itself = choice.random() < 0.2  # when it first measures
        self.clear()

    def begin(self, start):
        self.start = start if self.has_start else 0
        self.window = start
        self.has_begun = False
        self.clear()

    def clear(self):
        self.total = 0
        self.count, self.sum = 0, 0.0
        self.least, self.greatest = math.inf, -math.inf
        self.buckets = [0] * (len(self.bounds) + 1)
        self.exponential = exponential.Buckets(self.choice.choice(SCALES), self.threshold)

    @property
    def is_delta(self):
        return self.instrument.temporality == "delta"

    # ---- measuring

    def measure(self):
        choice = self.choice
        if self.instrument.kind in DISTRIBUTIONS:
            for _ in range(choice.choice([0, 1, 3, 8, 200])):
                self.observe(choice.choice(self.observed))
            if choice.random() < 0.1 and self.exponential.scale > 0:
                self.exponential.widen(1)
        elif self.instrument.kind == "gauge":
            self.total = choice.randrange(-400, 4000) / (1 if self.is_whole else 4)
        elif self.instrument.monotonic:
            self.total += choice.choice([0, 1, 7, 50, 130]) * (1 if self.is_whole else 0.25)
        else:
            self.total += choice.randrange(-20, 30)

    def observe(self, value):
        self.count += 1
        self.sum += value
        self.least, self.greatest = min(self.least, value), max(self.greatest, value)
        self.buckets[sum(bound < value for bound in self.bounds)] += 1
        self.exponential.observe(value)

    # ---- exporting

    def export(self, time):
        choice = self.choice
        if time < self.appears:
            return
        if not (self.is_delta and choice.random() < self.silence):
            if self.starts_itself and not self.has_begun and self.has_start:
                self.start = self.window = time - choice.randrange(1, 9) * SECOND
            self.has_begun = True
            self.measure()
            yield from self.points(time)
        if self.is_delta:
            self.window = time
            self.clear()

    def points(self, time):
        point = {"time_unix_nano": time}
        if self.instrument.kind != "gauge" or self.choice.random() < 0.5:
            point["start_time_unix_nano"] = self.begins()
        point.update(self.value())
        if self.sender.odd and self.choice.random() < 0.2:
            yield from odd(self.choice, self.instrument, point)
        else:
            yield tuple(point.items())

    def begins(self):
        if self.is_delta:
            return self.window if self.has_start else 0
        return self.start

    def value(self):
        value = self.value_itself()
        is_histogram = self.instrument.kind in ("histogram", "exponential_histogram")
        if is_histogram and self.has_extremes and self.count:
            value.update(min=self.least, max=self.greatest)
        return value

    def value_itself(self):
        if self.instrument.kind == "histogram":
            value = {"count": self.count}
            if self.bounds or self.count % 2:
                value["explicit_bounds"], value["bucket_counts"] = self.bounds, tuple(self.buckets)
            if self.has_sum:
                value["sum"] = self.sum
            return value
        if self.instrument.kind == "exponential_histogram":
            value = {"count": self.count, **self.exponential.fields()}
            return {**value, "sum": self.sum} if self.has_sum else value
        if self.instrument.kind == "summary":
            pairs = [(0.0, 0.25), (0.5, self.choice.randrange(9) / 4), (0.99, 7.5)]
            said = [{"quantile": quantile, "value": value} for quantile, value in pairs]
            return {"count": self.count, "sum": max(self.sum, 0), "quantile_values": said}
        return {"as_int" if isinstance(self.total, int) else "as_double": self.total}


def odd(choice, instrument, point):
    """The point, changed or beside another one."""
    time, start = point["time_unix_nano"], point.get("start_time_unix_nano", 0)
    what = choice.choice(ODD)
    if what == "twice":
        yield tuple(point.items())
        yield tuple(point.items())
    elif what == "stale":
        yield (("time_unix_nano", time), ("start_time_unix_nano", start), ("flags", 1))
    elif what == "absent":
        return
    elif what == "no time":
        yield tuple({**point, "time_unix_nano": 0}.items())
    elif what == "future":
        yield tuple({**point, "time_unix_nano": time + choice.choice([30, 90]) * SECOND}.items())
    elif what == "earlier":
        yield tuple({**point, "time_unix_nano": time - 25 * SECOND}.items())
    elif what == "wrong start":
        yield tuple({**point, "start_time_unix_nano": time + 1}.items())
    elif what == "no start":
        yield tuple({**point, "start_time_unix_nano": 0}.items())
    elif what == "instant":
        yield tuple({**point, "start_time_unix_nano": time}.items())
    elif what == "reset":
        yield tuple({**point, **nothing_of(instrument, point)}.items())
    else:
        yield tuple({**point, **not_finite(instrument, point)}.items())


ODD = ["twice", "stale", "absent", "no time", "future", "earlier", "wrong start", "no start"]
ODD += ["instant", "reset", "not finite"]


def nothing_of(instrument, point):
    if instrument.kind == "exponential_histogram":
        return {"count": 0, "sum": 0.0, "zero_count": 0, "positive": {}, "negative": {}}
    if instrument.kind == "summary":
        return {"count": 0, "sum": 0.0}
    if instrument.kind == "histogram":
        empty = {"count": 0, "bucket_counts": (0,) * len(point.get("bucket_counts", ()))}
        return {**empty, "sum": 0.0} if "sum" in point else empty
    return {name: type(value)(0) for name, value in point.items() if name.startswith("as_")}


def not_finite(instrument, point):
    if instrument.kind in DISTRIBUTIONS:
        return {"sum": float("nan")}
    field = next(name for name in point if name.startswith("as_"))
    return {} if field == "as_int" else {field: float("inf")}
