"""Cases made from a seed: which classes there are, and how their senders reach the gateway."""

import random

import rulebook
import senders
from case import ORIGIN, Case, Row

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
CLASSES = {}
OPEN = {}  # classes in which a finding is open; they are run by name


def case_class(function):
    CLASSES[function.__name__] = function
    return function


def open_class(function):
    OPEN[function.__name__] = function
    return function


def class_of(seed, only=None):
    names = sorted(CLASSES)
    return only or names[seed % len(names)]


def make(seed, only=None):
    choice = random.Random(seed)
    case = Case(watch_start=ORIGIN - HOUR)
    case.reload_every = choice.choice([0, 0, 0, 1, 2, 5])
    case.service = choice.choice(["", "", "fallback"])
    {**CLASSES, **OPEN}[class_of(seed, only)](choice, case)
    return case


# ---- the way to the gateway


class Way:
    """Puts the exports of one sender into requests: `arrives(time)` is None where one is lost."""

    def __init__(self, choice, case, arrives):
        self.choice = choice
        self.case = case
        self.arrives = arrives
        self.repeats = choice.choice([0, 0, 0.1])

    def send(self, exports):
        for time, points in exports:
            arrived = self.arrives(time)
            if arrived is None or not points:
                continue
            self.put(points, arrived)
            while self.choice.random() < self.repeats:
                arrived += int(self.choice.uniform(0.1, 590) * SECOND)
                self.put(points, arrived)

    def put(self, points, arrived):
        request = 1 + max((row.request for row in self.case.rows), default=0)
        rows = [Row(request, arrived + request, 0, *point) for point in points]
        self.case.rows.extend(rows)


def at_once(choice):
    return lambda time: time + int(choice.uniform(0.001, 2) * SECOND)


def lossy(choice):
    return lambda time: None if choice.random() < 0.2 else time + SECOND // 50


def slow(choice):
    """Each within a few minutes, in no order."""
    longest = choice.choice([30, 120, 600])
    return lambda time: time + int(choice.uniform(0, longest) * SECOND)


class Outage:
    """Now and then the way is blocked; what was held back comes in order when it opens again."""

    def __init__(self, choice):
        self.choice = choice
        self.longest = choice.choice([2 * MINUTE, 20 * MINUTE, 5 * HOUR])
        self.open_again = 0

    def __call__(self, time):
        if time > self.open_again > 0 and self.choice.random() < 0.1:
            self.open_again = time + int(self.choice.uniform(0, self.longest))
        arrived = max(time + SECOND // 100, self.open_again)
        self.open_again = max(self.open_again, arrived + 1)
        return arrived


class Overtaken:
    """A third of it comes hours later, after what was sent behind it."""

    def __init__(self, choice):
        self.choice = choice
        self.held = choice.randrange(3, 8) * MINUTE + ORIGIN
        self.length = choice.randrange(1, 5) * MINUTE
        self.back = self.held + int(choice.choice([0.2, 1, 3]) * HOUR)

    def __call__(self, time):
        if self.held <= time < self.held + self.length:
            self.back += SECOND // 20
            return self.back
        return time + SECOND // 100


# ---- classes


def some_senders(choice, case, ways, **wanted):
    for number in range(choice.choice([1, 1, 2, 3])):
        sender = senders.Sender(choice, ORIGIN, number, **wanted)
        Way(choice, case, choice.choice(ways)(choice)).send(sender.exports())


@case_class
def punctual(choice, case):
    case.watch_start = choice.choice([ORIGIN - HOUR, ORIGIN - HOUR, ORIGIN + 3 * MINUTE])
    some_senders(choice, case, [at_once])


@case_class
def summaries(choice, case):
    # "carried to minutes before the next point while the sender is alive": by which interval is open.
    some_senders(choice, case, [at_once], kinds=["summary"], paces=[10, 15, 20], suspends=False)


@case_class
def slow_paces(choice, case):
    # Without starts, zeros of silence between slow reports would decide which minutes are final.
    some_senders(choice, case, [at_once], paces=[90, 120, 300, 600], starts=1.0)


@case_class
def broken_ways(choice, case):
    some_senders(choice, case, [lossy, Outage, Overtaken])


# Values, "Late data": whether a minute "was already due when its first point came" is asked by the
# pipeline with, by the oracle without what that point says of its own stream.
@open_class
def any_order(choice, case):
    some_senders(choice, case, [slow])


# Values, "Streams": "NoRecordedValue ends it". The pipeline forgets that with the stream's next point,
# which may come before the minute closes in which it ended.
@open_class
def odd_points(choice, case):
    some_senders(choice, case, [at_once, lossy], odd=True)


@case_class
def by_rules(choice, case):
    some_senders(choice, case, [at_once], suspends=False)
    case.rules = rulebook.rules(choice)
