"""Which host gets values: found, never created, and mackerel-agent stays the one writer."""
import pytest

import sender
from sender import MINUTE, SECOND, boundary, load

PATIENCE_S = 40


def test_two_hosts_of_one_name_are_none(api, gateway):
    api.add_host("web-1")
    api.add_host("web-1", status="poweroff")
    running = gateway(**{"hosts.native_metrics": "on"})
    sender.send_http(running, load("web-1", boundary()))
    unknown = running.wait(lambda s: s["unknown_hosts"])["unknown_hosts"][0]
    assert "web-1" in unknown["sought"]
    assert api.values == {}


def test_a_host_is_found_by_its_mackerel_id(api, gateway):
    host = api.add_host("any name")
    running = gateway()
    at = boundary()
    samples = [(at + SECOND, 3.0)]
    request = sender.gauge(None, "system.paging.ratio", samples, mackerel__host__id=host)
    sender.send_grpc(running, [request])
    name = "custom.system.paging.ratio"
    assert api.wait(
        lambda: api.latest("host", host, name, at // SECOND) == 3.0, PATIENCE_S
    ), running.page("/status")


def test_a_host_is_found_by_its_custom_identifier(api, gateway):
    host = api.add_host("db", custom_identifier="rack 7/db?1")
    running = gateway()
    at = boundary()
    request = sender.gauge(
        None,
        "system.paging.ratio",
        [(at + SECOND, 3.0)],
        mackerel__host__custom_identifier="rack 7/db?1",
    )
    sender.send_http(running, [request])
    name = "custom.system.paging.ratio"
    assert api.wait(
        lambda: api.latest("host", host, name, at // SECOND) == 3.0, PATIENCE_S
    ), running.page("/status")


def test_a_host_is_created_where_the_configuration_says_so(api, gateway):
    running = gateway(**{"hosts.create": "any", "hosts.native_metrics": "on"})
    at = boundary()
    sender.send_http(running, load("web-9", at))
    assert api.wait(lambda: api.values, PATIENCE_S), running.page("/status")
    (host,) = api.hosts.values()
    assert host["name"] == "web-9"
    assert api.latest("host", host["id"], "loadavg5", at // SECOND) == 0.5


def test_a_pod_is_registered_as_mackerel_container_agent_does_it(api, gateway):
    running = gateway(**{"hosts.create": "any", "containers.mode": "pod-host"})
    at = boundary()
    request = sender.gauge(
        None,
        "container.memory.working_set",
        [(at + SECOND, 3.0)],
        k8s__pod__uid="30ea5cbd-1111-4222-8333-000000a54d28",
        k8s__pod__name="web-0",
        k8s__namespace__name="shop",
        k8s__node__name="node-a",
        k8s__container__name="app",
        service__name="checkout",
    )
    sender.send_http(running, [request])
    assert api.wait(lambda: api.values, PATIENCE_S), running.page("/status")
    (host,) = api.hosts.values()
    assert host["name"] == "web-0"
    assert host["customIdentifier"] == "30ea5cbd-1111-4222-8333-000000a54d28.kubernetes"
    assert host["roles"] == {"shop": ["checkout"]}
    assert host["meta"]["cloud"] == {
        "provider": "kubernetes",
        "metadata": {
            "namespace": "shop",
            "name": "web-0",
            "uid": "30ea5cbd-1111-4222-8333-000000a54d28",
            "nodeName": "node-a",
        },
    }
    assert api.names("host", host["id"]) == ["container.memory.app.usage"]


@pytest.mark.parametrize("send", [sender.send_http, sender.send_grpc])
def test_a_host_without_an_agent_gets_native_metrics_at_once(api, gateway, send):
    host = api.add_host("web-1")
    running = gateway(**{"hosts.native_metrics": "auto"})
    at = boundary()
    send(running, load("web-1", at))
    assert api.wait(
        lambda: api.latest("host", host, "loadavg5", at // SECOND) == 0.5, PATIENCE_S
    ), running.page("/status")


def test_native_metrics_can_be_switched_off(api, gateway):
    host = api.add_host("web-1")
    running = gateway(**{"hosts.native_metrics": "off"})
    sender.send_http(running, load("web-1", boundary()))
    assert api.wait(lambda: api.values, PATIENCE_S), running.page("/status")
    running.wait(lambda s: s["ledger"]["values"]["queued"] == 0)
    assert api.names("host", host) == ["custom.system.paging.ratio"]


def test_a_retired_host_gets_nothing_more(api, gateway):
    host = api.add_host("web-1")
    running = gateway(**{"hosts.native_metrics": "on"})
    at = boundary()
    sender.send_http(running, load("web-1", at))
    assert api.wait(lambda: api.values, PATIENCE_S), running.page("/status")
    api.retire(host)
    taken = len(api.values)
    sender.send_http(running, load("web-1", at + MINUTE, 0.7))
    unknown = running.wait(lambda s: s["unknown_hosts"], 60)["unknown_hosts"][0]
    assert "web-1" in unknown["sought"]
    assert len(api.values) == taken
    api.violations.clear()  # the gateway could not know before it tried
