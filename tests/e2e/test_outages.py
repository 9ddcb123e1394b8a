"""Mackerel fails and comes back: nothing is lost, and what is posted again is the same value."""
import contextlib
import time

import pytest

import sender
from running import Gateway, binary
from sender import MINUTE, SECOND
from standin import StandIn

PATH = "/api/v0/services/shop/tsdb"
# After 429 the next minute is waited for; after an answer that got lost a minute passes before the
# value is posted once more. All outages happen at the same time.
PATIENCE_S = 170

OUTAGES = {
    "500": (2, {"status": 500}),
    "503 with Retry-After": (2, {"status": 503, "headers": {"Retry-After": "1"}}),
    "429": (1, {"status": 429}),
    "a page of HTML": (2, {"status": 502, "body": b"<html>", "content_type": "text/html"}),
    "reset before the values are taken": (2, {"reset": True}),
    "reset after the values were taken": (1, {"reset": True, "after": True}),
}


@pytest.fixture(scope="module")
def outages():
    """name -> (stand-in, gateway, wanted values), all of them started at once."""
    if binary() is None:
        pytest.skip("no binary: `make dev` builds one")
    started = {}
    first = (time.time_ns() // MINUTE - 6) * MINUTE + 30 * SECOND
    samples = [(first + i * MINUTE, 10.0 + i) for i in range(4)]
    with contextlib.ExitStack() as stack:
        for name, (times, fault) in OUTAGES.items():
            api = stack.enter_context(StandIn())
            api.add_service("shop")
            api.fault(PATH, times, **fault)
            gateway = Gateway(api, {"minutes.grace": "1s"})
            stack.callback(gateway.close)
            sender.send_http(gateway, [sender.gauge("shop", "depth", samples)])
            started[name] = api, gateway
        yield started, {at // MINUTE * 60: value for at, value in samples}


@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage_loses_nothing(outages, name):
    started, wanted = outages
    api, gateway = started[name]

    def is_over():
        return api.series("service", "shop", "depth") == wanted and not api.faults_left()

    assert api.wait(is_over, PATIENCE_S), gateway.page("/status")
    gateway.wait(lambda s: s["ledger"]["values"]["queued"] == 0, PATIENCE_S)
    values = gateway.status()["ledger"]["values"]
    assert (values["delivered"], values["expired"], values["rejected"]) == (4, 0, 0)
    assert all(len(set(posted)) == 1 for posted in api.values.values()), "reposts change nothing"
    gateway.check_ledger()
    assert gateway.stop() == 0, gateway.output()
    gateway.check_secrets()
    assert api.violations == []
    assert sum(r.method == "POST" for r in api.requests) < 12, "an outage is no reason to hurry"
