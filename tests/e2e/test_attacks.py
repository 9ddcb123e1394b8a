"""Hostile bodies: the process stays healthy, its memory bounded, and other senders are served."""
import gzip
import threading
import time

import pytest

import sender
from sender import MINUTE

MIB = 1 << 20
REQUESTS = 20
# The configured budget of bytes in flight, and room for the program itself under sanitizers.
MEMORY_LIMIT = "128MiB"
PEAK_BYTES = (128 + 72) * MIB


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, body):
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def in_metric(point):
    """A request with one gauge of these point bytes."""
    metric = field(1, b"m") + field(5, point)
    resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, b"attacker"))))
    return field(1, resource + field(2, field(2, metric)))


def nested_any_values():
    """34 kB that are one AnyValue in another, as arrays: recursion would end the process."""
    value = field(1, b"x")
    while len(value) < 34_000:
        value = field(5, field(1, value))
    return in_metric(field(1, field(7, field(1, b"deep") + field(2, value))))


def empty_points():
    """1 MiB of points of two bytes each: half a million of them."""
    return in_metric(field(1, b"") * (MIB // 2))


def bomb():
    """64 MiB of zeroes in 64 kB."""
    return gzip.compress(bytes(64 * MIB + 1), 9)


ATTACKS = {
    "nested AnyValues": (nested_any_values, {}),
    "empty points": (empty_points, {}),
    "gzip bomb": (bomb, {"Content_Encoding": "gzip"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_hurts_nobody_else(api, gateway, name):
    make, headers = ATTACKS[name]
    host = api.add_host("web-1")
    running = gateway(**{"receiver.memory.limit": MEMORY_LIMIT})
    body = make()
    answers = []

    def attack():
        for _ in range(REQUESTS):
            answers.append(sender.post(running, body, timeout_s=60, **headers)[0])

    attackers = [threading.Thread(target=attack) for _ in range(2)]
    for thread in attackers:
        thread.start()
    at = (time.time_ns() // MINUTE - 3) * MINUTE
    slowest = 0.0
    for i in range(50):
        started = time.monotonic()
        samples = [(at, float(i))]
        sender.send_http(running, [sender.gauge(None, f"system.m{i}", samples, host__name="web-1")])
        slowest = max(slowest, time.monotonic() - started)
    for thread in attackers:
        thread.join()

    assert len(answers) == 2 * REQUESTS
    assert set(answers) <= {200, 400, 413, 429, 503}, set(answers)
    assert slowest < 5
    assert running.process.poll() is None
    assert running.page("/livez")
    assert running.peak_rss_bytes() < PEAK_BYTES, running.peak_rss_bytes()
    minute = at // MINUTE * 60
    wanted = {("host", host, f"custom.system.m{i}", minute): [float(i)] for i in range(50)}
    assert api.wait(lambda: wanted.items() <= api.values.items(), 60), running.page("/status")
