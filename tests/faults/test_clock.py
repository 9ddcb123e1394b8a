"""The machine's clock steps (libfaketime under the release build): nothing is lost, no rate is
negative, no minute is stuck, and ticks never go back. Senders keep the right time.

A gateway in memory shows what happens while it runs, one with state what happens across a restart.
"""
import glob
import os
import pathlib
import tempfile
import time

import pytest

import world
from lives import release_binary
from scene import Scene

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
HOUR, DAY = 3600, 86400

pytestmark = [
    pytest.mark.background,
    pytest.mark.skipif(LIBRARY is None, reason="no libfaketime: scripts/packages test"),
    pytest.mark.skipif(
        not (release_binary() or "").endswith("release/mackerel-otel-gateway"),
        reason="preloading needs the release build: `make build`",
    ),
]


class Clock:
    """The gateway's real-time clock is the machine's plus `offset_s`; its monotonic one is right."""

    def __init__(self, offset_s=0):
        self._file = pathlib.Path(tempfile.mkdtemp(prefix="gateway-clock-"), "offset")
        self.set(offset_s)
        self.environment = {
            "LD_PRELOAD": LIBRARY,
            "FAKETIME_TIMESTAMP_FILE": self._file,
            "FAKETIME_NO_CACHE": 1,
            "DONT_FAKE_MONOTONIC": 1,
        }

    def set(self, offset_s):
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        os.replace(new, self._file)


def scene_with(clock, **how):
    scene = Scene(environment=clock.environment, **how)
    scene.load(minutes=60)
    scene.wait_acknowledged(30)
    return scene


def forget_times(api):
    """The API's clock is right, the gateway's was not: times are the senders', and these were right."""
    api.violations = [one for one in api.violations if "h old" not in one]


STEPS = {"+1 h": HOUR, "-1 h": -HOUR, "within a minute": 20, "back within a minute": -20}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_while_running_loses_nothing(name):
    clock = Clock()
    with scene_with(clock, durability="memory") as scene:
        clock.set(STEPS[name])
        scene.wait_acknowledged(60)
        outcome = scene.check()
        assert outcome.due > 0


