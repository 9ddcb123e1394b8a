"""The other side of the receiver's tests: a server under test, raw connections, OTLP bytes.

Nothing here uses the gateway's code: messages are written and read by the few lines below, HTTP/2
comes from python-h2, gRPC from grpcio.
"""
import json
import os
import pathlib
import socket
import struct
import subprocess
import time

import h2.config
import h2.connection
import h2.events
import h2.settings

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


class Sink:
    """tests/receiver/sink_server.c in a process of its own."""

    def __init__(self, *options):
        program = os.environ.get("SINK_SERVER", ROOT / "build/dev/tests/receiver/sink_server")
        self.process = subprocess.Popen(
            [program, *map(str, options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = dict(word.split("=") for word in self.process.stdout.readline().split()[1:])
        self.grpc, self.http = ready["grpc"], ready["http"]

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stats(self):
        return json.loads(self.tell("stats"))

    def wait_for(self, condition, seconds=10):
        """Waits until condition(stats) holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stats = self.stats()
            if condition(stats):
                return stats
            time.sleep(0.01)
        raise AssertionError(f"still {stats}")

    def drain(self, milliseconds=5000):
        verdict = self.tell(f"drain {milliseconds}")
        return verdict, json.loads(self.process.stdout.readline())

    def peak_rss(self):
        """Peak memory in bytes."""
        for line in open(f"/proc/{self.process.pid}/status", encoding="ascii"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        assert code == 0, "the server reported a leak, a race or lost budget"


def connect(address):
    host, port = address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


# ---- protobuf, as little as needed ---------------------------------------------------------------

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def point(time_ns=1_700_000_000_000_000_000, value=1.5):
    return varint(3 << 3 | 1) + struct.pack("<Q", time_ns) + varint(4 << 3 | 1) + struct.pack("<d", value)


def gauge_request(points, name=b"temperature"):
    """ExportMetricsServiceRequest with one gauge."""
    gauge = b"".join(field(1, p) for p in points)
    metric = field(1, name) + field(5, gauge)
    return field(1, field(2, field(2, metric)))


GOOD = gauge_request([point()])
NOT_PROTOBUF = b"\x0a\xff"
# A time of 0 is refused by the data model: one point of these three.
PARTLY_BAD = gauge_request([point(), point(time_ns=0), point()])


def fields(data):
    """Yields (number, value) of a message; value is int or bytes."""
    position = 0

    def read_varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        tag = read_varint()
        if tag & 7 == 0:
            yield tag >> 3, read_varint()
        else:
            assert tag & 7 == 2, f"unexpected wire type in {data!r}"
            length = read_varint()
            yield tag >> 3, data[position:position + length]
            position += length


def partial_success(response):
    """(rejected, message) of an ExportMetricsServiceResponse, or None."""
    outer = dict(fields(response))
    if not outer:
        return None
    inner = dict(fields(outer[1]))
    return inner.get(1, 0), inner.get(2, b"").decode()


def status(data):
    """(code, message, retry seconds or None) of a google.rpc.Status."""
    retry = None
    found = {1: 0, 2: b""}
    for number, value in fields(data):
        if number == 3:
            detail = dict(fields(value))
            assert detail[1] == b"type.googleapis.com/google.rpc.RetryInfo"
            retry = dict(fields(dict(fields(detail[2]))[1])).get(1, 0)
        else:
            found[number] = value
    return found[1], found[2].decode(), retry


# ---- HTTP/1.1 ------------------------------------------------------------------------------------

def post(body=GOOD, path="/v1/metrics", headers=(), length=True):
    lines = [f"POST {path} HTTP/1.1", "Host: test"]
    if not any(h.lower().startswith("content-type") for h in headers):
        lines.append("Content-Type: application/x-protobuf")
    if length:
        lines.append(f"Content-Length: {len(body)}")
    lines += headers
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body


class Http1:
    """A raw connection that reads answers one by one."""

    def __init__(self, address):
        self.sock = connect(address)
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self.fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(int(lines[0].split()[1]), headers, body)

    def ask(self, data):
        self.send(data)
        return self.answer()

    def at_end(self):
        """True once the server has closed; what it sent before is an error here."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()


# ---- HTTP/2 --------------------------------------------------------------------------------------

def message(body, flag=0):
    return struct.pack(">BI", flag, len(body)) + body


class Stream:
    def __init__(self):
        self.headers = self.trailers = self.reset = None
        self.body = b""
        self.ended = False

    def grpc(self):
        """(grpc-status, grpc-message) wherever they came."""
        block = self.trailers or self.headers
        return int(block["grpc-status"]), block.get("grpc-message", "")


class Http2:
    """A connection over python-h2 with the protocol's rules switched off where tests break them."""

    def __init__(self, address):
        self.sock = connect(address)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8",
                                           validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.streams = {}
        self.goaways = []
        self.closed = False
        self.settings = {}
        self.flush()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def begin(self, headers, end=False):
        stream = self.h2.get_next_available_stream_id()
        self.streams[stream] = Stream()
        self.h2.send_headers(stream, headers, end_stream=end)
        self.flush()
        return stream

    def grpc(self, path=EXPORT, extra=(), end=False):
        headers = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
                   ("te", "trailers")]
        if not any(name == "content-type" for name, _ in extra):
            headers.append(("content-type", "application/grpc"))
        return self.begin(headers + list(extra), end)

    def data(self, stream, data, end=False):
        """Sends as much as flow control and the peer's interest allow."""
        while True:
            size = min(len(data), self.h2.local_flow_control_window(stream),
                       self.h2.max_outbound_frame_size)
            last = size == len(data)
            self.h2.send_data(stream, data[:size], end_stream=end and last)
            self.flush()
            data = data[size:]
            if last:
                return True
            while self.h2.local_flow_control_window(stream) == 0:
                self.read()
                if self.streams[stream].reset is not None:
                    return False

    def read(self):
        data = self.sock.recv(65536)
        if not data:
            self.closed = True
            raise EOFError
        for event in self.h2.receive_data(data):
            self.take(event)
        self.flush()

    def take(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            stream.headers = dict(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = event.error_code
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.last_stream_id, event.error_code))
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            self.settings.update({k: v.new_value for k, v in event.changed_settings.items()})

    def finish(self, stream):
        found = self.streams[stream]
        while not found.ended and found.reset is None:
            self.read()
        return found

    def export(self, body=GOOD, extra=(), flag=0):
        stream = self.grpc(extra=extra)
        self.data(stream, message(body, flag), end=True)
        return self.finish(stream)

    def close(self):
        self.sock.close()
