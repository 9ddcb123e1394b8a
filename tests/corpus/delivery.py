"""The same requests, delivered otherwise: late, twice, or not at all."""

import random
from dataclasses import replace

import gateway

SECOND = gateway.SECOND
HOUR = 3600 * SECOND
QUEUE_PAUSE = SECOND // 20  # between two requests of a queue that is replayed


def in_order(requests):
    return sorted(requests, key=lambda request: request.received)


def cut(requests, share):
    """The instant at which that share of the recording is over."""
    first, last = requests[0].received, requests[-1].received
    return first + int((last - first) * share)


def replayed(held, since):
    return [replace(r, received=since + i * QUEUE_PAUSE) for i, r in enumerate(held)]


def cut_off(requests, hours):
    """A collector that reaches nobody after a third of the recording and replays all the rest."""
    since = cut(requests, 1 / 3)
    live = [request for request in requests if request.received < since]
    held = [request for request in requests if request.received >= since]
    return live + replayed(held, requests[-1].received + int(hours * HOUR))


def overtaken(requests, hours):
    """The middle third is held back; what was sent after it arrives in time and overtakes it."""
    begin, end = cut(requests, 1 / 3), cut(requests, 2 / 3)
    held = [request for request in requests if begin <= request.received < end]
    live = [request for request in requests if not begin <= request.received < end]
    return live + replayed(held, requests[-1].received + int(hours * HOUR))


def twice(requests, seconds):
    """Each request again, byte for byte."""
    again = [replace(r, received=r.received + int(seconds * SECOND)) for r in requests]
    return in_order(requests + again)


def every_other_late(requests, minutes):
    late = [replace(r, received=r.received + minutes * 60 * SECOND) for r in requests[::2]]
    return in_order(late + requests[1::2])


def some_dropped(requests, seed):
    choice = random.Random(seed)
    return [request for request in requests if choice.random() < 0.8]
