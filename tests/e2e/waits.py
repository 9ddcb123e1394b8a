"""What takes a minute or more, as functions that all run at the same time, each with its own
stand-in and gateway, while the other tests run. test_waits.py collects their verdicts."""
import concurrent.futures
import contextlib
import functools

import sender
from running import Gateway
from sender import MINUTE, SECOND, boundary, load
from standin import StandIn

PATIENCE_S = 170  # a refused service waits for the next minute, an unknown host is sought each minute
TOO_LATE_S = 400


def values_of_an_unknown_host_wait_until_it_is_there(api, start):
    running = start(**{"hosts.native_metrics": "on"})
    at = boundary()
    sender.send_http(running, load("web-1", at))
    unknown = running.wait(lambda s: s["unknown_hosts"])["unknown_hosts"][0]
    assert "web-1" in unknown["sought"] and unknown["kind"] == "host"
    assert "hosts.create" in unknown["fix"] or "mackerel.host" in unknown["fix"]
    assert "web-1" in running.output(), "the log says it as well"
    status = running.wait(lambda s: s["ledger"]["values"]["queued"] > 0)
    assert status["ledger"]["values"]["expired"] == 0
    assert api.values == {} and api.hosts == {}

    host = api.add_host("web-1", status="maintenance")  # every status counts
    assert api.wait(
        lambda: api.latest("host", host, "loadavg5", at // SECOND) == 0.5, PATIENCE_S
    ), running.page("/status")
    running.wait(lambda s: not s["unknown_hosts"])


def native_metrics_are_withheld_where_the_agent_writes(api, start):
    """Takes two minutes: the newest loadavg5 is read twice, that far apart."""
    host = api.add_host("web-1")
    api.put_value(host, "loadavg5", boundary(1) // SECOND, 9.0)
    running = start(**{"hosts.native_metrics": "auto"})
    at = boundary()
    sender.send_http(running, load("web-1", at))
    name = "custom.system.paging.ratio"
    assert api.wait(
        lambda: api.latest("host", host, name, at // SECOND) == 0.5, PATIENCE_S
    ), running.page("/status")
    assert api.latest("host", host, "loadavg5", at // SECOND) is None  # waits

    assert api.wait(lambda: any("latest" in r.path for r in api.requests), PATIENCE_S)
    api.put_value(host, "loadavg5", boundary(0) // SECOND, 9.5)  # the agent goes on
    running.wait(lambda s: s["ledger"]["values"]["withheld"].get("agent_writes"), 150)
    assert api.latest("host", host, "loadavg5", at // SECOND) is None
    destinations = running.status()["destinations"]
    assert any("agent" in one.get("native_metrics", "") for one in destinations), destinations
    assert "web-1" in running.output()


def a_service_that_may_not_be_created_waits_and_status_says_so(api, start):
    running = start(**{"services.create": "false"})
    at = boundary(3)
    sender.send_http(running, [sender.gauge("shop", "depth", [(at, 4.0)])])
    status = running.wait(lambda s: s["unknown_hosts"])
    assert status["unknown_hosts"][0]["sought"] == 'service "shop"'
    assert status["unknown_hosts"][0]["fix"]
    assert api.services == {} and api.values == {}
    assert status["ledger"]["values"]["queued"] == 1
    api.add_service("shop")
    assert api.wait(lambda: api.values, 90), running.page("/status")


OUTAGES = {
    "500": (2, {"status": 500}),
    "503_with_retry_after": (2, {"status": 503, "headers": {"Retry-After": "1"}}),
    "429": (1, {"status": 429}),
    "html": (2, {"status": 502, "body": b"<html>", "content_type": "text/html"}),
    "an_answer_that_comes_too_late": (1, {"delay_s": 31}),
    "an_answer_that_never_ends": (1, {"broken": "short"}),
    "half_an_answer": (1, {"broken": "half"}),
    "reset_before_values_are_taken": (2, {"broken": "reset"}),
    "reset_after_values_were_taken": (1, {"broken": "reset", "after": True}),
}


def an_outage_loses_nothing(api, start, times, fault):
    api.add_service("shop")
    api.fault("/api/v0/services/shop/tsdb", times, **fault)
    running = start()
    first = boundary(6) + 30 * SECOND
    samples = [(first + i * MINUTE, 10.0 + i) for i in range(4)]
    sender.send_http(running, [sender.gauge("shop", "depth", samples)])
    wanted = {at // MINUTE * 60: value for at, value in samples}

    def is_over():
        return api.series("service", "shop", "depth") == wanted and not api.faults_left()

    assert api.wait(is_over, PATIENCE_S), running.page("/status")
    # An answer that got lost is followed by one more post, a minute later.
    running.wait(lambda s: s["ledger"]["values"]["queued"] == 0, PATIENCE_S)
    values = running.status()["ledger"]["values"]
    assert (values["delivered"], values["expired"], values["rejected"]) == (4, 0, 0)
    assert all(len(set(posted)) == 1 for posted in api.values.values()), "reposts change nothing"
    assert sum(r.method == "POST" for r in api.requests) < 12, "an outage is no reason to hurry"


SCENARIOS = {
    function.__name__: function
    for function in (
        values_of_an_unknown_host_wait_until_it_is_there,
        native_metrics_are_withheld_where_the_agent_writes,
        a_service_that_may_not_be_created_waits_and_status_says_so,
    )
} | {
    f"an_outage_loses_nothing_{name}": functools.partial(
        an_outage_loses_nothing, times=times, fault=fault
    )
    for name, (times, fault) in OUTAGES.items()
}


def run(scenario):
    with contextlib.ExitStack() as stack:
        api = stack.enter_context(StandIn())

        def start(**options):
            running = Gateway(api, {"minutes.grace": "1s"} | options)
            stack.callback(running.close)
            stack.callback(running.check_end)
            return running

        scenario(api, start)
    assert api.violations == []


def start_all(names):
    """name -> future."""
    pool = concurrent.futures.ThreadPoolExecutor(len(SCENARIOS))
    return {name: pool.submit(run, SCENARIOS[name]) for name in names}
