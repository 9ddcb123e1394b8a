"""Programs with real OpenTelemetry SDKs send to the real gateway; the stand-in of the Mackerel API
must hold what they counted.

All programs run at the same time, across a minute boundary, so that every total has a part in at
least two minutes. A sender that stopped is not waited for: its last minute is posted when that is
over.
"""
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests/mackerel"), str(ROOT / "tests/e2e")]

from running import Gateway, binary  # noqa: E402
from standin import StandIn  # noqa: E402

PYTHON = ROOT / "build/venv/bin/python"
MODULES = ROOT / "build/node/node_modules"

MINUTE = 60
LEAD_S = 10  # the programs have this long, at least, before the boundary
AFTER_S = 4  # and this long behind it
PATIENCE_S = 60  # beyond the end of the last minute, for slow machines

pytestmark = [
    pytest.mark.skipif(binary() is None, reason="no binary: `make dev` builds one"),
    pytest.mark.skipif(
        not (PYTHON.exists() and MODULES.exists()), reason="no clients: scripts/test-deps"
    ),
]

SDKS = ("python", "node")
CASES = {
    f"{sdk}-{transport}-{'gzip' if gzip else 'plain'}-{'delta' if delta else 'cumulative'}": [
        (sdk, {"transport": transport, "gzip": gzip, "delta": delta, "instance": "one"})
    ]
    for sdk, transport, gzip, delta in itertools.product(
        SDKS, ("grpc", "http"), (False, True), (False, True)
    )
}
GRPC = {"transport": "grpc", "gzip": False, "delta": False}
HTTP = {"transport": "http", "gzip": True, "delta": False}
# Two instances of one service, in different languages, one of them with delta temporality.
CASES["two-instances"] = [
    ("python", GRPC | {"instance": "one"}),
    ("node", HTTP | {"instance": "two", "delta": True}),
]
# Replicas that nothing tells apart but the start times of their streams.
CASES["unlabelled-replicas"] = [
    ("node", GRPC | {"instance": "", "phase_ms": 10}),
    ("node", HTTP | {"instance": "", "phase_ms": 60}),
]


def read_metrics(gateway):
    """{name with labels: number} of the page /metrics."""
    lines = gateway.page("/metrics").splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(number) for name, number in pairs}


def start_client(sdk, service, options, gateway, middle):
    endpoint = gateway.grpc if options["transport"] == "grpc" else gateway.http
    arguments = options | {
        "service": service,
        "endpoint": endpoint,
        "middle": middle,
        "until": middle + AFTER_S,
    }
    program = [PYTHON, HERE / "client.py"] if sdk == "python" else ["node", HERE / "client.cjs"]
    return subprocess.Popen(
        [*program, json.dumps(arguments)],
        env={k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
        | {"NODE_PATH": str(MODULES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(client, middle):
    out, err = client.communicate(timeout=middle + AFTER_S + PATIENCE_S - time.time())
    assert client.returncode == 0, err
    return json.loads(out.splitlines()[-1])


class Outcome:
    """What was counted and what was posted, once both are complete."""

    def __init__(self, api, counted, middle):
        self.api, self.counted, self.middle = api, counted, middle
        self.metrics, self.log, self.exit_code = {}, "", None

    def is_complete(self):
        return all(self.middle in self.series(service, "orders.rate") for service in CASES)

    def total(self, service, what):
        return sum(each[what] for each in self.counted[service])

    def series(self, service, name):
        return self.api.series("service", service, name)


@pytest.fixture(scope="module")
def outcome():
    with StandIn() as api:
        gateway = Gateway(api, {"minutes.grace": "1s", "budgets.all_service_metrics": "0"})
        clients = {}
        try:
            middle = (int(time.time()) + LEAD_S) // MINUTE * MINUTE + MINUTE
            for service, programs in CASES.items():
                clients[service] = [
                    start_client(sdk, service, options, gateway, middle)
                    for sdk, options in programs
                ]
            counted = {
                service: [finish(client, middle) for client in programs]
                for service, programs in clients.items()
            }
            found = Outcome(api, counted, middle)
            api.wait(found.is_complete, middle + MINUTE + PATIENCE_S - time.time())
            gateway.check_ledger()
            found.metrics = read_metrics(gateway)
            found.exit_code = gateway.stop()
            found.log = gateway.output()
        finally:
            for client in itertools.chain(*clients.values()):
                client.kill()
            gateway.close()
        yield found


def counted_by_rate(outcome, service, name):
    return sum(rate * MINUTE for rate in outcome.series(service, name).values())


@pytest.mark.parametrize("service", CASES)
def test_the_rates_of_all_minutes_add_up_to_what_was_counted(outcome, service):
    orders = counted_by_rate(outcome, service, "orders.rate")
    assert orders == pytest.approx(outcome.total(service, "orders"), rel=1e-9)


@pytest.mark.parametrize("service", CASES)
def test_a_minute_boundary_divides_the_totals(outcome, service):
    minutes = sorted(outcome.series(service, "orders.rate"))
    assert len(minutes) >= 2 and minutes[-1] == outcome.middle
    assert minutes == list(range(minutes[0], outcome.middle + MINUTE, MINUTE))


@pytest.mark.parametrize("service", CASES)
def test_a_histogram_keeps_its_count_and_its_sum(outcome, service):
    rates = outcome.series(service, "latency.rate")
    averages = outcome.series(service, "latency.avg")
    count = sum(rate * MINUTE for rate in rates.values())
    total = sum(rates[minute] * MINUTE * averages[minute] for minute in averages)
    assert count == pytest.approx(outcome.total(service, "latency_count"), rel=1e-9)
    assert total == pytest.approx(outcome.total(service, "latency_sum"), rel=1e-9)


@pytest.mark.parametrize("service", CASES)
def test_percentiles_lie_in_the_bucket_of_the_slowest(outcome, service):
    # A fifth of the observations is 0.7, in (0.5, 1]; so ranks from 80 % on are in that bucket.
    for name in ("latency.p90", "latency.p95", "latency.p99"):
        values = outcome.series(service, name).values()
        assert values and all(0.5 < value <= 1 for value in values)


@pytest.mark.parametrize("service", CASES)
def test_gauges_merge_by_mean_and_up_down_counters_by_sum(outcome, service):
    programs = len(CASES[service])
    gauge, in_flight = ("temperature", 10.5, 20.25), ("in_flight", 5 * programs, 3 * programs)
    for name, before, after in (gauge, in_flight):
        values = outcome.series(service, name)
        assert values.pop(outcome.middle) == after
        assert values and set(values.values()) == {before}


def test_mackerel_has_nothing_to_complain_about(outcome):
    assert outcome.api.violations == []


def test_no_point_is_lost_and_the_books_balance(outcome):
    def total(prefix):
        name = "mackerel_gateway_" + prefix
        return sum(value for key, value in outcome.metrics.items() if key.startswith(name))

    assert total("points_dropped_total") == 0
    assert total("points_received_total") == total("points_merged_total") + total(
        "points_skipped_total"
    ) + total("points_pending")
    ends = ("delivered_total", "replaced_total", "expired_total", "rejected_total", "queued")
    assert total("values_closed_total") == sum(total("values_" + end) for end in ends) + total(
        "values_withheld_total"
    )


def test_the_key_stays_out_of_the_log_and_the_program_ends_well(outcome):
    assert outcome.api.key not in outcome.log
    assert "Sanitizer" not in outcome.log, outcome.log
    assert outcome.exit_code == 0
