"""The machine's clock steps (libfaketime under the release build): nothing is lost, no rate is
negative, no minute is stuck, and ticks never go back. Senders keep the right time.

Where the gateway's clock is days ahead it takes everything for too old, as it must: counted, not
lost in silence.
"""
import glob
import os
import pathlib
import tempfile
import time

import pytest

import figures
import sdks
from lives import release_binary
from scene import SETTLE_S, Scene

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
            "FAKETIME_CACHE_DURATION": 1,
            "DONT_FAKE_MONOTONIC": 1,
        }

    def set(self, offset_s):
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        os.replace(new, self._file)


def start_scene(clock, minutes=60, **how):
    scene = Scene(environment=clock.environment, **how)
    scene.load(minutes)
    scene.wait_acknowledged(30)
    return scene


STEPS = {
    "+20 s": 20,
    "-20 s": -20,
    "+1 h": HOUR,
    "-1 h": -HOUR,
    "-3 d": -3 * DAY,
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_while_running_loses_nothing(step):
    clock = Clock()
    with start_scene(clock) as scene:
        clock.set(STEPS[step])
        scene.wait_acknowledged(60)
        scene.check()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_across_a_restart_loses_nothing(step):
    clock = Clock()
    with start_scene(clock) as scene:
        scene.lives.kill()
        clock.set(STEPS[step])
        scene.lives.start()
        scene.wait_acknowledged(60)
        scene.lives.restart()
        scene.check()


def test_a_clock_that_was_an_hour_ahead_loses_nothing_when_it_is_set_right():
    clock = Clock(HOUR)
    with start_scene(clock) as scene:
        clock.set(0)
        scene.wait_acknowledged(30)
        scene.lives.restart()
        scene.check()


@pytest.mark.parametrize("with_kill", [False, True])
def test_a_clock_that_is_days_ahead_counts_what_it_takes_for_old(with_kill):
    """Nobody can post what it believes to be over 24 h old; nothing may be wrong or silent."""
    clock = Clock()
    with start_scene(clock, minutes=600) as scene:
        clock.set(3 * DAY)
        if with_kill:
            scene.lives.restart()
        scene.wait_dropped("too_old", 40)
        scene.finish()
        last = scene.watch.wait_settled(60)
        outcome = scene.judge()
        outcome.dropped = last.by_label("points_dropped_total")
        figures.note(outcome)
        assert last.is_settled and outcome.books == []
        assert not (outcome.doubled or outcome.invented)
        assert last["points_dropped_total"] + last["values_expired_total"] > 0
        assert set(last.by_label("points_dropped_total")) == {"too_old"}


@pytest.mark.skipif(not sdks.are_installed(), reason="no clients: scripts/test-deps")
@pytest.mark.parametrize("step", ["+1 h", "-1 h"])
def test_totals_of_running_programs_come_out_right_across_a_step(step):
    clock = Clock()
    with Scene(environment=clock.environment) as scene, tempfile.TemporaryDirectory() as folder:
        programs = [sdks.Sdk(*kind, scene.lives, folder) for kind in sdks.KINDS]
        try:
            time.sleep(15)
            clock.set(STEPS[step])
            time.sleep(15)
            for program in programs:
                program.stop()
            for program in programs:
                program.finish()
        finally:
            for program in programs:
                program.kill()
        wait_totals(scene, programs)


def wait_totals(scene, programs):
    """What was counted, once the last minute is over and corrections have been posted."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        posted = {program.service: program.posted(scene.api) for program in programs}
        if all(posted[p.service] == pytest.approx(p.counted, rel=1e-9) for p in programs):
            return
        time.sleep(1)
    assert posted == {program.service: program.counted for program in programs}
