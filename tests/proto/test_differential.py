"""The decoder and the official Python parser say the same about the same bytes."""
import gzip
import json
import os
import pathlib
import random
import struct
import subprocess

import pytest
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest)

from oracle import Expectation

DUMP = os.environ["OTLP_DUMP"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"


def dump(paths, *options):
    """[(head, points)] for each file."""
    run = subprocess.run([DUMP, *options, *map(str, paths)], capture_output=True, check=True)
    lines = map(json.loads, run.stdout.decode().splitlines())
    results = []
    for head in lines:
        results.append((head, [next(lines) for _ in range(head.get("points", 0))]))
    assert len(results) == len(paths)
    return results


ARRAY, MAP = 5, 6


def read_json(attributes):
    """Arrays and maps are printed as the text that other protocols get."""
    return [[key, kind, json.loads(value) if kind in (ARRAY, MAP) else value]
            for key, kind, value in attributes]


class Identities:
    """Hashes and identities must name the same things."""

    def __init__(self):
        self.by_hash, self.by_identity = {}, {}

    def agree(self, hash_text, identity):
        assert self.by_hash.setdefault(hash_text, identity) == identity
        assert self.by_identity.setdefault(identity, hash_text) == hash_text


def compare(result, body, identities):
    head, points = result
    expected = Expectation(body)
    assert head["ok"]
    assert head["total"] == expected.total
    assert head["unknown"] == expected.unknown
    assert head["refused"] == expected.refused
    assert head["rejected"] == sum(expected.refused.values())
    assert len(points) == len(expected.points)
    for point, want, identity in zip(points, expected.points, expected.identities):
        identities.agree(point.pop("stream"), identity)
        identities.agree(point.pop("family"), identity[0])
        for name in ("resource", "scope_attributes", "attributes"):
            point[name] = read_json(point[name])
        assert point == want


# ---- recordings --------------------------------------------------------------------------------

def recordings():
    for meta in sorted(CORPUS.glob("*/meta.json")):
        for request in json.loads(meta.read_text())["requests"]:
            if "json" not in request["content_type"]:
                packed = request["transport"] == "http" and request["content_encoding"]
                yield meta.parent / request["file"], packed


def test_recordings_decode_to_what_the_official_parser_sees():
    identities, seen = Identities(), 0
    for packed in (False, True):
        paths = [path for path, used in recordings() if bool(used) == packed]
        for path, result in zip(paths, dump(paths, *(["--gzip"] if packed else []))):
            body = path.read_bytes()
            compare(result, gzip.decompress(body) if packed else body, identities)
            seen += len(result[1])
    assert seen > 10000, "the corpus is missing"


# ---- random messages ---------------------------------------------------------------------------

TEXTS = ["", "a", "b", "host.name", "日本語", "with space", "quote\"back\\slash", "x" * 127,
         "y" * 128, "z" * 300, "\x01\x7f", "🙂"]
DOUBLES = [0.0, -0.0, 1.5, -2.25, 1e300, 5e-324, float("inf"), float("nan"), 123456789.0, 0.1]
TIMES = [0, 1, 1795500000000000000, 1795500060000000000, 2**64 - 1]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, values):
        return self.random.choice(values)

    def any_value(self, value, depth=0):
        kind = self.random.randrange(5 if depth > 3 else 9)
        if kind == 0:
            value.string_value = self.pick(TEXTS)
        elif kind == 1:
            value.bool_value = self.chance(0.5)
        elif kind == 2:
            value.int_value = self.pick([0, 1, -1, 127, 128, 2**63 - 1, -2**63, 1795])
        elif kind == 3:
            value.double_value = self.pick(DOUBLES)
        elif kind == 4:
            value.bytes_value = self.random.randbytes(self.random.randrange(5))
        elif kind == 5:
            value.array_value.SetInParent()
            for _ in range(self.random.randrange(4)):
                self.any_value(value.array_value.values.add(), depth + 1)
        elif kind == 6:
            value.kvlist_value.SetInParent()
            self.pairs(value.kvlist_value.values, depth + 1)
        elif kind == 7:
            value.string_value_strindex = 3

    def pairs(self, pairs, depth=0):
        for key in self.random.sample(TEXTS, self.random.randrange(5)):
            pair = pairs.add(key=key)
            if self.chance(0.6):
                pair.value.string_value = self.pick(TEXTS)
            elif self.chance(0.9):
                self.any_value(pair.value, depth)

    def common(self, point):
        self.pairs(point.attributes)
        point.time_unix_nano = self.pick(TIMES)
        if self.chance(0.7):
            point.start_time_unix_nano = self.pick(TIMES[:3])
        if self.chance(0.1):
            point.flags = self.pick([1, 2, 3, 255])

    def exemplars(self, point):
        for _ in range(self.random.randrange(3)):
            exemplar = point.exemplars.add(time_unix_nano=1, as_double=2, span_id=b"12345678")
            self.pairs(exemplar.filtered_attributes)

    def number(self, point):
        self.common(point)
        self.exemplars(point)
        if self.chance(0.5):
            point.as_int = self.pick([0, 1, -5, 2**53 + 1, 2**63 - 1, -2**63])
        elif self.chance(0.9):
            point.as_double = self.pick(DOUBLES)

    def optional(self, point):
        for name in ("sum", "min", "max"):
            if self.chance(0.5):
                setattr(point, name, self.pick(DOUBLES))

    def histogram(self, point):
        self.common(point)
        self.exemplars(point)
        size = self.random.randrange(6)
        point.bucket_counts.extend(self.random.randrange(300) for _ in range(size))
        bounds = sorted(self.random.sample(range(-50, 50), max(0, size - 1)))
        point.explicit_bounds.extend(map(float, bounds))
        point.count = sum(point.bucket_counts) + (self.pick([0, 0, 0, 1]))
        if self.chance(0.1):
            point.explicit_bounds.append(self.pick(DOUBLES))
        self.optional(point)

    def exponential(self, point):
        self.common(point)
        self.exemplars(point)
        for buckets in (point.positive, point.negative):
            if self.chance(0.7):
                buckets.offset = self.pick([-5, 0, 1783040, -2**31, 2**31 - 1, -1075, 1022])
                buckets.bucket_counts.extend(self.pick([0, 1, 7, 128, 300, 2**33])
                                             for _ in range(self.random.randrange(6)))
        point.scale = self.pick([-20, -11, -10, 0, 0, 3, 20, 22, 2**31 - 1, -2**31])
        point.zero_count = self.random.randrange(3)
        point.zero_threshold = self.pick([0.0, 0.0, 0.0, 1e-6, 5e-324, *DOUBLES])
        point.count = (sum(point.positive.bucket_counts) + sum(point.negative.bucket_counts)
                       + point.zero_count + self.pick([0, 0, 0, 1]))
        self.optional(point)

    def summary(self, point):
        self.common(point)
        point.count, point.sum = self.random.randrange(9), self.pick(DOUBLES)
        quantiles = sorted(self.random.sample([0.0, 0.5, 0.9, 0.99, 0.999, 1.0],
                                              self.random.randrange(5)))
        if self.chance(0.1):
            quantiles.append(self.pick([-0.5, 0.5, 1.5, float("nan")]))
        for quantile in quantiles:
            point.quantile_values.add(quantile=quantile, value=self.pick(
                [0.0, 1.5, 1e300, float("nan"), float("inf"), quantile, quantile,
                 -1.0 if self.chance(0.1) else 2.0]))

    def metric(self, metric):
        metric.name = self.pick(["", "m", "http.server.duration", "日本"])
        metric.unit = self.pick(["", "s", "By"])
        metric.description = self.pick(["", "text", "日本"])
        self.pairs(metric.metadata)
        kind = self.pick(["gauge", "sum", "histogram", "exponential_histogram", "summary", None])
        if kind is None:
            return
        data = getattr(metric, kind)
        data.SetInParent()
        fill = {"gauge": self.number, "sum": self.number, "histogram": self.histogram,
                "exponential_histogram": self.exponential, "summary": self.summary}[kind]
        for _ in range(self.random.randrange(5)):
            fill(data.data_points.add())
        if kind not in ("gauge", "summary"):
            data.aggregation_temporality = self.pick([0, 1, 2, 2, 2, 3])
        if kind == "sum":
            data.is_monotonic = self.chance(0.5)

    def request(self):
        request = ExportMetricsServiceRequest()
        for _ in range(self.random.randrange(1, 4)):
            resource_metrics = request.resource_metrics.add(schema_url="u")
            self.pairs(resource_metrics.resource.attributes)
            resource_metrics.resource.entity_refs.add(type="service", id_keys=["a"])
            for _ in range(self.random.randrange(3)):
                scope_metrics = resource_metrics.scope_metrics.add()
                if self.chance(0.8):
                    scope_metrics.scope.name = self.pick(["", "s", "t"])
                    scope_metrics.scope.version = self.pick(["", "1"])
                    self.pairs(scope_metrics.scope.attributes)
                for _ in range(self.random.randrange(4)):
                    self.metric(scope_metrics.metrics.add())
        return request


# ---- the same message in other bytes -------------------------------------------------------------

def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def delimited(number, content):
    return tag(number, 2) + varint(len(content)) + content


class Scrambler:
    """Writes a message in any of the ways that protobuf allows: members in any order, singular
    messages in pieces, repeated numbers packed or not, losing values first, unknown fields."""

    def __init__(self, rng):
        self.random = rng

    def noise(self):
        number = self.random.choice([100, 536870911, 19, 77])
        return self.random.choice([
            b"", b"", b"", tag(number, 0) + varint(self.random.getrandbits(64)),
            tag(number, 1) + b"12345678", tag(number, 5) + b"1234",
            delimited(number, b"\xff\xfe"),
            tag(number, 3) + tag(5, 0) + b"\x01" + tag(9, 3) + tag(9, 4) + tag(number, 4)])

    def single(self, field, value):
        number, kind = field.number, field.type
        if kind == Field.TYPE_MESSAGE:
            return self.pieces(field, value)
        if kind == Field.TYPE_STRING:
            return delimited(number, value.encode())
        if kind == Field.TYPE_BYTES:
            return delimited(number, value)
        return self.scalar(field, value, with_tag=True)

    def scalar(self, field, value, with_tag):
        kind = field.type
        if kind == Field.TYPE_DOUBLE:
            content, wire_type = struct.pack("<d", value), 1
        elif kind in (Field.TYPE_FIXED64, Field.TYPE_SFIXED64):
            content, wire_type = struct.pack("<Q", value & 2**64 - 1), 1
        elif kind == Field.TYPE_SINT32:
            content, wire_type = varint((value << 1) ^ (value >> 31)), 0
        else:
            content, wire_type = varint(int(value)), 0
        return (tag(field.number, wire_type) if with_tag else b"") + content

    def pieces(self, field, value):
        """A singular message in one or two pieces, cut between its fields."""
        parts = self.parts(value)
        cut = self.random.randrange(len(parts) + 1) if self.random.random() < 0.3 else len(parts)
        out = delimited(field.number, b"".join(parts[:cut]))
        if cut < len(parts):
            out += self.noise() + delimited(field.number, b"".join(parts[cut:]))
        return out

    def repeated(self, field, values):
        if field.type == Field.TYPE_MESSAGE:
            return [delimited(field.number, b"".join(self.parts(value))) for value in values]
        if field.type == Field.TYPE_STRING:
            return [delimited(field.number, value.encode()) for value in values]
        out, values = [], list(values)
        while values:
            count = self.random.randrange(1, len(values) + 1)
            chunk, values = values[:count], values[count:]
            if self.random.random() < 0.3:
                out += [self.scalar(field, value, with_tag=True) for value in chunk]
            else:
                out.append(delimited(field.number, b"".join(
                    self.scalar(field, value, with_tag=False) for value in chunk)))
        return out

    def loser(self, field):
        """A member of the same oneof, to be overwritten."""
        group = field.containing_oneof
        others = [other for other in group.fields if other.number != field.number] if group else []
        if not others or self.random.random() < 0.7:
            return b""
        other = self.random.choice(others)
        if other.type in (Field.TYPE_MESSAGE, Field.TYPE_STRING, Field.TYPE_BYTES):
            return delimited(other.number, b"")
        return self.scalar(other, 1, with_tag=True)

    def parts(self, message):
        """Byte strings that may be put in any order as long as each field's own stay in theirs."""
        queues = []
        for field, value in message.ListFields():
            if field.is_repeated:
                queues.append(self.repeated(field, value))
            else:
                queues.append([self.loser(field) + self.single(field, value)])
        out = [self.noise()]
        while queues:
            queue = self.random.choice(queues)
            out += [queue.pop(0), self.noise()]
            queues = [queue for queue in queues if queue]
        return out


@pytest.fixture(scope="module")
def messages():
    maker = Maker(20261124)
    return [maker.request() for _ in range(400)]


def write_all(folder, bodies):
    paths = []
    for index, body in enumerate(bodies):
        paths.append(folder / f"{index:05}.pb")
        paths[-1].write_bytes(body)
    return paths


def test_random_messages_decode_alike(messages, tmp_path):
    bodies = [message.SerializeToString() for message in messages]
    identities = Identities()
    for result, body in zip(dump(write_all(tmp_path, bodies)), bodies):
        compare(result, body, identities)


def test_scrambled_messages_decode_alike(messages, tmp_path):
    scrambler = Scrambler(random.Random(5))
    bodies = [b"".join(scrambler.parts(message)) for message in messages]
    identities = Identities()
    for result, body in zip(dump(write_all(tmp_path, bodies)), bodies):
        compare(result, body, identities)


def damaged(messages):
    rng = random.Random(11)
    for message in messages[:200]:
        body = bytearray(message.SerializeToString())
        for _ in range(8):
            copy = bytearray(body)
            if rng.random() < 0.3:
                del copy[rng.randrange(len(copy)):]
            for _ in range(rng.randrange(1, 4)):
                if copy:
                    copy[rng.randrange(len(copy))] = rng.randrange(256)
            yield bytes(copy)


def test_what_the_official_parser_takes_is_taken_and_means_the_same(messages, tmp_path):
    """The other way round does not hold: parts that nobody needs are skipped here unread, and
    invalid UTF-8 rejects nothing."""
    bodies = list(damaged(messages))
    identities, taken, refused = Identities(), 0, 0
    for result, body in zip(dump(write_all(tmp_path, bodies)), bodies):
        try:
            ExportMetricsServiceRequest.FromString(body)
        except DecodeError:
            refused += not result[0]["ok"]
            continue
        compare(result, body, identities)
        taken += 1
    assert taken > 100 and refused > 500
