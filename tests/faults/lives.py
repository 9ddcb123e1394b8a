"""One gateway that lives several times: killed, restarted at once, on the same ports and state."""
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/faults", "tests/e2e", "tests/mackerel")]

from ports import free_address  # noqa: E402
from running import Gateway, binary  # noqa: E402

# A life ends at a moment drawn evenly from (0, LONGEST_LIFE_S). One in four is followed by one that
# hardly begins: it ends in the middle of reading its state.
LONGEST_LIFE_S = 2.0
EARLY = 0.25
EARLIEST_S = 0.15


def release_binary():
    """What users run, if it is built: sanitizers get in the way of preloaded libraries."""
    path = ROOT / "build/release/mackerel-otel-gateway"
    if "GATEWAY_BINARY" not in os.environ and os.access(path, os.X_OK):
        return str(path)
    return binary()


class Lives:
    """`options` are configuration keys, as for Gateway; `durability` None leaves it out."""

    def __init__(self, api, options=None, *, durability="process", directory=None, **how):
        self.api = api
        self.durability = durability
        self._made = None if directory else tempfile.mkdtemp(prefix="gateway-state-")
        self.directory = pathlib.Path(directory or self._made)
        self.options = {"minutes.grace": "1s", "state.durability": durability}
        # Everything is posted that was sent: more names than the default budgets have.
        for budget in ("host_metrics", "service_metrics", "all_service_metrics"):
            self.options[f"budgets.{budget}"] = "0"
        self.options |= options or {}
        for key in ("receiver.grpc", "receiver.http", "admin"):
            self.options[f"{key}.endpoint"] = free_address()
        if durability != "memory":
            self.options["state.directory"] = self.directory
        self.how = {"program": release_binary()} | how
        self.gateway = None
        self.logs = []
        self.recoveries_s = []  # from start to ready, of all lives but the first
        self.kills = self.early_kills = 0

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.gateway:
            self.gateway.close()
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    # --- lives

    def start(self, wait=True, **more):
        """Starts the next life; `more` options hold from now on."""
        self.options |= more
        began = time.monotonic()
        is_first = self.gateway is None
        self.gateway = Gateway(self.api, self.options, wait=False, **self.how)
        if not wait:
            return
        self.gateway.wait_ready()
        if not is_first:
            self.recoveries_s.append(time.monotonic() - began)

    def bury(self):
        """Keeps the log of a life that is over."""
        log = self.gateway.output()
        self.gateway.close()
        self.logs.append(log)
        assert "Sanitizer" not in log, log
        assert self.api.key not in log, "the API key was printed"

    def kill(self):
        self.gateway.kill()
        self.kills += 1
        self.bury()

    def restart(self, **more):
        self.kill()
        self.start(**more)

    def stop(self):
        code = self.gateway.stop()
        self.bury()
        return code

    # --- many of them

    def kill_often(self, times, seed, after):
        """SIGKILL at random moments, `times` times, and after() each start; ends with a life that
        goes on."""
        rng = random.Random(seed)
        for left in reversed(range(times)):
            is_early = left and rng.random() < EARLY
            time.sleep(rng.uniform(0, LONGEST_LIFE_S))
            self.kill()
            if is_early:
                self.start(wait=False)
                time.sleep(rng.uniform(0, EARLIEST_S))
                self.kill()
                self.early_kills += 1
            self.start()
            after()

    @property
    def http(self):
        return self.options["receiver.http.endpoint"]

    @property
    def grpc(self):
        return self.options["receiver.grpc.endpoint"]

    @property
    def admin(self):
        return self.options["admin.endpoint"]
