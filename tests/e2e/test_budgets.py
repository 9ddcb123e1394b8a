"""A flood of labels, with every default: no host, names within the budgets, and it is said."""
import sender
from sender import SECOND, boundary

VALUES = 100_000
PER_REQUEST = 5_000
BUDGET = 200


def flood(at_ns):
    """A counter with as many values of one attribute, on hosts that nobody knows."""
    for first in range(0, VALUES, PER_REQUEST):
        request = sender.gauge("shop", "queue.size", [], host__name="worker")
        metric = request.resource_metrics[0].scope_metrics[0].metrics[0]
        for i in range(first, first + PER_REQUEST):
            point = metric.gauge.data_points.add(time_unix_nano=at_ns, as_double=1)
            point.attributes.add(key="queue").value.string_value = f"queue/{i}"
        yield request


def services(at_ns):
    """More services than there are names for."""
    for i in range(BUDGET + 50):
        yield sender.gauge(f"service-{i}", "queue.size", [(at_ns, 1.0)])


def test_a_flood_of_attribute_values_stays_within_the_budgets(api, gateway):
    running = gateway()
    at = boundary(2) + SECOND
    sender.send_http(running, list(flood(at)))
    sender.send_http(running, list(services(at)))
    status = running.wait(lambda s: s["ledger"]["points"]["dropped"].get("over_budget") == 51, 60)
    assert status["streams"] > VALUES
    assert status["budgets"]["service_names"] <= BUDGET
    assert status["budgets"]["hosts"] == 0
    # The flood is one name: attributes are summed away. The first services have the others.
    assert api.wait(
        lambda: api.latest("service", "shop", "queue.size", at // SECOND // 60 * 60) == 1.0, 60
    ), running.page("/status")
    assert len(api.hosts) == 0
    assert "over budget" in running.output()


def test_a_flood_of_kept_values_goes_to_other(api, gateway):
    running = gateway(rules='[{"keep": [{"attribute": "queue", "top": 1000}], "merge": "sum"}]')
    at = boundary(2) + SECOND
    sender.send_http(running, list(flood(at)))
    status = running.wait(lambda s: s["budgets"]["collapsed_series"] == VALUES - 100, 60)
    assert status["budgets"]["service_names"] == 101
    assert status["budgets"]["hosts"] == 0
    minute = at // SECOND // 60 * 60
    assert api.wait(
        lambda: api.latest("service", "shop", "queue.size.other", minute) == VALUES - 100, 60
    ), running.page("/status")
    assert len(api.hosts) == 0
    assert "go to `other`" in running.output()
