"""A program measured with the OpenTelemetry Python SDK: the workload of tests/clients/client.cjs.

Works until `until` (Unix seconds) or until the file `stop_file` is there, then prints as JSON what
it counted, and whether its last export was acknowledged. Its arguments are one JSON object: service,
instance, transport (grpc, http), gzip, delta, endpoint, middle, until, stop_file (may be missing).
"""
import json
import os
import sys
import time

import grpc
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as Http
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

EXPORT_MS = 1000
STEP_S = 0.2
BOUNDS = [0.01, 0.05, 0.1, 0.5, 1.0]
LATENCIES = [0.004, 0.03, 0.07, 0.2, 0.7]  # one for each bucket but the last


def exporter(case):
    kinds = (Counter, Histogram, ObservableCounter) if case["delta"] else ()
    temporality = {kind: AggregationTemporality.DELTA for kind in kinds}
    if case["transport"] == "grpc":
        compression = grpc.Compression.Gzip if case["gzip"] else grpc.Compression.NoCompression
        return Grpc(
            endpoint="http://" + case["endpoint"],
            insecure=True,
            compression=compression,
            preferred_temporality=temporality,
        )
    return Http(
        endpoint=f"http://{case['endpoint']}/v1/metrics",
        compression=Compression.Gzip if case["gzip"] else Compression.NoCompression,
        preferred_temporality=temporality,
    )


def note_results(exporter, counted):
    export = exporter.export

    def noting(*arguments, **more):
        result = export(*arguments, **more)
        counted["acknowledged"] = result == MetricExportResult.SUCCESS
        return result

    exporter.export = noting
    return exporter


def main():
    case = json.loads(sys.argv[1])
    counted = {"orders": 0, "latency_count": 0, "latency_sum": 0.0, "acknowledged": False}
    attributes = {"service.name": case["service"]}
    if case["instance"]:
        attributes["service.instance.id"] = case["instance"]
    reader = PeriodicExportingMetricReader(
        note_results(exporter(case), counted), export_interval_millis=EXPORT_MS
    )
    provider = MeterProvider([reader], Resource.create(attributes))
    meter = provider.get_meter("workload")
    orders = meter.create_counter("orders", "{order}")
    latency = meter.create_histogram("latency", "s", explicit_bucket_boundaries_advisory=BOUNDS)
    in_flight = meter.create_up_down_counter("in_flight", "{order}")
    temperature = meter.create_gauge("temperature", "Cel")

    in_flight.add(5)
    step = 0
    while (now := time.time()) < case["until"] and not os.path.exists(case.get("stop_file", "")):
        orders.add(1 + step % 3, {"kind": "book" if step % 2 else "toy"})
        latency.record(LATENCIES[step % 5], {"route": "/a" if step % 3 else "/b"})
        temperature.set(10.5 if now < case["middle"] else 20.25)
        counted["orders"] += 1 + step % 3
        counted["latency_count"] += 1
        counted["latency_sum"] += LATENCIES[step % 5]
        step += 1
        time.sleep(STEP_S)
    in_flight.add(-2)
    provider.shutdown()
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
