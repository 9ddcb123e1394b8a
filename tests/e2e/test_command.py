"""The program as its users start and stop it: verbs, exit codes, the ready line, `scripts/run`."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CANDIDATES = [os.environ.get("GATEWAY_BINARY", ""), ROOT / "build/dev/mackerel-otel-gateway"]
BINARY = next((str(path) for path in CANDIDATES if path and os.access(path, os.X_OK)), None)
ANY_PORT = [
    "--set=receiver.grpc.endpoint=127.0.0.1:0",
    "--set=receiver.http.endpoint=127.0.0.1:0",
    "--set=admin.endpoint=127.0.0.1:0",
]
# Nothing of ours may end up in /var/lib; what is said here about the end holds without state.
NO_STATE = "--set=state.durability=memory"
READY = re.compile(r"ready grpc=(\S+) http=(\S+) admin=(\S+)")
PATIENCE_S = 60

pytestmark = pytest.mark.skipif(BINARY is None, reason="no binary: `make dev` builds one")


def environment(**more):
    """Ours, without what would configure the gateway."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MACKEREL_")}
    return kept | more


def run(*arguments, stdin="", **more):
    return subprocess.run(
        [BINARY, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=environment(**more),
    )


class Gateway:
    """A running gateway on free ports; its output is read as it comes."""

    def __init__(self, *arguments, **more):
        self.process = subprocess.Popen(
            [BINARY, *ANY_PORT, NO_STATE, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**more),
        )
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            if match := READY.search(line):
                self.grpc, self.http, self.admin = match.groups()
                return
        raise AssertionError("".join(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def get(self, page):
        try:
            with urllib.request.urlopen(f"http://{self.admin}{page}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def points(self):
        return json.loads(self.get("/status")[1])["ledger"]["points"]

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.lines += self.process.stderr.readlines()
        return self.process.wait(PATIENCE_S)


def feed(gateway):
    subprocess.run(
        [ROOT / "scripts/feed", "--endpoint", f"http://{gateway.http}"],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )


# ---- verbs ----------------------------------------------------------------------------------


def test_the_version_is_printed():
    assert re.match(r"mackerel-otel-gateway \d+\.\d+\.\d+\n$", run("version").stdout)


def test_wrong_usage_exits_64():
    assert run("no-such-verb").returncode == 64
    assert run("--no-such-option").returncode == 64


def test_every_mistake_in_a_configuration_is_said_at_once_with_its_place(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text("minutes:\n  grace: soon\nrecevier:\n  grpc: {}\n")
    for verb in ("validate", "run"):
        result = run(verb, "--config", str(path))
        assert result.returncode == 78
        assert f"{path}:2:10:" in result.stderr
        assert f"{path}:3:1:" in result.stderr and "receiver" in result.stderr


def test_a_configuration_comes_from_a_variable_or_from_standard_input():
    text = "services: {default: from-outside}"
    assert "from-outside" in run("config", "print", MACKEREL_GATEWAY_CONFIG=text).stdout
    assert "from-outside" in run("config", "print", "--config=env:MINE", MINE=text).stdout
    assert "from-outside" in run("config", "print", "--config", "-", stdin=text).stdout


def test_a_key_is_never_printed():
    result = run("config", "print", MACKEREL_APIKEY="canary-4711")
    assert "canary-4711" not in result.stdout + result.stderr
    with Gateway(MACKEREL_APIKEY="canary-4711", MACKEREL_APIBASE="http://127.0.0.1:9") as gateway:
        pages = gateway.get("/status")[1] + gateway.get("/metrics")[1]
        gateway.stop()
        assert "canary-4711" not in pages + "".join(gateway.lines)


# ---- start and stop -------------------------------------------------------------------------


def test_a_port_that_is_taken_exits_69():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for key in ("receiver.grpc.endpoint", "receiver.http.endpoint", "admin.endpoint"):
            result = run(*ANY_PORT, NO_STATE, f"--set={key}=127.0.0.1:{port}")
            assert result.returncode == 69
            assert str(port) in result.stderr


def test_a_gateway_is_alive_and_ready_and_says_where_it_listens():
    with Gateway() as gateway:
        assert gateway.get("/livez")[0] == 200
        assert gateway.get("/readyz")[0] == 200
        status = json.loads(gateway.get("/status")[1])
        assert status["addresses"] == {
            "grpc": gateway.grpc,
            "http": gateway.http,
            "admin": gateway.admin,
        }
        assert status["preview"] is True
        asked = run("healthcheck", "--ready", f"--set=admin.endpoint={gateway.admin}")
        assert asked.returncode == 0
    assert run("healthcheck", f"--set=admin.endpoint={gateway.admin}").returncode == 1


def test_the_books_balance_after_a_feed_and_stopping_posts_minutes_that_are_over():
    with Gateway() as gateway:
        feed(gateway)
        # Its requests were answered, so they are in the journal; the engine is near behind.
        deadline = time.monotonic() + PATIENCE_S
        while gateway.points()["received"] < 5143 and time.monotonic() < deadline:
            pass
        points = gateway.points()
        assert points["received"] == 5143  # docs/examples/index.json
        assert points["received"] == points["merged"] + points["pending"] + sum(
            points["skipped"].values()
        ) + sum(points["dropped"].values())
        assert gateway.stop() == 0
        assert "values_lost=0" in gateway.lines[-1]


def test_values_that_could_not_be_posted_exit_75():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens: refused at once
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with Gateway(MACKEREL_APIKEY="key", MACKEREL_APIBASE=base) as gateway:
            feed(gateway)
            assert gateway.stop(signal.SIGINT) == 75
            assert re.search(r"values_lost=[1-9]", gateway.lines[-1])


def test_a_second_signal_ends_at_once():
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Gateway(MACKEREL_APIKEY="key", MACKEREL_APIBASE=base) as gateway:
            feed(gateway)
            gateway.process.send_signal(signal.SIGTERM)
            while "stopping" not in gateway.lines[-1]:
                gateway.lines.append(gateway.process.stderr.readline())
            assert gateway.stop() == -signal.SIGTERM


# ---- scripts/run ----------------------------------------------------------------------------


@pytest.mark.skipif(
    not (ROOT / "build/release/mackerel-otel-gateway").exists(), reason="`make build` first"
)
def test_run_shows_host_and_service_metrics_within_30_seconds():
    started = time.monotonic()
    process = subprocess.Popen(
        [ROOT / "scripts/run", *ANY_PORT, NO_STATE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
        # A shell that ignores it (a background job) hands that down, and cannot trap it then.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wanted = [
        r"host name=vm .* loadavg5 ",
        r"host name=vm .* cpu\.user\.percentage ",
        r"service shop .* shop-api\.http\.server\.request\.duration\.p95 ",
        r"OTEL_EXPORTER_OTLP_ENDPOINT=http://127",
    ]
    try:
        for line in process.stdout:
            wanted = [pattern for pattern in wanted if not re.search(pattern, line)]
            if not wanted:
                break
        assert not wanted
        assert time.monotonic() - started < 30
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
