"""The kubelet's recording in every mode, against the oracle and against what the recording says.

The recording is of an imitated kubelet with a container that is started anew, a pod that vanishes and one
that appears (points.txt there). Names and identifiers are those of mackerel-container-agent.
"""

import re

import gateway
import oracle
import pytest
import shift
from test_corpus import differences

MINUTE = 60 * gateway.SECOND
FOLDER = gateway.CORPUS / "kubeletstats"
MODES = ["node", "pod-host", "workload", "off"]

PODS = {
    "web-7d4f9c-abcde": ("30ea5cbd-1111-4222-8333-000000a54d28", {"nginx", "app"}),
    "web-7d4f9c-fghij": ("9c50fca2-1111-4222-8333-000000a8527f", {"nginx", "app"}),
    "pay-55c8-klmno": ("71924afc-1111-4222-8333-000000942496", {"pay"}),
    "redis-0": ("c47a55db-1111-4222-8333-0000004be24c", {"redis", "exporter"}),
    "coredns-8f7-pqrst": ("51106c65-1111-4222-8333-000000c41d39", {"coredns"}),
    "kube-proxy-x2x2x": ("0af43e32-1111-4222-8333-000000bb6a01", {"kube-proxy"}),
    "batch-28411-uvwxy": ("33b47214-1111-4222-8333-000000afd061", {"worker"}),
}
# The imitated pods of a workload have the same limits: in cores, in MiB.
NO_CPU_LIMIT, NO_MEMORY_LIMIT = {"redis", "coredns", "kube-proxy"}, {"kube-proxy"}


def replay(mode, requests=None):
    requests = requests or gateway.protobuf_requests(FOLDER)
    return gateway.replay(requests, gateway.early_watch_start(FOLDER), containers=mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seconds", [0, 7, 23, 41])
def test_every_mode_gives_the_values_of_the_oracle(mode, seconds, tmp_path):
    requests = gateway.protobuf_requests(FOLDER)
    watch_start = gateway.early_watch_start(FOLDER)
    if seconds:
        requests = shift.shifted(FOLDER, seconds * gateway.SECOND, tmp_path)
        watch_start += seconds * gateway.SECOND
    got, summary = gateway.replay(requests, watch_start, containers=mode)
    found = differences(oracle.posted(requests, watch_start, container_mode=mode), got)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:40])
    assert summary["ledger"]["balances"] is True
    assert summary["ledger"]["pending"] == 0


def test_hosts_and_names_are_those_of_mackerel_container_agent():
    values, _ = replay("pod-host")
    hosts = {d: set() for d, _, _ in values if d.custom_identifier.endswith(".kubernetes")}
    for destination, name, _ in values:
        if destination in hosts:
            hosts[destination].add(name)
    assert {d.name: d.custom_identifier for d in hosts} == {
        pod: uid + ".kubernetes" for pod, (uid, _) in PODS.items()
    }
    for destination, names in hosts.items():
        wanted = {"interface.eth0.rxBytes.delta", "interface.eth0.txBytes.delta"}
        for container in PODS[destination.name][1]:
            wanted |= {f"container.{what}.{container}.usage" for what in ("cpu", "memory")}
            if container not in NO_CPU_LIMIT:
                wanted.add(f"container.cpu.{container}.limit")
            if container not in NO_MEMORY_LIMIT:
                wanted.add(f"container.memory.{container}.limit")
        assert names == wanted, destination.name


def test_limits_are_whole_thousandths_of_a_core_and_whole_mebibytes():
    values, _ = replay("pod-host")
    limits = {name: set() for _, name, _ in values if name.endswith(".limit")}
    for (_, name, _), value in values.items():
        if name in limits:
            limits[name].add(value)
    assert {name: seen for name, seen in limits.items() if len(seen) > 1} == {}
    assert limits["container.cpu.nginx.limit"] == {25}
    assert limits["container.cpu.worker.limit"] == {200}
    assert limits["container.memory.redis.limit"] == {128 * 2**20}
    assert limits["container.memory.coredns.limit"] == {170 * 2**20}


@pytest.mark.parametrize("seconds", [0, 7, 23, 41])
def test_a_container_that_is_started_anew_makes_no_spike(seconds, tmp_path):
    """The imitated containers use at most 2 cores; a fall taken for a wrap-around would be 10^19 s."""
    requests = shift.shifted(FOLDER, seconds * gateway.SECOND, tmp_path)
    values, _ = gateway.replay(
        requests,
        gateway.early_watch_start(FOLDER) + seconds * gateway.SECOND,
        containers="pod-host",
    )
    usages = [v for (_, name, _), v in values.items() if re.match(r"container\.cpu\..*usage", name)]
    assert usages and all(0 <= usage <= 201 for usage in usages)


def test_what_a_workload_shows_is_the_sum_over_its_pods():
    pods, _ = replay("pod-host")
    workloads, _ = replay("workload")
    for (destination, name, minute), value in workloads.items():
        if destination.name != "web.shop" or "memory" not in name:
            continue
        parts = [
            v
            for (d, n, m), v in pods.items()
            if d.name.startswith("web-") and (n, m) == (name, minute)
        ]
        assert len(parts) == 2 and sum(parts) == value, (name, minute)
