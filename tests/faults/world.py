"""Made-up senders whose truth is known, and a sender that keeps what was not acknowledged.

A source is one program with a few instruments and its own destination. Its points lie in the past,
three exports a minute, and fill whole minutes, so that a day passes in seconds of test time and what
must be posted follows from plain sums: no minute is partial, no value is carried on.
"""
import gzip
import http.client
import pathlib
import random
import sys
import threading
import time

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest as Request,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/oracle"))

from cells import QUANTILES, percentile  # noqa: E402

METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
SECOND = 10**9
MINUTE = 60 * SECOND
EXPORTS = 3  # in each minute
STEP = MINUTE // EXPORTS
BOUNDS = [1.0, 10.0, 100.0]
DELTA, CUMULATIVE = 1, 2
PATIENCE_S = 10  # of a sender for one answer
AGAIN_S = 0.05  # before a request goes out once more


class Source:
    """One program: requests() gives its exports, `truth` what its minutes must hold."""

    def __init__(self, name, owner, first_minute, minutes, seed):
        self.name = name
        self.owner = owner  # ("service", name) or ("host", id)
        self.first_minute = first_minute  # number since 1970
        self.minutes = minutes
        self.truth = {}  # (kind, id, metric name, minute in s) -> value
        self.points = 0  # in all requests so far, each once
        self.baselines = 0
        self._random = random.Random(seed)
        self._total = 0  # of the cumulative sum

    @property
    def is_host(self):
        return self.owner[0] == "host"

    def requests(self, stop):
        """(body, points) of each export, until `stop` is set and a minute is complete."""
        for number in range(self.first_minute, self.first_minute + self.minutes):
            if stop.is_set():
                return
            yield from self._minute(number)

    # --- one minute

    def _minute(self, number):
        seen = {"deltas": [], "toys": [], "latency": [], "depth": [], "jobs": [], "rises": []}
        for export in range(EXPORTS):
            at = number * MINUTE + export * STEP
            request, points = self._export(at, number, seen)
            self.points += points
            yield request.SerializeToString(), points
        self._settle(number, seen)

    def _metric_name(self, name):
        return f"system.fault.{name}" if self.is_host else name

    def _new_request(self):
        request = Request()
        resource = request.resource_metrics.add()
        key = "host.name" if self.is_host else "service.name"
        resource.resource.attributes.add(key=key).value.string_value = self.name
        return request, resource.scope_metrics.add()

    def _export(self, at, number, seen):
        request, scope = self._new_request()
        end, inside = at + STEP, at + self._random.randrange(STEP)

        def metric(name):
            return scope.metrics.add(name=self._metric_name(name))

        depth, jobs = self._random.uniform(-1e6, 1e6), self._random.randrange(-1000, 1000)
        metric("depth").gauge.data_points.add(time_unix_nano=inside, as_double=depth)
        up_down = metric("jobs").sum
        up_down.aggregation_temporality = CUMULATIVE
        up_down.data_points.add(
            start_time_unix_nano=self.first_minute * MINUTE, time_unix_nano=inside, as_int=jobs
        )
        self._put_deltas(metric("orders").sum, at, end, seen)
        self._put_histogram(metric("latency").histogram, at, end, seen)
        points = 5 + self._put_total(metric("bytes").sum, at, end, number, seen)
        seen["depth"].append(depth)
        seen["jobs"].append(jobs)
        return request, points

    def _put_deltas(self, orders, at, end, seen):
        """Two streams that merge into one series."""
        orders.aggregation_temporality, orders.is_monotonic = DELTA, True
        for kind in ("deltas", "toys"):
            count = self._random.randrange(1000)
            point = orders.data_points.add(
                start_time_unix_nano=at, time_unix_nano=end, as_int=count
            )
            point.attributes.add(key="kind").value.string_value = kind
            seen[kind].append(count)

    def _put_histogram(self, latency, at, end, seen):
        latency.aggregation_temporality = DELTA
        buckets = [self._random.randrange(100) for _ in range(len(BOUNDS) + 1)]
        total = float(sum(buckets) * 7)
        latency.data_points.add(
            start_time_unix_nano=at, time_unix_nano=end, count=sum(buckets), sum=total,
            bucket_counts=buckets, explicit_bounds=BOUNDS,
        )
        seen["latency"].append(buckets)

    def _put_total(self, total, at, end, number, seen):
        """A total that was running before: its first point is a baseline, on a boundary."""
        total.aggregation_temporality, total.is_monotonic = CUMULATIVE, True
        start = (self.first_minute - 60) * MINUTE
        is_first = at == self.first_minute * MINUTE
        if is_first:
            self._total = self._random.randrange(10**6)
            self.baselines += 1
            total.data_points.add(
                start_time_unix_nano=start, time_unix_nano=at, as_int=self._total
            )
        rise = self._random.randrange(10**4)
        self._total += rise
        total.data_points.add(start_time_unix_nano=start, time_unix_nano=end, as_int=self._total)
        seen["rises"].append(rise)
        return 1 + is_first

    # --- what it must come to

    def _settle(self, number, seen):
        counts = [sum(column) for column in zip(*seen["latency"])]
        values = {
            "depth": seen["depth"][-1],
            "jobs": seen["jobs"][-1],
            "orders.rate": (sum(seen["deltas"]) + sum(seen["toys"])) / 60,
            "bytes.rate": sum(seen["rises"]) / 60,
            "latency.rate": sum(counts) / 60,
            "latency.avg": 7.0,
        }
        for name, q in QUANTILES.items():
            values[f"latency.{name}"] = float(percentile(BOUNDS, counts, q))
        prefix = "custom.system.fault." if self.is_host else ""
        for name, value in values.items():
            self.truth[(*self.owner, prefix + name, number * 60)] = value


class Braid:
    """Several sources by turns: the pause between two exports of one is long enough for its minute to
    close meanwhile, to be posted with a part, and to be corrected."""

    def __init__(self, sources):
        self._sources = sources

    def requests(self, stop):
        left = [source.requests(stop) for source in self._sources]
        while left:
            for exports in list(left):
                export = next(exports, None)
                if export is None:
                    left.remove(exports)
                else:
                    yield export

    @property
    def truth(self):
        found = {}
        for source in self._sources:
            found |= source.truth
        return found

    @property
    def points(self):
        return sum(source.points for source in self._sources)

    @property
    def baselines(self):
        return sum(source.baselines for source in self._sources)


# ---- ways to a gateway


class Refused(Exception):
    """An answer that says: not now."""


class Http:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)

    def encode(self, body):
        return gzip.compress(body, 1, mtime=0)

    def send(self, body):
        try:
            self._connection.request("POST", "/v1/metrics", body, {
                "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"})
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if answer.status in (429, 502, 503, 504):
            raise Refused(f"{answer.status}, Retry-After {answer.headers.get('Retry-After')}")
        assert answer.status == 200, (answer.status, text)
        assert not text, ("partial success", text)

    def close(self):
        self._connection.close()


class Grpc:
    # Without these a channel waits longer and longer for a gateway that is being started.
    OPTIONS = [
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 200),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]

    def __init__(self, address):
        self._channel = grpc.insecure_channel(address, options=self.OPTIONS)
        self._export = self._channel.unary_unary(METHOD)

    def encode(self, body):
        return body

    def send(self, body):
        try:
            answer = self._export(body, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            unavailable = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
            assert error.code() in (*unavailable, grpc.StatusCode.DEADLINE_EXCEEDED), error
            raise Refused(error.details()) from None
        assert not answer, ("partial success", answer)

    def close(self):
        self._channel.close()


class Sender(threading.Thread):
    """Sends sources one after the other, as a collector with a queue: what was not acknowledged goes
    out again, byte for byte, before anything else."""

    def __init__(self, way, sources, pause_s=0.0):
        super().__init__(daemon=True)
        self.stopping = threading.Event()  # ends with a whole minute, everything acknowledged
        self.giving_up = threading.Event()  # ends at once
        self.sent = []  # sources
        self.requests = self.points = self.resends = 0  # acknowledged, acknowledged, not
        self.minutes = 0
        self.error = None
        self._way, self._sources, self._pause_s = way, sources, pause_s

    def run(self):
        try:
            for source in self._sources:
                if self.stopping.is_set():
                    return
                self.sent.append(source)
                self._send_source(source)
        except Exception as error:  # reported by whoever waits for the thread
            self.error = error
        finally:
            self._way.close()

    def _send_source(self, source):
        for body, points in source.requests(self.stopping):
            encoded = self._way.encode(body)
            while not self._try(encoded):
                if self.giving_up.is_set():
                    return
                self.resends += 1
                time.sleep(AGAIN_S)
            self.requests += 1
            self.points += points
            time.sleep(self._pause_s)

    def _try(self, encoded):
        try:
            self._way.send(encoded)
        except (Refused, OSError, http.client.HTTPException):
            return False
        return True

    def finish(self, timeout_s):
        self.stopping.set()
        self.join(timeout_s)
        self.giving_up.set()
        if self.error:
            raise self.error
        assert not self.is_alive(), "a sender is not rid of its last request"

    @property
    def truth(self):
        found = {}
        for source in self.sent:
            found |= source.truth
        return found

    @property
    def distinct_points(self):
        return sum(source.points for source in self.sent)

    @property
    def baselines(self):
        return sum(source.baselines for source in self.sent)


def past_minute(hours):
    return int(time.time()) // 60 - int(hours * 60)
