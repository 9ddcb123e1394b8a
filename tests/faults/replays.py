"""Recordings of real senders, moved into the past and under a name of their own; what they must come
to is the oracle's calculation (tests/oracle)."""
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/oracle"))

import oracle  # noqa: E402
import recording  # noqa: E402
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # noqa: E402
    ExportMetricsServiceRequest as Request,
)

CORPUS = ROOT.parent / "shared/corpus"
MINUTE = 60 * 10**9
GAP_NS = 10**7
IDENTITY = ("service.name", "service.namespace", "host.name", "host.id", "k8s.node.name",
            "service.instance.id")


def points_of(message):
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                field = metric.WhichOneof("data")
                if field:
                    yield from getattr(metric, field).data_points


def messages(folder):
    """Of each request that the oracle can read."""
    for request in recording.requests(CORPUS / folder):
        if request.is_protobuf:
            yield Request.FromString(recording.body(request))


def move(message, by_ns):
    for point in points_of(message):
        for field in ("start_time_unix_nano", "time_unix_nano"):
            if getattr(point, field):
                setattr(point, field, getattr(point, field) + by_ns)


def rename(message, suffix):
    """The same senders under other names: nothing that they say meets anything else."""
    for resource in message.resource_metrics:
        for attribute in resource.resource.attributes:
            if attribute.key in IDENTITY and attribute.value.string_value:
                attribute.value.string_value += suffix


class Recording:
    """As world.Source: requests() and truth. It is for a gateway that began to watch just now, and
    that gets the requests one after the other without a pause."""

    def __init__(self, api, folder, suffix, newest_ns):
        self.name = folder + suffix
        self._messages = list(messages(folder))
        newest = max(p.time_unix_nano for m in self._messages for p in points_of(m))
        by_ns = (newest_ns - newest) // MINUTE * MINUTE
        for message in self._messages:
            move(message, by_ns)
            rename(message, suffix)
        self.points = sum(1 for m in self._messages for _ in points_of(m))
        self.truth = self._calculate(api)

    def requests(self, _stop):
        for message in self._messages:
            yield message.SerializeToString(), sum(1 for _ in points_of(message))

    def _calculate(self, api):
        now = time.time_ns()
        with tempfile.TemporaryDirectory() as folder:
            requests = []
            for i, message in enumerate(self._messages):
                path = pathlib.Path(folder, f"{i:04}")
                path.write_bytes(message.SerializeToString())
                requests.append(recording.Request(path, now + i * GAP_NS, "identity", True))
            values = oracle.posted(requests, now - 1)
        hosts = {d.name: None for d, _, _ in values if d.kind == "host"}
        hosts = {name: api.add_host(name) for name in hosts}
        return {
            (d.kind, hosts[d.name] if d.kind == "host" else d.name, metric, minute // 10**9): float(
                value
            )
            for (d, metric, minute), value in values.items()
        }
