"""Random senders whose totals are known, delivered badly: outages, resent bodies, lost requests.

A sender is one process of one service with a counter and a histogram, both delta or cumulative,
that started while the gateway watched. What it measured in requests that were acknowledged is its
total; requests that are lost on the way were never acknowledged.
"""

import random
from dataclasses import dataclass, field

import gateway
from recording import ExportMetricsServiceRequest, Request

SECOND = gateway.SECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
BEGIN = 1795500000 * SECOND
WATCH_START = BEGIN - HOUR
BOUNDS = [1.0, 5.0, 25.0]
DELTA, CUMULATIVE = 1, 2


@dataclass
class Sender:
    service: str
    instance: str
    temporality: int
    start: int
    interval: int
    total: int = 0  # of the counter
    count: int = 0  # of the histogram
    sum: float = 0.0
    buckets: list = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    begin: int = 0  # of the next delta window

    def __post_init__(self):
        self.begin = self.start

    def measure(self, choice):
        self.total += choice.randrange(50)
        for _ in range(choice.randrange(8)):
            value = choice.choice([0.5, 2.0, 8.0, 100.0])
            self.count += 1
            self.sum += value
            self.buckets[sum(bound < value for bound in BOUNDS)] += 1

    def export(self, time):
        request = ExportMetricsServiceRequest()
        resource = request.resource_metrics.add()
        named = {"service.name": self.service, "service.instance.id": self.instance}
        for key, value in {**named, "telemetry.sdk.language": "go"}.items():
            resource.resource.attributes.add(key=key).value.string_value = value
        metrics = resource.scope_metrics.add().metrics
        counter = metrics.add(name="orders").sum
        counter.is_monotonic = True
        counter.aggregation_temporality = self.temporality
        counter.data_points.add(as_int=self.total, **self.window(time))
        histogram = metrics.add(name="sizes").histogram
        histogram.aggregation_temporality = self.temporality
        histogram.data_points.add(
            count=self.count,
            sum=self.sum,
            bucket_counts=self.buckets,
            explicit_bounds=BOUNDS,
            **self.window(time),
        )
        return request

    def window(self, time):
        return {"start_time_unix_nano": self.begin, "time_unix_nano": time}

    def forget(self, time):
        """A delta exporter begins anew, whether its export arrives or not."""
        if self.temporality == DELTA:
            self.total = self.count = 0
            self.sum = 0.0
            self.buckets = [0] * len(self.buckets)
            self.begin = time


@dataclass
class Acknowledged:
    orders: int = 0
    observations: int = 0
    sum: float = 0.0

    def add(self, sender):
        if sender.temporality == CUMULATIVE:
            self.orders = self.observations = self.sum = 0
        self.orders += sender.total
        self.observations += sender.count
        self.sum += sender.sum


class Scenario:
    """`requests` as gateway.replay() takes them, and what was acknowledged of each service."""

    def __init__(self, seed, into):
        self.choice = random.Random(seed)
        self.into = into
        self.requests = []
        self.acknowledged = {}  # service -> of each of its senders
        self.points = 0

    def run(self, sender, minutes, delay):
        """`delay(time)` says when an export of that time arrives, None if it is lost."""
        done = Acknowledged()
        self.acknowledged.setdefault(sender.service, []).append(done)
        time = sender.start
        while time < sender.start + minutes * MINUTE:
            time += int(sender.interval * self.choice.uniform(0.9, 1.1))
            sender.measure(self.choice)
            arrives = delay(time)
            if arrives is not None:
                done.add(sender)
                self.deliver(sender.export(time), arrives)
            sender.forget(time)

    def deliver(self, message, arrives):
        path = self.into / f"{len(self.requests)}.pb"
        path.write_bytes(message.SerializeToString())
        self.requests.append(Request(path, arrives, "identity", True))
        self.points += 2
        while self.choice.random() < 0.1:  # resent because the answer was lost
            arrives += int(self.choice.uniform(0.1, 590) * SECOND)
            self.requests.append(Request(path, arrives, "identity", True))
            self.points += 2

    def sender(self, service, temporality=None):
        return Sender(
            service,
            f"{service}-{self.choice.random()}",
            temporality or self.choice.choice([DELTA, CUMULATIVE]),
            BEGIN + int(self.choice.uniform(0, 5) * MINUTE),
            self.choice.choice([10, 15, 30, 60]) * SECOND,
        )

    def in_order(self):
        return sorted(self.requests, key=lambda request: request.received)


class Outages:
    """Arrival of a sender's exports in order: at once, or after an outage one after another.

    The first one arrives at once: of a sender that nobody knows nobody waits for anything.
    """

    def __init__(self, choice, longest, lost=0.0):
        self.choice = choice
        self.longest = longest
        self.lost = lost
        self.back = 0  # when the sender reaches the gateway again

    def __call__(self, time):
        if self.choice.random() < self.lost:
            return None
        if time > self.back > 0 and self.choice.random() < 0.05:
            self.back = time + int(self.choice.uniform(0, self.longest))
        arrives = max(time + SECOND // 100, self.back)
        self.back = max(self.back, arrives + 1)
        return arrives
