"""Moves a recording in time, so that its points fall elsewhere in the minutes."""

import gateway
import recording
from recording import ExportMetricsServiceRequest, Request


def shifted(folder, by, into):
    """The protobuf requests of a recording, all times moved by so many ns; bodies in `into`."""
    found = []
    for request in gateway.protobuf_requests(folder):
        message = ExportMetricsServiceRequest.FromString(recording.body(request))
        for point in points_of(message):
            for field in ("start_time_unix_nano", "time_unix_nano"):
                if getattr(point, field):
                    setattr(point, field, min(getattr(point, field) + by, 2**64 - 1))
        path = into / request.path.name
        path.write_bytes(message.SerializeToString())
        found.append(Request(path, request.received + by, "identity", True))
    return found


def points_of(message):
    for resource_metrics in message.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                field = metric.WhichOneof("data")
                if field:
                    yield from getattr(metric, field).data_points
