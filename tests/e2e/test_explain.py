"""What is explained, previewed and posted is the same."""
import datetime
import json
import pathlib
import re
import subprocess
import tempfile

import pytest

import sender
from running import Gateway, binary, clean_environment
from sender import SECOND, boundary

PATIENCE_S = 40
# A value in a body as the gateway writes it, digit for digit.
VALUE = re.compile(r'"name":"([^"]+)","time":(\d+),"value":([^}]+)}')
LINE = re.compile(r"(\S+Z)  (host|service) .*?(\S+) +(\S+)$", re.M)


def requests(at):
    """Gauges of a service and a host, with values that are long in decimal."""
    samples = [(at + SECOND, 1 / 3), (at + 61 * SECOND, 2e22), (at + 121 * SECOND, 7.0)]
    return [
        sender.gauge("shop", "queue.depth", samples),
        sender.gauge(None, "system.fan.speed", samples, host__name="web-1"),
        sender.gauge(
            None,
            "system.cpu.load_average.5m",
            [(at - 5 * SECOND, 0.1), (at + 5 * SECOND, 0.1)],
            host__name="web-1",
        ),
    ]


def told_in(values, at):
    """Those of the minutes that were sent; what is carried after them depends on when one looks."""
    minutes = {str((at + i * 60 * SECOND) // SECOND) for i in range(3)}
    return {value for value in values if value[1] in minutes}


def is_complete(values, at):
    first, last = str(at // SECOND), str(at // SECOND + 120)
    wanted = {("queue.depth", last), ("custom.system.fan.speed", last), ("loadavg5", first)}
    return wanted <= {value[:2] for value in values}


def posted(api):
    bodies = (r.body.decode() for r in api.requests if "tsdb" in r.path and r.method == "POST")
    return {values for body in bodies for values in VALUE.findall(body)}


def seconds(text):
    return str(int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()))


def printed(output):
    return {(name, seconds(at), value) for at, _, name, value in LINE.findall(output)}


def command(*arguments, stdin=b""):
    return subprocess.run(
        [binary(), *arguments],
        input=stdin,
        capture_output=True,
        timeout=PATIENCE_S,
        env=clean_environment(),
        check=False,
    )


def test_a_preview_prints_what_a_gateway_posts(api, gateway):
    api.add_host("web-1")
    api.add_service("shop")
    at = boundary()
    sent = requests(at)
    running = gateway(**{"hosts.native_metrics": "on"})
    sender.send_grpc(running, sent)
    assert api.wait(lambda: is_complete(posted(api), at), PATIENCE_S), running.page("/status")
    # Without a key.
    preview = Gateway(api, {"minutes.grace": "1s"}, environment={"MACKEREL_APIKEY": ""})
    try:
        sender.send_grpc(preview, sent)
        preview.wait(lambda _: is_complete(printed(preview.output()), at), PATIENCE_S)
        assert told_in(printed(preview.output()), at) == told_in(posted(api), at)
        assert preview.stop() == 0
    finally:
        preview.close()


def test_a_running_gateway_explains_itself(api, gateway):
    api.add_host("web-1")
    api.add_service("shop")
    with tempfile.TemporaryDirectory() as directory:
        socket = pathlib.Path(directory, "control")
        running = gateway(**{"admin.socket": socket, "hosts.native_metrics": "on"})
        sender.send_grpc(running, requests(boundary()))
        running.wait(lambda s: s["streams"] == 3)
        told = command("explain", "--live", "--set", f"admin.socket={socket}")
    text = told.stdout.decode()
    assert told.returncode == 0, told.stderr
    assert "  1 stream to service shop\n    rule everything else (" in text
    assert "\n      queue.depth\n" in text
    assert "  1 stream to host name=web-1\n" in text
    assert "\n      custom.system.fan.speed\n" in text
    assert "  service shop: 1 metric name" in text


def test_requests_are_explained_from_standard_input():
    if binary() is None:
        pytest.skip("no binary: `make dev` builds one")
    told = command("explain", "-", stdin=requests(boundary())[0].SerializeToString())
    assert told.returncode == 0, told.stderr
    assert b"to service shop\n      queue.depth\n" in told.stdout
    assert command("explain", "-", stdin=b"no protobuf").returncode == 64
    assert command("explain").returncode == 64


def test_mapping_tests_are_run(tmp_path):
    if binary() is None:
        pytest.skip("no binary: `make dev` builds one")
    (tmp_path / "in.bin").write_bytes(requests(boundary())[0].SerializeToString())
    test = [
        {
            "name": "depth",
            "input": "in.bin",
            "expect": [{"service": "shop", "name": "queue.depth", "value": 7}],
        }
    ]
    (tmp_path / "good.yaml").write_text(json.dumps(test))
    test[0]["expect"][0]["value"] = 8
    (tmp_path / "bad.yaml").write_text(json.dumps(test))
    assert command("test", str(tmp_path / "good.yaml")).returncode == 0
    failed = command("test", str(tmp_path / "good.yaml"), str(tmp_path / "bad.yaml"))
    assert failed.returncode == 1
    assert b"1 passed, 1 failed\n" in failed.stdout
