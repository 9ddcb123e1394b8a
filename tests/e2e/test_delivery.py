"""What goes in as OTLP comes out at Mackerel, whatever happens on the way."""
import collections
import signal
import time

import pytest

import sender
from sender import MINUTE, SECOND

PATIENCE_S = 40  # fresh minutes of a service gather for up to 15 s


def minutes_ago(count):
    """In ns, in the middle of a minute so that no test depends on where in one it starts."""
    return (time.time_ns() // MINUTE - count) * MINUTE + 30 * SECOND


def last_values(requests, metric_name):
    """{minute in s: last value} of a gauge with one stream."""
    samples = collections.defaultdict(list)
    for request in requests:
        for _, metric, point in sender.points(request):
            if metric.name == metric_name:
                at = point.time_unix_nano
                samples[at // MINUTE * 60].append((at, point.as_double))
    return {minute: max(found)[1] for minute, found in samples.items()}


def at_boundaries(requests, metric_name):
    """{minute in s: value at its start, linear between the points around it}."""
    samples = sorted(
        (point.time_unix_nano, point.as_double)
        for request in requests
        for _, metric, point in sender.points(request)
        if metric.name == metric_name
    )
    found = {}
    for (t0, v0), (t1, v1) in zip(samples, samples[1:]):
        for minute in range(-(-t0 // MINUTE), t1 // MINUTE + 1):
            found[minute * 60] = v0 + (v1 - v0) * (minute * MINUTE - t0) / (t1 - t0)
    return found


@pytest.mark.parametrize("send", [sender.send_http, sender.send_grpc])
def test_a_recorded_services_gauges_arrive(api, gateway, send):
    running = gateway()
    requests = sender.recorded("python-grpc", minutes_ago(3))
    send(running, requests)
    name = "shop-api.app.pool.utilization"
    wanted = last_values(requests, "app.pool.utilization")
    assert len(wanted) >= 3
    assert api.wait(
        lambda: wanted.items() <= api.series("service", "shop", name).items(), PATIENCE_S
    ), (wanted, api.series("service", "shop", name))
    assert "shop" in api.services  # created: nobody had


def test_http_and_grpc_lead_to_the_same_values(api, gateway):
    requests = sender.recorded("go-grpc", minutes_ago(3))
    posted = []
    for send in (sender.send_http, sender.send_grpc):
        running = gateway()
        send(running, requests)
        running.wait(lambda s: s["ledger"]["points"]["pending"] == 0, PATIENCE_S)
        running.wait(lambda s: s["ledger"]["values"]["queued"] == 0, PATIENCE_S)
        assert running.status()["ledger"]["values"]["delivered"] > 0
        posted.append({key: values[-1] for key, values in api.values.items()})
        api.values.clear()
        api._posts.clear()
    assert posted[0] == posted[1]


def test_a_recorded_host_lights_the_native_graphs(api, gateway):
    host = api.add_host("vm", status="standby")
    running = gateway(**{"hosts.native_metrics": "on"})
    requests = sender.recorded("host-default", minutes_ago(3))
    sender.send_http(running, requests)
    wanted = at_boundaries(requests, "system.cpu.load_average.5m")
    assert len(wanted) >= 7

    def arrived():
        posted = api.series("host", host, "loadavg5")
        return posted.keys() >= wanted.keys()

    assert api.wait(arrived, PATIENCE_S), api.series("host", host, "loadavg5")
    posted = api.series("host", host, "loadavg5")
    for minute, value in wanted.items():
        assert posted[minute] == pytest.approx(value, rel=1e-9)
    assert {
        "loadavg1",
        "cpu.user.percentage",
        "cpu.idle.percentage",
        "memory.used",
        "disk.vda.reads.delta",
        "interface.eth0.rxBytes.delta",
    } <= set(api.names("host", host))


def test_a_stop_without_state_posts_minutes_that_are_over_and_never_the_current_one(api, gateway):
    api.add_service("shop")
    running = gateway(**{"minutes.grace": "30s", "state.durability": "memory"})
    if time.time() % 60 > 50:  # the current minute shall not end on the way
        time.sleep(60.5 - time.time() % 60)
    now = time.time_ns()
    current = now // MINUTE * 60
    request = sender.gauge("shop", "depth", [(now - 2 * MINUTE, 1.0), (now - MINUTE, 2.0), (now, 3.0)])
    sender.send_grpc(running, [request])
    running.wait(lambda s: s["ledger"]["points"]["received"] == 3)
    assert running.stop(signal.SIGTERM) == 0, running.output()
    assert int(time.time()) // 60 * 60 == current
    assert api.series("service", "shop", "depth") == {current - 120: 1.0, current - 60: 2.0}


def test_values_of_a_resource_without_a_service_go_to_the_default(api, gateway):
    running = gateway(**{"services.default": "leftovers"})
    at = minutes_ago(3)
    sender.send_http(running, [sender.gauge(None, "depth", [(at, 4.0)])])
    assert api.wait(
        lambda: api.latest("service", "leftovers", "depth", at // MINUTE * 60) == 4.0, PATIENCE_S
    )
