"""The stand-in must notice what the gateway must not do, else its silence proves nothing."""
import contextlib
import http.client
import json
import socket
import time
import urllib.parse

import pytest

import faults
from standin import StandIn

MINUTE = 60


@pytest.fixture
def api():
    with StandIn() as standin:
        yield standin


def call(api, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=5)
    sent = {"X-Api-Key": api.key, "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in sent.items() if value is not None}
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    kind = answer.headers.get("Content-Type")
    return answer.status, json.loads(text) if kind == "application/json" else text


def this_minute():
    return int(time.time()) // MINUTE * MINUTE


def value(name="requests.rate", time_s=None, number=1.5, **more):
    at = this_minute() if time_s is None else time_s
    return {"name": name, "time": at, "value": number} | more


def test_every_overwrite_is_remembered(api):
    api.add_service("shop")
    for number in (1, 2.5):
        assert call(api, "POST", "/api/v0/services/shop/tsdb", [value(number=number)])[0] == 200
    key = ("service", "shop", "requests.rate", this_minute())
    assert api.values.get(key, api.values.get(key[:3] + (key[3] - MINUTE,))) == [1, 2.5]
    assert api.violations == []


def test_a_key_is_needed_and_must_be_right(api):
    assert call(api, "GET", "/api/v0/org", X_Api_Key=None)[0] == 401
    assert call(api, "GET", "/api/v0/org", X_Api_Key="other")[0] == 403
    assert call(api, "GET", "/api/v0/org")[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        {"metrics": []},
        [],
        [value(number=float("nan"))],
        [value(number="1")],
        [value(name="__externalhttp.responsetime")],
        [value(name="a..b")],
        [value(name="a b")],
        [value(hostId="h")],
        [{"name": "a", "time": 0}],
        [value(), value()],
    ],
)
def test_a_bad_body_is_refused_and_recorded(api, body):
    api.add_service("shop")
    assert call(api, "POST", "/api/v0/services/shop/tsdb", body)[0] == 400
    assert api.violations and not api.values


def test_only_hosts_are_held_to_two_thousand_values(api):
    api.add_service("shop")
    host = api.add_host("web-1")
    many = [value(name=f"n{i}") for i in range(2001)]
    assert call(api, "POST", "/api/v0/services/shop/tsdb", many)[0] == 200
    assert api.violations == []
    many = [value(name=f"custom.n{i}", hostId=host) for i in range(2001)]
    assert call(api, "POST", "/api/v0/tsdb", many)[0] == 400


@pytest.mark.parametrize(
    "seconds", [-25 * 3600, 2 * 3600, -30], ids=["too old", "in the future", "inside a minute"]
)
def test_an_odd_time_is_answered_200_but_recorded(api, seconds):
    api.add_service("shop")
    body = [value(time_s=this_minute() + seconds)]
    assert call(api, "POST", "/api/v0/services/shop/tsdb", body)[0] == 200
    assert len(api.violations) == 1


@pytest.mark.parametrize(
    "name, status",
    [
        ("loadavg5", 200),
        ("cpu.user.percentage", 200),
        ("disk.sda.reads.delta", 200),
        ("filesystem.var_lib.used", 200),
        ("custom.jvm.heap", 200),
        ("custom", 400),
        ("custom.", 400),
        ("jvm.heap", 400),
        ("disk.a.b.reads.delta", 400),
    ],
)
def test_a_host_metric_is_a_system_name_or_custom(api, name, status):
    host = api.add_host("web")
    assert call(api, "POST", "/api/v0/tsdb", [value(name=name, hostId=host)])[0] == status


def test_only_hosts_are_held_to_half_a_megabyte(api):
    api.add_service("shop")
    body = json.dumps([value("loadavg5", hostId=api.add_host("web"))]) + " " * 500_000
    assert call(api, "POST", "/api/v0/tsdb", body)[0] == 413
    body = json.dumps([value()]) + " " * 500_000
    assert call(api, "POST", "/api/v0/services/shop/tsdb", body)[0] == 200


def test_an_unknown_or_retired_host_is_404(api):
    assert call(api, "POST", "/api/v0/tsdb", [value("loadavg5", hostId="nobody")])[0] == 404
    host = api.add_host("web")
    api.retire(host)
    assert call(api, "POST", "/api/v0/tsdb", [value("loadavg5", hostId=host)])[0] == 404
    assert len(api.violations) == 2


def test_the_fifth_post_of_a_service_in_a_minute_is_429(api):
    api.add_service("shop")
    answers = [call(api, "POST", "/api/v0/services/shop/tsdb", [value()])[0] for _ in range(5)]
    assert answers == [200] * 4 + [429]


def test_services_are_created_once_with_a_proper_name(api):
    assert call(api, "POST", "/api/v0/services/shop/tsdb", [value()])[0] == 404
    assert call(api, "POST", "/api/v0/services", {"name": "shop", "memo": ""})[0] == 200
    assert call(api, "POST", "/api/v0/services", {"name": "shop", "memo": ""})[0] == 400
    assert call(api, "POST", "/api/v0/services", {"name": "-shop", "memo": ""})[0] == 400
    assert [s["name"] for s in call(api, "GET", "/api/v0/services")[1]["services"]] == ["shop"]


def test_hosts_are_found_by_name_status_and_identifier(api):
    api.add_host("web")
    off = api.add_host("db", status="poweroff", custom_identifier="i-1/ü?")
    assert call(api, "GET", "/api/v0/hosts?name=db")[1]["hosts"] == []
    found = call(api, "GET", "/api/v0/hosts?name=db&status=working&status=poweroff")[1]
    assert [host["id"] for host in found["hosts"]] == [off]
    encoded = urllib.parse.quote("i-1/ü?", safe="")
    status, found = call(api, "GET", f"/api/v0/hosts-by-custom-identifier/{encoded}?")
    assert (status, found["host"]["id"]) == (200, off)
    assert call(api, "GET", "/api/v0/hosts-by-custom-identifier/i-2")[0] == 404


def test_a_custom_identifier_is_unique(api):
    body = {"name": "new", "meta": {}, "customIdentifier": "i-9"}
    assert call(api, "POST", "/api/v0/hosts", body)[0] == 200
    assert call(api, "POST", "/api/v0/hosts", body)[0] == 400


def test_the_latest_values_are_read_back(api):
    host = api.add_host("web")
    api.put_value(host, "loadavg5", 120, 0.5)
    api.put_value(host, "loadavg5", 180, 0.7)
    status, found = call(api, "GET", f"/api/v0/tsdb/latest?hostId={host}&name=loadavg5&name=x")
    assert (status, found) == (200, {"tsdbLatest": {host: {"loadavg5": {"time": 180, "value": 0.7}}}})


def test_a_fault_comes_as_often_as_ordered(api):
    api.fault("/api/v0/org", times=2, status=503, headers={"Retry-After": "1"})
    answers = [call(api, "GET", "/api/v0/org")[0] for _ in range(3)]
    assert answers == [503, 503, 200]


def test_a_page_of_html_can_be_ordered(api):
    page = b"<html>maintenance</html>"
    api.fault("/api", status=502, body=page, content_type="text/html")
    assert call(api, "GET", "/api/v0/org") == (502, page)


def test_a_reset_comes_before_the_answer(api):
    api.add_service("shop")
    api.fault("/api/v0/services/shop", broken="reset", after=True)
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        call(api, "POST", "/api/v0/services/shop/tsdb", [value()])
    assert len(api.values) == 1


def test_compressed_or_mistyped_bodies_are_refused(api):
    api.add_service("shop")
    path = "/api/v0/services/shop/tsdb"
    assert call(api, "POST", path, [value()], Content_Encoding="gzip")[0] == 400
    assert call(api, "POST", path, [value()], Content_Type="text/plain")[0] == 400
    assert len(api.violations) == 2


def ask(api, seconds=5):
    """All bytes that the stand-in sends to one request until it hangs up or is silent."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=seconds) as connection:
        head = f"GET /api/v0/org HTTP/1.1\r\nHost: x\r\nX-Api-Key: {api.key}\r\n\r\n"
        connection.sendall(head.encode())
        got = b""
        with contextlib.suppress(TimeoutError):
            while (more := connection.recv(65536)) and len(got) < 1 << 20:
                got += more
        return got


def split(answer):
    """(announced length, body)"""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
    return int(length or -1), body


@pytest.mark.parametrize(
    "broken, fits",
    [
        ("half", lambda length, got: 0 < len(got) < length),
        ("short", lambda length, got: len(got) == length - 1),
        ("long", lambda length, got: len(got) == length + 1),
        ("endless", lambda length, got: length == -1 and len(got) > 500_000),
    ],
)
def test_an_answer_breaks_as_ordered(api, broken, fits):
    api.fault("/api/v0/org", broken=broken)
    assert fits(*split(ask(api, 0.5)))


def test_half_a_head_is_no_answer(api):
    api.fault("/api/v0/org", broken="headless")
    assert b"\r\n\r\n" not in ask(api)
    api.fault("/api/v0/org", broken="garbage")
    assert not ask(api).startswith(b"HTTP")


@pytest.mark.parametrize("broken", ["half", "headless", "short", "long", "garbage"])
def test_values_of_a_broken_answer_were_taken(api, broken):
    host = api.add_host("web")
    api.fault("/api/v0/tsdb", broken=broken)
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=0.5)
        body = json.dumps([value("loadavg5", hostId=host)])
        sent = {"X-Api-Key": api.key, "Content-Type": "application/json"}
        connection.request("POST", "/api/v0/tsdb", body, sent)
        connection.getresponse().read()
    connection.close()
    assert len(api.values) == 1


def test_an_answer_can_be_late(api):
    api.fault("/api/v0/org", delay_s=0.3)
    began = time.monotonic()
    assert call(api, "GET", "/api/v0/org")[0] == 200
    assert time.monotonic() - began >= 0.3


def test_a_captive_portal_answers_200_and_takes_nothing(api):
    host = api.add_host("web")
    api.fault("/api", status=200, body=faults.HTML, content_type="text/html")
    answer = call(api, "POST", "/api/v0/tsdb", [value("loadavg5", hostId=host)])
    assert answer == (200, faults.HTML) and not api.values


def test_a_fault_can_be_for_one_method_and_be_taken_back(api):
    api.fault("/api/v0/services", times=9, status=500, method="POST")
    assert call(api, "GET", "/api/v0/services")[0] == 200
    assert call(api, "POST", "/api/v0/services", {"name": "shop", "memo": ""})[0] == 500
    assert api.faults_left() == 8
    api.clear_faults()
    assert call(api, "POST", "/api/v0/services", {"name": "shop", "memo": ""})[0] == 200


def test_posts_of_hosts_can_be_limited_too(api):
    host = api.add_host("web")
    api.host_posts_per_minute = 2
    body = [value("loadavg5", hostId=host)]
    assert [call(api, "POST", "/api/v0/tsdb", body)[0] for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("takes_part", [False, True])
def test_a_post_with_a_bad_value_is_refused_whole_or_taken_in_part(api, takes_part):
    host = api.add_host("web")
    api.add_service("shop")
    api.takes_part = takes_part
    good = value("loadavg5", hostId=host)
    assert call(api, "POST", "/api/v0/tsdb", [good, good | {"name": "a b"}])[0] == 400
    assert call(api, "POST", "/api/v0/services/shop/tsdb", [value(), value("a b")])[0] == 400
    taken = [key[:3] for key in api.values]
    assert taken == [("host", host, "loadavg5"), ("service", "shop", "requests.rate")] * takes_part


def test_a_key_is_rotated_with_or_without_overlap(api):
    old = api.key
    api.rotate_key("second-key", overlap=True)
    answers = [call(api, "GET", "/api/v0/org", X_Api_Key=k)[0] for k in (old, "second-key")]
    assert answers == [200, 200]
    api.end_overlap()
    answers = [call(api, "GET", "/api/v0/org", X_Api_Key=k)[0] for k in (old, "second-key")]
    assert answers == [403, 200]
    api.rotate_key("third-key")
    answers = [call(api, "GET", "/api/v0/org", X_Api_Key=k)[0] for k in ("second-key", "third-key")]
    assert answers == [403, 200]


def graph(name="custom.http.#", lines=("avg", "*"), **more):
    metrics = [{"name": f"{name}.{line}", "isStacked": False} for line in lines]
    return {"name": name, "unit": "seconds", "metrics": metrics} | more


GRAPHS = "/api/v0/graph-defs/create"


def test_graphs_are_defined(api):
    definition = graph(displayName="HTTP")
    assert call(api, "POST", GRAPHS, [definition])[0] == 200
    assert api.graphs.get("custom.http.#") == definition
    assert api.violations == []


@pytest.mark.parametrize(
    "body",
    [
        graph(),
        [],
        [graph("custom")],
        [graph("custom.a..b")],
        [graph("cpu.user")],
        [graph("custom.#.#")],
        [graph("custom.#", ["#"])],
        [graph("custom.a", ["*"])],
        [graph("custom.a", ["p99.9"])],
        [graph("custom.a", [])],
        [graph("custom.a", ["b", "b"])],
        [graph(unit="second")],
        [graph(displayName="")],
        [graph(title="x")],
        [graph(metrics=[{"name": "custom.http.#.avg"}])],
        [graph(metrics=[{"name": "custom.http.b.avg", "isStacked": False}])],
        [graph(), graph()],
        [graph(f"custom.a{number}", ["b"]) for number in range(21)],
    ],
)
def test_a_bad_definition_is_refused(api, body):
    assert call(api, "POST", GRAPHS, body)[0] == 400
    assert api.violations and not api.graphs.names()


def test_wildcards_are_forgotten_six_hours_after_their_last_metric(api):
    now = [1000.0]
    api.graphs.clock = lambda: now[0]
    host = api.add_host("web-1")
    call(api, "POST", GRAPHS, [graph(), graph("custom.a", ["b"])])
    now[0] += 5 * 3600
    name = "custom.http.get.avg"
    assert call(api, "POST", "/api/v0/tsdb", [value(name, hostId=host)])[0] == 200
    now[0] += 6 * 3600 - 1
    assert api.graphs.names() == ["custom.a", "custom.http.#"]
    now[0] += 1
    assert api.graphs.names() == ["custom.a"]
    assert len(api.graphs.history["custom.http.#"]) == 1
