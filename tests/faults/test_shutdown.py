"""SIGTERM while the API is up, down or slow; the successor posts what was left."""
import re
import signal
import time

import pytest

from scene import Scene

pytestmark = pytest.mark.background
STOP_S = 25  # what the gateway gives itself
SLACK_S = 4  # and what a busy machine may add
API = "/api/v0/"
FOREVER = float("inf")

DOWN = {"broken": "reset"}
SLOW = {"delay_s": 60, "status": 504}


def stop(scene, number=signal.SIGTERM):
    """(exit code, seconds, log)."""
    began = time.monotonic()
    code = scene.lives.gateway.stop(number)
    took_s = time.monotonic() - began
    scene.lives.bury()
    return code, took_s, scene.lives.logs[-1]


@pytest.mark.parametrize("fault", [None, DOWN, SLOW], ids=["up", "down", "slow"])
def test_a_stop_under_load_loses_nothing(fault):
    with Scene() as scene:
        if fault:
            scene.api.fault(API, FOREVER, **fault)
        scene.load()
        scene.wait_acknowledged(60)
        code, took_s, log = stop(scene)
        assert code == 0, log
        assert took_s < STOP_S + SLACK_S
        scene.api.clear_faults()
        scene.lives.start()
        scene.check()


def test_a_stop_while_the_api_is_up_is_quick():
    with Scene() as scene:
        scene.send_all(scene.source("host"))
        code, took_s, log = stop(scene)
        assert code == 0, log
        assert took_s < 10
        scene.lives.start()
        scene.check()


def test_a_stop_while_the_api_is_down_says_how_much_waits():
    with Scene() as scene:
        scene.api.fault(API, FOREVER, **DOWN)
        scene.send_all(scene.source("host", 5))
        scene.watch.wait_queued(45, 30)  # nine names in each of five minutes
        code, _, log = stop(scene)
        assert code == 0
        assert "values_waiting=45" in log and "values_lost=0" in log
        scene.api.clear_faults()
        scene.lives.start()
        scene.check()


def test_without_state_a_stop_says_what_dies_and_exits_75():
    with Scene(durability="memory") as scene:
        scene.api.fault(API, FOREVER, **DOWN)
        scene.send_all(scene.source("host", 5))
        scene.watch.wait_queued(45, 30)
        code, _, log = stop(scene)
        assert code == 75
        assert int(re.search(r"values_lost=(\d+)", log).group(1)) == 45


def test_a_second_signal_ends_at_once_and_loses_nothing():
    with Scene() as scene:
        scene.api.fault(API, FOREVER, **SLOW)
        scene.send_all(scene.source("host"))
        scene.watch.wait_queued(1, 30)  # a post is on its way, and takes a minute
        process = scene.lives.gateway.process
        process.send_signal(signal.SIGTERM)
        while "stopping" not in scene.lives.gateway.output():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM
        scene.lives.bury()
        scene.api.clear_faults()
        scene.lives.start()
        scene.check()


def test_a_kill_in_the_middle_of_a_stop_loses_nothing():
    with Scene() as scene:
        scene.api.fault(API, FOREVER, **SLOW)
        scene.load()
        scene.wait_acknowledged(60)
        scene.lives.gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        scene.api.clear_faults()
        scene.lives.restart()
        scene.check()
