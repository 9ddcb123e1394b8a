"""Programs with real OpenTelemetry SDKs (tests/clients) that go on through everything and count."""
import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests/clients"
PYTHON = ROOT / "build/venv/bin/python"
MODULES = ROOT / "build/node/node_modules"
LONGEST_S = 3600
PATIENCE_S = 60
CALM_S = 8  # a channel that met a closed port looks again after seconds only
KINDS = [("python", "grpc"), ("python", "http"), ("node", "grpc"), ("node", "http")]


def are_installed():
    return PYTHON.exists() and MODULES.exists()


class Sdk:
    """One program; cumulative, so that an export which got lost on the way is made good by the next.

    Its last export must arrive: stop it when the gateway has been up for CALM_S.
    """

    def __init__(self, sdk, transport, lives, folder):
        self.service = f"sdk-{sdk}-{transport}"
        self.counted = None
        self._stop_file = pathlib.Path(folder, self.service + ".stop")
        now = time.time()
        arguments = {
            "service": self.service,
            "instance": "one",
            "transport": transport,
            "gzip": transport == "http",
            "delta": False,
            "endpoint": lives.grpc if transport == "grpc" else lives.http,
            "middle": now + LONGEST_S,
            "until": now + LONGEST_S,
            "stop_file": str(self._stop_file),
        }
        program = [PYTHON, CLIENTS / "client.py"]
        if sdk == "node":
            program = ["node", CLIENTS / "client.cjs"]
        self._process = subprocess.Popen(
            [*program, json.dumps(arguments)],
            env={k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
            | {"NODE_PATH": str(MODULES)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stop(self):
        self._stop_file.touch()

    def finish(self):
        out, err = self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0, err
        self.counted = json.loads(out.splitlines()[-1])
        assert self.counted.pop("acknowledged"), f"{self.service}: the last export failed: {err}"

    def kill(self):
        self._process.kill()
        self._process.communicate()

    def posted(self, api):
        """The same totals, from what was posted."""
        rates = api.series("service", self.service, "latency.rate")
        averages = api.series("service", self.service, "latency.avg")
        orders = api.series("service", self.service, "orders.rate").values()
        return {
            "orders": sum(orders) * 60,
            "latency_count": sum(rates.values()) * 60,
            "latency_sum": sum(rates[m] * 60 * averages[m] for m in averages),
        }
