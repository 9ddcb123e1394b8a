"""Recorded and made-up OTLP, moved to a time of our choice and sent over HTTP or gRPC."""
import gzip
import http.client
import json
import pathlib
import time

import pytest

grpc = pytest.importorskip("grpc")
otlp = pytest.importorskip("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")

Request = otlp.ExportMetricsServiceRequest
CORPUS = pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpus"
METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
SECOND = 10**9
MINUTE = 60 * SECOND


def points(request):
    """(resource, metric, point) of every point."""
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    yield resource.resource, metric, point


def shift(request, by_ns):
    for _, _, point in points(request):
        point.time_unix_nano += by_ns
        if point.start_time_unix_nano:
            point.start_time_unix_nano += by_ns
        for exemplar in getattr(point, "exemplars", ()):
            exemplar.time_unix_nano += by_ns


def recorded(folder, last_ns):
    """The recording's requests, moved by whole minutes so that its last time is at most last_ns."""
    meta = json.loads((CORPUS / folder / "meta.json").read_text())
    requests = []
    for entry in meta["requests"]:
        body = (CORPUS / folder / entry["file"]).read_bytes()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        requests.append(Request.FromString(body))
    newest = max(point.time_unix_nano for r in requests for _, _, point in points(r))
    by_ns = (last_ns - newest) // MINUTE * MINUTE
    for request in requests:
        shift(request, by_ns)
    return requests


def gauge(service, name, samples, **resource):
    """One gauge of a service: samples are (time in ns, value)."""
    request = Request()
    attributes = {"service.name": service} if service else {}
    metrics = request.resource_metrics.add()
    for key, text in (attributes | resource).items():
        metrics.resource.attributes.add(key=key.replace("__", ".")).value.string_value = text
    metric = metrics.scope_metrics.add().metrics.add(name=name)
    for time_ns, value in samples:
        metric.gauge.data_points.add(time_unix_nano=time_ns, as_double=value)
    return request


def boundary(minutes_ago=4):
    return (time.time_ns() // MINUTE - minutes_ago) * MINUTE


def load(host, at_ns, value=0.5):
    """Two load averages around a minute boundary, and a custom metric, of a host by name."""
    samples = [(at_ns - 5 * SECOND, value), (at_ns + 5 * SECOND, value)]
    native = gauge(None, "system.cpu.load_average.5m", samples, host__name=host)
    custom = gauge(None, "system.paging.ratio", samples, host__name=host)
    return [native, custom]


def post(gateway, body, *, timeout_s=10, path="/v1/metrics", **headers):
    """(status, body) of one POST over HTTP/1.1."""
    host, port = gateway.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout_s)
    sent = {"Content-Type": "application/x-protobuf"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("POST", path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send_http(gateway, requests):
    for request in requests:
        body = gzip.compress(request.SerializeToString(), 1)
        status, answer = post(gateway, body, Content_Encoding="gzip")
        assert status == 200, answer


def send_grpc(gateway, requests):
    with grpc.insecure_channel(gateway.grpc, compression=grpc.Compression.Gzip) as channel:
        export = channel.unary_unary(METHOD, request_serializer=lambda r: r.SerializeToString())
        for request in requests:
            export(request, timeout=10)
