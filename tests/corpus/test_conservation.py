"""Random senders, delivered badly: what was acknowledged is posted, or the ledger names it."""

import gateway
import oracle
import pytest
from generated import DELTA, HOUR, MINUTE, SECOND, WATCH_START, Outages, Scenario
from test_corpus import differences

SEEDS = range(4)


def replay(scenario):
    """What Mackerel holds; the books are right and the oracle says the same."""
    requests = scenario.in_order()
    values, summary = gateway.replay(requests, WATCH_START)
    ledger = summary["ledger"]
    assert ledger["balances"] and ledger["pending"] == 0
    assert ledger["received"] == scenario.points
    by_the_rules = oracle.run(requests, WATCH_START)
    found = differences(by_the_rules.values(), values)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:40])
    assert ledger["reasons"] == by_the_rules.reasons
    return values, by_the_rules


def posted(values, service):
    """(orders, observations, their sum) that all minutes of the service add up to."""
    of_service = {(n, m): v for (d, n, m), v in values.items() if d.name == service}
    orders = sum(value * 60 for (name, _), value in of_service.items() if name == "orders.rate")
    counts = {m: value * 60 for (name, m), value in of_service.items() if name == "sizes.rate"}
    total = sum(of_service.get(("sizes.avg", m), 0) * count for m, count in counts.items())
    return orders, sum(counts.values()), total


def expect_all(scenario, values):
    for service, done in scenario.acknowledged.items():
        want = [sum(getattr(one, of) for one in done) for of in ("orders", "observations", "sum")]
        assert posted(values, service) == pytest.approx(want, rel=1e-9, abs=1e-6), service


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_in_outages_of_several_instances(seed, tmp_path):
    """Three senders of each of two services, cut off for up to 50 min at a time."""
    scenario = Scenario(seed, tmp_path)
    for service in ("shop", "mill"):
        for _ in range(3):
            scenario.run(scenario.sender(service), 40, Outages(scenario.choice, 50 * MINUTE))
    values, by_the_rules = replay(scenario)
    expect_all(scenario, values)
    assert set(by_the_rules.reasons) <= {"repeat"}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_was_acknowledged_is_lost_with_requests_that_got_lost(seed, tmp_path):
    scenario = Scenario(seed, tmp_path)
    for service in ("shop", "mill"):
        outages = Outages(scenario.choice, 50 * MINUTE, lost=0.2)
        scenario.run(scenario.sender(service), 40, outages)
    values, by_the_rules = replay(scenario)
    expect_all(scenario, values)
    assert set(by_the_rules.reasons) <= {"repeat"}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_in_outages_of_many_hours(seed, tmp_path):
    """Delta senders, each the only one of its service, so that no one posts a minute without it."""
    scenario = Scenario(seed, tmp_path)
    for service in ("shop", "mill", "pier"):
        sender = scenario.sender(service, DELTA)
        scenario.run(sender, 40, Outages(scenario.choice, 20 * HOUR))
    values, by_the_rules = replay(scenario)
    expect_all(scenario, values)
    assert set(by_the_rules.reasons) <= {"repeat"}


class AnyTime:
    """Most exports arrive at once, some up to 20 h later, in any order."""

    def __init__(self, choice):
        self.choice = choice

    def __call__(self, time):
        is_late = self.choice.random() < 0.3
        return time + (int(self.choice.uniform(0, 20 * HOUR)) if is_late else SECOND)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_missing_after_delays_in_any_order_is_late(seed, tmp_path):
    scenario = Scenario(seed, tmp_path)
    for service in ("shop", "mill"):
        scenario.run(scenario.sender(service, DELTA), 40, AnyTime(scenario.choice))
    values, by_the_rules = replay(scenario)
    assert by_the_rules.reasons["late"]
    for service, (done,) in scenario.acknowledged.items():
        late = sum(
            point.value
            for point in by_the_rules.table.late_points
            if point.metric.name == "orders"
            and point.metric.resource_attribute("service.name") == service
        )
        orders, _, _ = posted(values, service)
        assert orders == pytest.approx(float(done.orders - late), rel=1e-9)
