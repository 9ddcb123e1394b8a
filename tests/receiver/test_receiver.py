"""The receiver from outside: every answer that a sender can get, and what abuse does not achieve."""
import concurrent.futures
import gzip
import json
import resource
import socket
import struct
import subprocess
import threading
import time

import grpc
import pytest

from peer import (EXPORT, GOOD, NOT_PROTOBUF, PARTLY_BAD, ROOT, Http1, Http2, Sink, connect,
                  field, gauge_request, message, partial_success, point, post, status)

JSON_TYPE = "Content-Type: application/json"
MIB = 1 << 20


@pytest.fixture(scope="module")
def shared():
    """One server with short limits for the tests that leave no trace."""
    sink = Sink("--max-bytes", MIB, "--budget", 64 * MIB)
    yield sink
    sink.stop()


@pytest.fixture
def start():
    """Starts servers of one's own."""
    sinks = []

    def run(*options):
        sinks.append(Sink(*options))
        return sinks[-1]

    yield run
    for sink in sinks:
        sink.stop()


def http(sink, request):
    connection = Http1(sink.http)
    answer = connection.ask(request)
    connection.close()
    return answer


def caller(sink, path=EXPORT):
    channel = grpc.insecure_channel(sink.grpc, options=[("grpc.enable_retries", 0)])
    return channel.unary_unary(path)


def grpc_error(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, timeout=10, **options)
    return caught.value


# ---- success over HTTP ---------------------------------------------------------------------------

def test_http_success_is_200_with_an_empty_protobuf_message(shared):
    answer = http(shared, post())
    assert (answer.code, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"


def test_http_partial_success_names_the_rejected_points(shared):
    rejected, text = partial_success(http(shared, post(PARTLY_BAD)).body)
    assert rejected == 1 and text


def test_empty_http_body_is_an_empty_request(shared):
    assert http(shared, post(b"")).code == 200


@pytest.mark.parametrize("path", ["/v1/metrics/", "/v1/metrics?token=1", "/v1/metrics/?a=b/c"])
def test_query_and_one_trailing_slash_are_accepted(shared, path):
    assert http(shared, post(path=path)).code == 200


@pytest.mark.parametrize("kind", ["application/protobuf", "Application/X-Protobuf",
                                  "application/x-protobuf; charset=utf-8",
                                  "application/x-protobuf;a=b"])
def test_media_type_ignores_case_and_parameters(shared, kind):
    answer = http(shared, post(headers=[f"Content-Type: {kind}"]))
    assert answer.code == 200
    assert answer.headers["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_body_is_inflated(shared, coding):
    before = shared.stats()["taken_points"]
    body = gzip.compress(gauge_request([point()] * 50))
    assert http(shared, post(body, headers=[f"Content-Encoding: {coding}"])).code == 200
    assert shared.stats()["taken_points"] == before + 50


def test_identity_coding_is_accepted(shared):
    assert http(shared, post(headers=["Content-Encoding: identity"])).code == 200


def chunked(pieces, trailers=b""):
    body = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(p), p) for p in pieces)
    return post(b"", headers=["Transfer-Encoding: chunked"], length=False) + body + \
        b"0\r\n" + trailers + b"\r\n"


def test_chunked_body_with_extensions_and_trailers(shared):
    pieces = [GOOD[:1], GOOD[1:7], GOOD[7:]]
    assert http(shared, chunked(pieces, b"X-Sum: 1\r\n")).code == 200


def test_request_that_comes_byte_by_byte(shared):
    connection = Http1(shared.http)
    for byte in chunked([GOOD[:9], GOOD[9:]]):
        connection.send(bytes([byte]))
    assert connection.answer().code == 200
    connection.close()


def test_keep_alive_serves_many_requests(shared):
    connection = Http1(shared.http)
    assert [connection.ask(post()).code for _ in range(20)] == [200] * 20
    connection.close()


def test_pipelined_requests_are_answered_in_order(shared):
    connection = Http1(shared.http)
    connection.send(post() + post(path="/nowhere", body=b"") + post(PARTLY_BAD) + post(NOT_PROTOBUF))
    assert [connection.answer().code for _ in range(4)] == [200, 404, 200, 400]
    connection.close()


def test_http10_closes_and_needs_no_host(shared):
    connection = Http1(shared.http)
    request = b"POST /v1/metrics HTTP/1.0\r\nContent-Type: application/x-protobuf\r\n" \
        b"Content-Length: %d\r\n\r\n%b" % (len(GOOD), GOOD)
    assert connection.ask(request).code == 200
    assert connection.at_end()


def test_http10_stays_where_it_is_asked_to(shared):
    connection = Http1(shared.http)
    request = b"POST /v1/metrics HTTP/1.0\r\nContent-Type: application/x-protobuf\r\n" \
        b"Connection: keep-alive\r\nContent-Length: %d\r\n\r\n%b" % (len(GOOD), GOOD)
    for _ in range(2):
        answer = connection.ask(request)
        assert (answer.code, answer.headers["connection"]) == (200, "keep-alive")
    connection.close()


def test_connection_close_is_honoured(shared):
    connection = Http1(shared.http)
    answer = connection.ask(post(headers=["Connection: close"]))
    assert (answer.code, answer.headers["connection"]) == (200, "close")
    assert connection.at_end()


def test_expect_continue_is_answered_before_the_body(shared):
    connection = Http1(shared.http)
    head, _, body = post(headers=["Expect: 100-continue"]).partition(b"\r\n\r\n")
    connection.send(head + b"\r\n\r\n")
    assert connection.answer().code == 100
    assert connection.ask(body).code == 200
    connection.close()


def test_expect_continue_of_a_refused_request_gets_the_refusal(shared):
    head, _, _ = post(path="/other", headers=["Expect: 100-continue"]).partition(b"\r\n\r\n")
    assert http(shared, head + b"\r\n\r\n").code == 404


def test_upgrade_to_h2c_is_ignored(shared):
    headers = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]
    connection = Http1(shared.http)
    assert connection.ask(post(headers=headers)).code == 200
    assert connection.ask(post()).code == 200
    connection.close()


def test_large_upload_by_curl_uses_expect_continue(start, tmp_path):
    sink = start()
    body = tmp_path / "body"
    body.write_bytes(gauge_request([point()] * 100_000))
    for version in "--http1.1", "--http2-prior-knowledge", "--http2":
        result = subprocess.run(
            ["curl", "-sS", version, "-o", tmp_path / "out", "-w", "%{http_code} %{content_type}",
             "-H", "Content-Type: application/x-protobuf", "--data-binary", f"@{body}",
             f"http://{sink.http}/v1/metrics"], capture_output=True, text=True, check=True)
        assert result.stdout == "200 application/x-protobuf", version
    assert sink.stats()["taken_points"] == 300_000


# ---- refusals over HTTP --------------------------------------------------------------------------

def replace(old, new):
    return post().replace(old, new)


MALFORMED = {
    "both_lengths": post(headers=["Transfer-Encoding: chunked"]),
    "two_lengths": post(headers=["Content-Length: 3"]),
    "not_chunked_last": post(headers=["Transfer-Encoding: chunked, gzip"], length=False),
    "unknown_transfer_coding": post(headers=["Transfer-Encoding: gzip"], length=False),
    "no_host": replace(b"Host: test\r\n", b""),
    "two_hosts": replace(b"Host: test\r\n", b"Host: a\r\nHost: b\r\n"),
    "folded_line": replace(b"Host: test", b"Host: te\r\n st"),
    "space_before_colon": replace(b"Host:", b"Host :"),
    "bare_cr": replace(b"Host: test", b"Host: te\rst"),
    "nul": replace(b"Host: test", b"Host: te\0st"),
    "not_http": b"\x00\x01\x02\x03 nonsense\r\n\r\n",
    "bad_chunk_size": post(b"zz\r\n", headers=["Transfer-Encoding: chunked"], length=False),
    "negative_length": replace(b"Content-Length: ", b"Content-Length: -"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_two_parsers_could_read_differently_is_400_and_closes(shared, name):
    connection = Http1(shared.http)
    answer = connection.ask(MALFORMED[name])
    assert (answer.code, answer.headers["connection"]) == (400, "close")
    assert connection.at_end()


REFUSED = {
    # name: request, HTTP status, google.rpc code
    "path": (post(path="/"), 404, 12),
    "traces": (post(path="/v1/traces"), 404, 12),
    "two_slashes": (post(path="/v1/metrics//"), 404, 12),
    "undecodable": (post(NOT_PROTOBUF), 400, 3),
    "corrupt_gzip": (post(b"\x1f\x8b nonsense", headers=["Content-Encoding: gzip"]), 400, 13),
    "garbage_after_gzip": (post(gzip.compress(GOOD) + b"x", headers=["Content-Encoding: gzip"]), 400, 13),
    "coding": (post(headers=["Content-Encoding: br"]), 415, 12),
    "two_codings": (post(headers=["Content-Encoding: gzip, gzip"]), 415, 12),
    "two_coding_fields": (post(headers=["Content-Encoding: gzip"] * 2), 415, 12),
    "expectation": (post(headers=["Expect: tea"]), 417, 3),
    "too_large": (post(bytes(MIB + 1)), 413, 8),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_is_a_status_message_in_protobuf(shared, name):
    request, code, grpc_code = REFUSED[name]
    answer = http(shared, request)
    assert answer.code == code
    assert answer.headers["content-type"] == "application/x-protobuf"
    found, text, retry = status(answer.body)
    assert (found, retry) == (grpc_code, None) and text


@pytest.mark.parametrize("headers, code", [
    ([JSON_TYPE], 415), (["Content-Type: text/plain"], 415), (["Content-Type:"], 415)])
def test_refusal_is_json_where_the_type_is_not_protobuf(shared, headers, code):
    answer = http(shared, post(headers=headers))
    assert (answer.code, answer.headers["content-type"]) == (code, "application/json")
    body = json.loads(answer.body)
    assert body["code"] == 3 and "protobuf" in body["message"]


def test_method_other_than_post_is_405_with_allow(shared):
    connection = Http1(shared.http)
    for method in b"GET", b"PUT", b"DELETE":
        answer = connection.ask(method + b" /v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (answer.code, answer.headers["allow"]) == (405, "POST")
    connection.close()


def test_head_has_no_body(shared):
    connection = Http1(shared.http)
    connection.send(b"HEAD /v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n" + post())
    while b"\r\n\r\n" not in connection.buffer:
        connection.fill()
    head, _, connection.buffer = connection.buffer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 ")
    assert connection.answer().code == 200
    connection.close()


def test_unsupported_coding_lists_the_supported_ones(shared):
    answer = http(shared, post(headers=["Content-Encoding: zstd"]))
    assert answer.headers["accept-encoding"] == "gzip, identity"


def test_too_large_by_length_is_refused_before_the_body_comes(shared):
    connection = Http1(shared.http)
    head, _, _ = post().partition(b"\r\n\r\n")
    connection.send(head.replace(b": %d" % len(GOOD), b": %d" % (MIB + 1)) + b"\r\n\r\n")
    assert connection.answer().code == 413
    connection.close()


def test_too_large_in_chunks_is_413(shared):
    assert http(shared, chunked([bytes(MIB // 2)] * 2 + [b"x"])).code == 413


def test_huge_length_is_refused(shared):
    head, _, _ = post().partition(b"\r\n\r\n")
    for number in b"9" * 18, b"9" * 30:
        answer = http(shared, head.replace(b": %d" % len(GOOD), b": " + number) + b"\r\n\r\n")
        assert answer.code in (400, 413)


def test_header_block_over_16_kib_is_431(shared):
    assert http(shared, post(headers=["X: " + "y" * 17000])).code == 431
    assert http(shared, post(headers=["X: y"] * 4000)).code == 431
    assert http(shared, post(headers=["X: " + "y" * 15000])).code == 200


def test_trailers_are_bounded(shared):
    assert http(shared, chunked([GOOD], b"X: " + b"y" * 17000 + b"\r\n")).code == 431


def test_gzip_bomb_is_413(shared):
    bomb = gzip.compress(bytes(64 * MIB))
    assert len(bomb) < 70_000
    assert http(shared, post(bomb, headers=["Content-Encoding: gzip"])).code == 413


def test_gzip_that_lies_about_its_size_is_judged_by_what_comes_out(shared):
    bomb = gzip.compress(bytes(64 * MIB))
    for claim in 0, 1, 1000, 0xFFFFFFFF:
        body = bomb[:-4] + struct.pack("<I", claim)
        assert http(shared, post(body, headers=["Content-Encoding: gzip"])).code in (400, 413)


# ---- gRPC ----------------------------------------------------------------------------------------

def test_grpc_success_is_an_empty_message(shared):
    assert caller(shared)(GOOD, timeout=10) == b""


def test_grpc_success_on_the_wire(shared):
    connection = Http2(shared.grpc)
    stream = connection.export()
    assert stream.headers[":status"] == "200"
    assert stream.headers["content-type"] == "application/grpc"
    assert stream.headers["grpc-accept-encoding"] == "identity,gzip"
    assert stream.body == b"\0\0\0\0\0"
    assert stream.trailers == {"grpc-status": "0"}
    connection.close()


def test_settings_are_generous_and_bounded(shared):
    connection = Http2(shared.grpc)
    connection.export()
    assert connection.settings[3] == 128  # MAX_CONCURRENT_STREAMS
    assert connection.settings[4] == MIB  # INITIAL_WINDOW_SIZE
    assert connection.settings[6] == 16384  # MAX_HEADER_LIST_SIZE
    assert connection.h2.outbound_flow_control_window > 3 * MIB
    connection.close()


def test_grpc_error_is_trailers_only(shared):
    connection = Http2(shared.grpc)
    stream = connection.export(NOT_PROTOBUF)
    assert stream.grpc()[0] == 3
    assert (stream.body, stream.trailers) == (b"", None)
    assert stream.headers[":status"] == "200"
    connection.close()


def test_grpc_partial_success(shared):
    assert partial_success(caller(shared)(PARTLY_BAD, timeout=10))[0] == 1


def test_all_points_invalid_is_still_partial_success(shared):
    answer = caller(shared)(gauge_request([point(time_ns=0)] * 7), timeout=10)
    assert partial_success(answer)[0] == 7


def test_zero_length_message_is_an_empty_request(shared):
    assert caller(shared)(b"", timeout=10) == b""


def test_grpc_gzip(shared):
    before = shared.stats()["taken_points"]
    caller(shared)(gauge_request([point()] * 100), timeout=10, compression=grpc.Compression.Gzip)
    assert shared.stats()["taken_points"] == before + 100


def test_uncompressed_message_is_fine_where_gzip_was_announced(shared):
    connection = Http2(shared.grpc)
    assert connection.export(extra=[("grpc-encoding", "gzip")]).grpc()[0] == 0
    connection.close()


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto", "Application/GRPC",
                                  "application/grpc;charset=utf-8"])
def test_content_type_is_mirrored(shared, kind):
    connection = Http2(shared.grpc)
    stream = connection.export(extra=[("content-type", kind)])
    assert stream.grpc()[0] == 0
    assert stream.headers["content-type"] == kind.lower().split(";")[0]
    connection.close()


@pytest.mark.parametrize("kind, extra", [
    ("no_te", []), ("odd_metadata", [("x-a", "b\u00e9"), ("grpc-previous-rpc-attempts", "2"),
                                     ("some-bin", "AA=="), ("grpc-unknown", "1")])])
def test_odd_but_legal_metadata_is_accepted(shared, kind, extra):
    connection = Http2(shared.grpc)
    headers = [(":method", "POST"), (":scheme", "http"), (":path", EXPORT), (":authority", "x"),
               ("content-type", "application/grpc")] + extra
    stream = connection.begin(headers)
    connection.data(stream, message(GOOD), end=True)
    assert connection.finish(stream).grpc()[0] == 0
    connection.close()


def test_message_in_one_byte_frames(shared):
    connection = Http2(shared.grpc)
    stream = connection.grpc()
    for byte in message(GOOD):
        connection.data(stream, bytes([byte]))
    connection.data(stream, b"", end=True)
    assert connection.finish(stream).grpc()[0] == 0
    connection.close()


def test_padding_is_no_part_of_the_message(shared):
    connection = Http2(shared.grpc)
    stream = connection.grpc()
    connection.h2.send_data(stream, message(GOOD), end_stream=True, pad_length=100)
    connection.flush()
    assert connection.finish(stream).grpc()[0] == 0
    connection.close()


def test_trailers_from_the_client_are_ignored(shared):
    connection = Http2(shared.grpc)
    stream = connection.grpc()
    connection.data(stream, message(GOOD))
    connection.h2.send_headers(stream, [("x-checksum", "1")], end_stream=True)
    connection.flush()
    assert connection.finish(stream).grpc()[0] == 0
    connection.close()


def test_connection_that_comes_byte_by_byte(shared):
    """Also proves that a header block in CONTINUATION frames survives small reads."""
    recorded = Http2(shared.grpc)
    recorded.close()
    client = Http2.__new__(Http2)
    client.sock, client.streams, client.goaways, client.settings = connect(shared.grpc), {}, [], {}
    import h2.config
    import h2.connection
    client.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    client.h2.initiate_connection()
    from peer import Stream
    client.streams[1] = Stream()
    client.h2.send_headers(1, [(":method", "POST"), (":scheme", "http"), (":path", EXPORT),
                               (":authority", "x"), ("content-type", "application/grpc")])
    client.h2.send_data(1, message(GOOD), end_stream=True)
    raw = bytearray(client.h2.data_to_send())
    split_headers_in_two(raw)
    for byte in raw:
        client.sock.sendall(bytes([byte]))
    assert client.finish(1).grpc()[0] == 0
    client.sock.close()


def split_headers_in_two(raw):
    """Turns the HEADERS frame of stream 1 into HEADERS and CONTINUATION."""
    position = 24
    while True:
        length = int.from_bytes(raw[position:position + 3], "big")
        if raw[position + 3] == 1:
            break
        position += 9 + length
    block = bytes(raw[position + 9:position + 9 + length])
    half = length // 2
    flags = raw[position + 4]
    first = half.to_bytes(3, "big") + bytes([1, flags & ~4]) + b"\0\0\0\1" + block[:half]
    second = (length - half).to_bytes(3, "big") + bytes([9, 4]) + b"\0\0\0\1" + block[half:]
    raw[position:position + 9 + length] = first + second


GRPC_REFUSED = {
    # name: extra headers, bytes after the headers, grpc-status
    "unknown_coding": ([("grpc-encoding", "zstd")], message(GOOD), 12),
    "flag_without_coding": ([], message(GOOD, 1), 13),
    "flag_with_identity": ([("grpc-encoding", "identity")], message(GOOD, 1), 13),
    "unknown_flag": ([], message(GOOD, 2), 13),
    "corrupt_gzip": ([("grpc-encoding", "gzip")], message(b"nonsense", 1), 13),
    "garbage_after_gzip": ([("grpc-encoding", "gzip")], message(gzip.compress(GOOD) + b"x", 1), 13),
    "no_message": ([], b"", 13),
    "half_a_prefix": ([], b"\0\0", 13),
    "half_a_message": ([], message(GOOD)[:-1], 13),
    "two_messages": ([], message(GOOD) * 2, 13),
    "undecodable": ([], message(NOT_PROTOBUF), 3),
    "too_large": ([], struct.pack(">BI", 0, MIB + 1), 8),
    "bomb": ([("grpc-encoding", "gzip")], message(gzip.compress(bytes(64 * MIB)), 1), 8),
    "expired": ([("grpc-timeout", "0n")], message(GOOD), 4),
    "malformed_timeout": ([("grpc-timeout", "1x")], message(GOOD), 13),
}


@pytest.mark.parametrize("name", GRPC_REFUSED)
def test_grpc_refusal(shared, name):
    extra, data, code = GRPC_REFUSED[name]
    connection = Http2(shared.grpc)
    stream = connection.grpc(extra=extra)
    connection.data(stream, data, end=True)
    found = connection.finish(stream)
    assert found.grpc()[0] == code
    assert found.headers[":status"] == "200"
    assert "grpc-status-details-bin" not in found.headers, "only what may be retried has a delay"
    assert "zstd" not in found.headers["grpc-accept-encoding"]
    connection.close()


@pytest.mark.parametrize("timeout", ["9972m", "10000m", "5S", "4999572u", "99999999H", "1H"])
def test_timeouts_that_clients_send_are_understood(shared, timeout):
    connection = Http2(shared.grpc)
    assert connection.export(extra=[("grpc-timeout", timeout)]).grpc()[0] == 0
    connection.close()


@pytest.mark.parametrize("path, text", [
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export",
     "unknown service opentelemetry.proto.collector.trace.v1.TraceService"),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Import",
     "unknown method Import for service opentelemetry.proto.collector.metrics.v1.MetricsService"),
    ("/a.B/C", "unknown service a.B"),
    (EXPORT.lower(), None), ("/no-method", None), ("/", None)])
def test_unknown_service_or_method_is_unimplemented(shared, path, text):
    error = grpc_error(caller(shared, path), GOOD)
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED
    assert text is None or error.details() == text


def test_other_signals_are_counted(shared):
    before = shared.stats()["other_signals"]
    grpc_error(caller(shared, "/opentelemetry.proto.collector.logs.v1.LogsService/Export"), GOOD)
    http(shared, post(path="/v1/logs"))
    assert shared.stats()["other_signals"] == before + 2


def test_message_with_strange_characters_is_percent_encoded(shared):
    error = grpc_error(caller(shared, "/a%b/C"), GOOD)
    assert error.details() == "unknown service a%b"


def test_early_refusal_tells_the_sender_to_stop(shared):
    connection = Http2(shared.grpc)
    stream = connection.grpc()
    connection.data(stream, struct.pack(">BI", 0, MIB + 1) + bytes(10))
    found = connection.finish(stream)
    assert found.grpc()[0] == 8
    while found.reset is None:
        connection.read()
    assert found.reset == 0, "NO_ERROR: the answer stands"
    assert connection.export().grpc()[0] == 0, "the connection lives on"
    connection.close()


def test_grpc_with_another_method_or_type_is_answered_in_http(shared):
    connection = Http2(shared.grpc)
    for method, kind, code in (("GET", "application/grpc", "405"), ("POST", "application/grpc-web", "415"),
                               ("POST", "application/grpc+json", "415"), ("POST", "text/plain", "415")):
        stream = connection.begin([(":method", method), (":scheme", "http"), (":path", EXPORT),
                                   (":authority", "x"), ("content-type", kind)], end=True)
        assert connection.finish(stream).headers[":status"] == code
    connection.close()


def test_many_streams_at_once_on_one_connection(shared):
    connection = Http2(shared.grpc)
    streams = [connection.grpc() for _ in range(100)]
    for stream in streams:
        connection.data(stream, message(GOOD)[:3])
    for stream in reversed(streams):
        connection.data(stream, message(GOOD)[3:], end=True)
    assert all(connection.finish(stream).grpc()[0] == 0 for stream in streams)
    connection.close()


# ---- ports ---------------------------------------------------------------------------------------

def test_http1_on_the_grpc_port_gets_a_hint(shared):
    connection = Http1(shared.grpc)
    answer = connection.ask(post())
    assert answer.code == 400 and b"4318" in answer.body
    assert connection.at_end()


def test_http2_on_the_http_port_serves_both(shared):
    connection = Http2(shared.http)
    assert connection.export().grpc()[0] == 0
    stream = connection.begin([(":method", "POST"), (":scheme", "http"), (":path", "/v1/metrics"),
                               (":authority", "x"), ("content-type", "application/x-protobuf")])
    connection.data(stream, PARTLY_BAD, end=True)
    found = connection.finish(stream)
    assert found.headers[":status"] == "200"
    assert partial_success(found.body)[0] == 1
    connection.close()


def test_tls_client_on_a_cleartext_port_is_counted_and_closed(shared):
    before = shared.stats()["tls_hellos"]
    connection = Http1(shared.grpc)
    connection.send(bytes.fromhex("16030100c8010000c40303"))
    assert connection.at_end()
    assert shared.stats()["tls_hellos"] == before + 1


# ---- budget --------------------------------------------------------------------------------------

def test_full_budget_is_answered_with_a_delay_and_clears(start):
    sink = start("--budget", 100_000)
    sink.tell("hold")
    first = Http1(sink.http)
    first.send(post(gauge_request([point()] * 1000)))
    sink.wait_for(lambda stats: stats["in_flight"] > 20_000)
    large = bytes(90_000)

    answer = http(sink, post(large))
    assert answer.code == 503
    assert 1 <= int(answer.headers["retry-after"]) <= 5
    assert status(answer.body)[::2] == (14, int(answer.headers["retry-after"]))

    error = grpc_error(caller(sink), large)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    code, text, retry = status(details)
    assert (code, text) == (14, error.details()) and 1 <= retry <= 5

    sink.tell("release")
    assert first.answer().code == 200
    first.close()
    sink.wait_for(lambda stats: stats["in_flight"] == 0)
    caller(sink)(GOOD, timeout=10)


def test_busy_is_said_before_the_body_comes(start):
    sink = start("--budget", 1000)
    connection = Http2(sink.grpc)
    stream = connection.grpc()
    connection.data(stream, struct.pack(">BI", 0, 2000))
    assert connection.finish(stream).grpc()[0] == 14
    connection.close()
    raw = Http1(sink.http)
    head, _, _ = post(bytes(2000)).partition(b"\r\n\r\n")
    assert raw.ask(head + b"\r\n\r\n").code == 503
    raw.close()


def test_chunked_body_over_the_budget_is_busy(start):
    sink = start("--budget", 100_000)
    assert http(sink, chunked([bytes(50_000)] * 3)).code == 503
    assert sink.stats()["peak"] <= 100_000


def test_inflated_bytes_count_against_the_budget(start):
    sink = start("--budget", MIB)
    body = gzip.compress(bytes(2 * MIB))
    assert http(sink, post(body, headers=["Content-Encoding: gzip"])).code == 503
    assert sink.stats()["in_flight"] == 0


@pytest.mark.parametrize("kind, http_code, grpc_code", [("busy", 503, 14), ("internal", 500, 13)])
def test_what_the_intake_says_reaches_the_sender(start, kind, http_code, grpc_code):
    sink = start()
    sink.tell(f"answer {kind}")
    assert http(sink, post()).code == http_code
    error = grpc_error(caller(sink), GOOD)
    assert error.code().value[0] == grpc_code
    assert ("grpc-status-details-bin" in dict(error.trailing_metadata())) == (kind == "busy")


def test_not_accepting_is_busy(start):
    sink = start()
    sink.tell("refuse")
    assert http(sink, post()).code == 503
    assert grpc_error(caller(sink), GOOD).code() == grpc.StatusCode.UNAVAILABLE


def test_answers_inside_submit_work(start):
    sink = start("--inline")
    connection = Http1(sink.http)
    connection.send(post() * 50)
    assert [connection.answer().code for _ in range(50)] == [200] * 50
    connection.close()
    call = caller(sink)
    assert [call(GOOD, timeout=10) for _ in range(50)] == [b""] * 50


# ---- senders that go away, dawdle or attack ------------------------------------------------------

def test_reset_in_the_middle_of_a_body_gives_everything_back(start):
    sink = start()
    connection = Http2(sink.grpc)
    for _ in range(50):
        stream = connection.grpc()
        connection.data(stream, struct.pack(">BI", 0, 100_000) + bytes(1000))
        connection.h2.reset_stream(stream, 8)
        connection.flush()
    stats = sink.wait_for(lambda stats: stats["cancelled"] == 50 and stats["in_flight"] == 0)
    assert stats["grpc"]["none"] == 0
    assert connection.export().grpc()[0] == 0
    connection.close()


def test_sender_that_leaves_before_its_answer(start):
    sink = start()
    sink.tell("hold")
    connections = [Http1(sink.http) for _ in range(10)]
    for connection in connections:
        connection.send(post())
    channel = Http2(sink.grpc)
    for _ in range(10):
        stream = channel.grpc()
        channel.data(stream, message(GOOD), end=True)
    sink.wait_for(lambda stats: stats["submitted_requests"] == 20)
    for connection in connections:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    channel.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    channel.close()
    sink.wait_for(lambda stats: stats["connections_open"] <= 10)
    sink.tell("release")
    stats = sink.wait_for(lambda stats: stats["connections_open"] == 0)
    assert (stats["taken_requests"], stats["in_flight"]) == (20, 0)


def test_half_closed_sender_still_gets_its_answer(start):
    sink = start()
    sink.tell("hold")
    connection = Http1(sink.http)
    connection.send(post())
    connection.sock.shutdown(socket.SHUT_WR)
    sink.wait_for(lambda stats: stats["in_flight"] > 0)
    sink.tell("release")
    assert connection.answer().code == 200
    connection.close()


def test_slow_request_ends_with_a_timeout(start):
    sink = start("--request-ms", 300)
    connection = Http1(sink.http)
    connection.send(post()[:-5])
    answer = connection.answer()
    assert answer.code == 408 and connection.at_end()
    channel = Http2(sink.grpc)
    stream = channel.grpc()
    channel.data(stream, message(GOOD)[:8])
    assert channel.finish(stream).grpc()[0] == 4
    channel.close()
    assert sink.stats()["timeouts"] == 2


def test_grpc_deadline_ends_an_incomplete_request(start):
    sink = start()
    connection = Http2(sink.grpc)
    stream = connection.grpc(extra=[("grpc-timeout", "100m")])
    connection.data(stream, message(GOOD)[:8])
    assert connection.finish(stream).grpc()[0] == 4
    connection.close()


def test_idle_http1_connection_is_closed_and_http2_is_probed(start):
    sink = start("--idle-ms", 300)
    connection = Http1(sink.http)
    connection.ask(post())
    assert connection.at_end()
    channel = Http2(sink.grpc)
    channel.export()
    pings = []
    take = channel.take
    channel.take = lambda event: (pings.append(event) if "Ping" in type(event).__name__ else take(event))
    while not pings:
        channel.read()
    assert channel.export().grpc()[0] == 0
    channel.close()


def test_slow_senders_do_not_delay_others(start):
    sink = start("--workers", 1)
    slow = [Http1(sink.http) for _ in range(100)]
    for connection in slow:
        connection.send(post()[:-1])
    call = caller(sink)
    begin = time.monotonic()
    for _ in range(200):
        call(GOOD, timeout=10)
    assert time.monotonic() - begin < 5
    for connection in slow:
        connection.send(GOOD[-1:])
        assert connection.answer().code == 200
        connection.close()


def test_reader_that_does_not_read_is_not_read_from(start):
    sink = start("--inline")
    connection = Http1(sink.http)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.settimeout(2)
    request = b"GET /v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    before = sink.peak_rss()
    sent = 0
    with pytest.raises(socket.timeout):
        while sent < 200 * MIB:
            sent += connection.sock.send(request)
    assert sink.peak_rss() - before < 32 * MIB
    connection.close()
    assert http(sink, post()).code == 200


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


FLOODS = {
    "ping": frame(6, 0, 0, bytes(8)),
    "settings": frame(4, 0, 0),
    "priority": frame(2, 0, 1, bytes(4) + b"\1"),
    "window_update": frame(8, 0, 0, b"\0\0\0\1"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_flood_of_empty_frames_ends_the_connection(shared, name):
    connection = Http2(shared.grpc)
    connection.export()
    with pytest.raises((EOFError, ConnectionError)):
        connection.sock.sendall(FLOODS[name] * 3000)
        while True:
            connection.read()
    assert [code for _, code in connection.goaways] in ([11], []), "ENHANCE_YOUR_CALM"
    assert http(shared, post()).code == 200


def test_rapid_reset_ends_the_connection(shared):
    connection = Http2(shared.grpc)
    with pytest.raises((EOFError, ConnectionError)):
        for _ in range(5000):
            stream = connection.grpc()
            connection.h2.reset_stream(stream, 8)
            connection.flush()
        while True:
            connection.read()
    assert http(shared, post()).code == 200


def test_large_header_block_over_http2_is_refused(shared):
    connection = Http2(shared.grpc)
    stream = connection.grpc(extra=[(f"x-{i}", "y" * 1000) for i in range(17)], end=True)
    assert connection.finish(stream).grpc()[0] == 8
    connection.close()


def test_pings_after_each_answer_are_healthy(shared):
    """gRPC C-core and Go send a PING and a WINDOW_UPDATE after each answer."""
    connection = Http2(shared.grpc)
    for _ in range(2000):
        assert connection.export().grpc()[0] == 0
        connection.h2.ping(b"02041010")
        connection.h2.increment_flow_control_window(5)
        connection.flush()
    connection.close()


def test_connections_over_the_limit_are_closed(start):
    sink = start("--max-connections", 3)
    kept = [Http1(sink.http) for _ in range(3)]
    assert all(connection.ask(post()).code == 200 for connection in kept)
    assert Http1(sink.http).at_end()
    assert sink.stats()["connections_refused"] == 1
    kept.pop().close()
    sink.wait_for(lambda stats: stats["connections_open"] == 2)
    assert http(sink, post()).code == 200
    for connection in kept:
        connection.close()


def test_running_out_of_descriptors_is_survived(start):
    sink = start()
    resource.prlimit(sink.process.pid, resource.RLIMIT_NOFILE, (60, 60))
    flood = [connect(sink.http) for _ in range(100)]
    stats = sink.wait_for(lambda stats: stats["connections_refused"] > 0)
    assert stats["connections_open"] < 60
    for sock in flood:
        sock.close()
    sink.wait_for(lambda stats: stats["connections_open"] == 0)
    # The last of the flood may still wait in the listener's backlog, to be refused.
    assert serves_within(sink, 10)


def serves_within(sink, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return http(sink, post()).code == 200
        except ConnectionError:
            time.sleep(0.05)
    return False


def test_churn_of_connections_leaves_none_behind(start):
    sink = start()
    for round_number in range(300):
        connection = connect(sink.http if round_number % 2 else sink.grpc)
        connection.sendall((b"", b"P", post()[:40], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")[round_number % 4])
        connection.close()
    sink.wait_for(lambda stats: stats["connections_open"] == 0 and stats["connections_total"] == 300)


def nested_values(levels):
    """An attribute value of arrays in arrays."""
    value = b""
    for _ in range(levels):
        value = field(5, field(1, value))
    return value


def test_deeply_nested_attribute_rejects_its_point_and_hurts_nobody(shared):
    bad = point() + field(7, field(1, b"deep") + field(2, nested_values(4400)))
    assert 29_000 < len(bad) < 40_000
    rejected, text = partial_success(caller(shared)(gauge_request([point(), bad]), timeout=10))
    assert rejected == 1 and text
    assert http(shared, post()).code == 200


def test_body_of_empty_points_is_counted_and_costs_no_memory(start):
    sink = start()
    before = sink.peak_rss()
    empty = MIB // 2
    answer = http(sink, post(gauge_request([b""] * empty)))
    assert partial_success(answer.body)[0] == empty
    stats = sink.stats()
    assert (stats["taken_points"], stats["in_flight"]) == (0, 0)
    assert sink.peak_rss() - before < 32 * MIB
    assert http(sink, post()).code == 200


def test_bombs_and_large_requests_at_once_keep_memory_bounded(start):
    """Eight senders of 60 kB bombs and of bodies that claim their whole limit."""
    budget = 48 * MIB
    sink = start("--budget", budget, "--max-bytes", 16 * MIB)
    before = sink.peak_rss()
    bomb = gzip.compress(bytes(64 * MIB))

    def attack(_):
        codes = set()
        for _ in range(5):
            codes.add(http(sink, post(bomb, headers=["Content-Encoding: gzip"])).code)
            error = grpc_error(caller(sink), bytes(15 * MIB), compression=grpc.Compression.Gzip)
            codes.add(error.code())
        return codes

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = set().union(*pool.map(attack, range(8)))
    assert seen <= {413, 503, 400, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT,
                    grpc.StatusCode.RESOURCE_EXHAUSTED}
    stats = sink.stats()
    assert stats["peak"] <= budget and stats["in_flight"] == 0
    # AddressSanitizer keeps up to 256 MiB of freed memory in quarantine.
    assert sink.peak_rss() - before < budget + 400 * MIB
    assert http(sink, post()).code == 200


# ---- drain ---------------------------------------------------------------------------------------

def test_idle_connections_are_drained(start):
    sink = start()
    connection, channel = Http1(sink.http), Http2(sink.grpc)
    connection.ask(post())
    channel.export()
    silent = connect(sink.http)
    verdict, stats = sink.drain()
    assert (verdict, stats["connections_open"]) == ("drained", 0)
    assert connection.at_end()
    with pytest.raises(EOFError):
        while True:
            channel.read()
    assert channel.goaways[0] == (2**31 - 1, 0) and channel.goaways[-1] == (1, 0)
    silent.close()


def test_request_in_flight_is_answered_while_draining(start):
    sink = start("--workers", 1)
    connection, channel = Http1(sink.http), grpc.insecure_channel(sink.grpc)
    witness = Http2(sink.grpc)
    connection.send(post()[:-1])
    begun = threading.Event()

    def messages():
        yield GOOD
        begun.wait(10)

    # The message is there but the request is not over, because its stream stays open.
    call = channel.stream_unary(EXPORT).future(messages(), timeout=10)
    sink.wait_for(lambda stats: stats["in_flight"] == 2 * len(GOOD))
    drained = threading.Thread(target=sink.drain)
    drained.start()
    while not witness.goaways:
        witness.read()
    connection.send(GOOD[-1:])
    answer = connection.answer()
    assert (answer.code, answer.headers["connection"]) == (200, "close")
    begun.set()
    assert call.result() == b""
    drained.join()
    channel.close()
    witness.close()


def test_drain_gives_up_at_its_deadline(start):
    sink = start()
    sink.tell("hold")
    connection = Http1(sink.http)
    connection.send(post())
    sink.wait_for(lambda stats: stats["in_flight"] > 0)
    assert sink.drain(300)[0] == "deadline"
    connection.close()


def test_drain_under_load_loses_no_acknowledged_request(start):
    sink = start()
    stop = threading.Event()

    def send(number):
        acknowledged = 0
        call = caller(sink)
        while not stop.is_set():
            try:
                if number % 2:
                    call(GOOD, timeout=10)
                else:
                    assert http(sink, post()).code in (200, 503)
                acknowledged += 1
            except grpc.RpcError as error:
                assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
                break
            except (OSError, EOFError):
                break
        return acknowledged

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        senders = [pool.submit(send, number) for number in range(8)]
        sink.wait_for(lambda stats: stats["taken_requests"] > 500)
        verdict, stats = sink.drain()
        stop.set()
        acknowledged = sum(sender.result() for sender in senders)
    assert verdict == "drained"
    assert stats["taken_requests"] >= acknowledged > 0


# ---- recordings ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["python-grpc", "node-grpc", "go-grpc", "java-agent", "host-default"])
def test_recorded_requests_are_taken(shared, name):
    folder = ROOT.parent / "shared/corpus" / name
    if not folder.is_dir():
        pytest.skip("the corpus is not beside the repository")
    requests = json.loads((folder / "meta.json").read_text())["requests"]
    call = caller(shared)
    for request in requests[:5]:
        body = (folder / request["file"]).read_bytes()
        if request["transport"] == "grpc":
            assert call(body, timeout=10) == b""
        else:
            headers = [f"Content-Encoding: {request['content_encoding']}"] if request.get("content_encoding") else []
            assert http(shared, post(body, headers=headers)).code == 200
