"""Starts the real gateway on free ports and asks it what it knows."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY = re.compile(rb"ready grpc=(\S+) http=(\S+) admin=(\S+)")
START_S = 20
# Freed memory that AddressSanitizer keeps back would count as the gateway's peak.
SANITIZER = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}
STOP_S = 30  # the gateway gives itself 25 s


def binary():
    """The program under test: GATEWAY_BINARY, else what the dev or release preset built."""
    candidates = [ROOT / "build" / preset / "mackerel-otel-gateway" for preset in ("dev", "release")]
    named = os.environ.get("GATEWAY_BINARY")
    for path in [pathlib.Path(named)] if named else candidates:
        if os.access(path, os.X_OK):
            return str(path)
    return None


def clean_environment(**more):
    """Ours, without what would configure the gateway."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MACKEREL_")}
    return kept | {k: str(v) for k, v in more.items()}


class Gateway:
    """One process. Options are configuration keys: Gateway(api, {"minutes.grace": "1s"}).

    How to start it differently: another `program`, more `environment`, a `prefix` of words before the
    program. With `wait=False` its addresses are known only after wait_ready(). State is on disk, in a
    directory that goes with the object.
    """

    def __init__(
        self, api, options=None, *, program=None, environment=None, prefix=(), wait=True
    ):
        self._files = tempfile.TemporaryDirectory(prefix="gateway-e2e-")
        options = {
            "receiver.grpc.endpoint": "127.0.0.1:0",
            "receiver.http.endpoint": "127.0.0.1:0",
            "admin.endpoint": "127.0.0.1:0",
            "mackerel.apibase": api.url,
            "minutes.spread": "0s",
            "state.directory": pathlib.Path(self._files.name, "state"),
        } | (options or {})
        self.exit_code = 0  # what a stop shall end with
        self._key = api.key
        self._output = pathlib.Path(self._files.name, "output")
        arguments = [word for k, v in options.items() for word in ("--set", f"{k}={v}")]
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                [*prefix, program or binary(), "run", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean_environment(
                    **{"MACKEREL_APIKEY": api.key} | SANITIZER | (environment or {})
                ),
            )
        if wait:
            self.wait_ready()

    def wait_ready(self):
        self.grpc, self.http, self.admin = self._read_addresses()

    def _read_addresses(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if match := READY.search(self._output.read_bytes()):
                return (address.decode() for address in match.groups())
            if self.process.poll() is not None:
                raise AssertionError(f"ended before it was ready:\n{self.output()}")
            time.sleep(0.02)
        used = self.cpu_s()
        self.kill()
        raise AssertionError(f"not ready after {used} s of CPU time:\n{self.output()}")

    def output(self):
        return self._output.read_text("utf-8", "replace")

    def page(self, path):
        with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def status(self):
        return json.loads(self.page("/status"))

    def peak_rss_bytes(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) * 1024

    def cpu_s(self):
        """What it has used; on a machine that is busy far less than the time that passed."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, condition, timeout_s=20):
        """The first status for which the condition holds; fails with the last one otherwise."""
        deadline = time.monotonic() + timeout_s
        while True:
            status = self.status()
            if condition(status):
                return status
            if time.monotonic() > deadline:
                raise AssertionError(json.dumps(status, indent=1))
            time.sleep(0.1)

    def check_ledger(self):
        """Both equations hold as soon as nothing is on its way between threads."""
        self.wait(lambda status: balances(status["ledger"]))

    def stop(self, number=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def check_secrets(self, pages=""):
        assert self._key not in self.output() + pages, "the API key was printed"

    def check_end(self):
        """What must hold at the end of every test."""
        if self.process.poll() is None:
            self.check_ledger()
            pages = self.page("/status") + self.page("/metrics")
            assert self.stop() == self.exit_code, self.output()
            self.check_secrets(pages)
        self.check_secrets()
        assert "Sanitizer" not in self.output(), self.output()

    def close(self):
        self.kill()
        self._files.cleanup()


def balances(ledger):
    points, values = ledger["points"], ledger["values"]
    told = points["merged"] + points["pending"]
    told += sum(points["skipped"].values()) + sum(points["dropped"].values())
    settled = sum(values[k] for k in ("delivered", "replaced", "expired", "rejected", "queued"))
    settled += sum(values["withheld"].values())
    return points["received"] == told and values["closed"] == settled
