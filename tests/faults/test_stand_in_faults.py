"""Everything that the API can do wrong, with a kill in the middle: what is posted at the end is
exactly right."""
import pytest

from scene import Scene
from standin import Refusal, StandIn

pytestmark = pytest.mark.background

HTML = {"content_type": "text/html", "body": b"<html>hello</html>"}

FAULTS = {
    "500": (3, {"status": 500}),
    "502 with a page": (3, {"status": 502} | HTML),
    "503 with Retry-After": (3, {"status": 503, "headers": {"Retry-After": "1"}}),
    "504 after a while": (2, {"status": 504, "delay_s": 2}),
    "429": (2, {"status": 429}),
    "429 with Retry-After": (2, {"status": 429, "headers": {"Retry-After": "2"}}),
    "reset before values are taken": (3, {"broken": "reset"}),
    "reset after values were taken": (3, {"broken": "reset", "after": True}),
    "half an answer": (3, {"broken": "half"}),
    "half a head": (3, {"broken": "headless"}),
    "an answer that is too short": (1, {"broken": "short"}),
    "an answer that is too long": (3, {"broken": "long"}),
    "an answer without end": (2, {"broken": "endless"}),
    "no HTTP": (3, {"broken": "garbage"}),
    "slow, but right": (4, {"delay_s": 3}),
    "404 for a moment": (2, {"status": 404}),
}


def post_with_a_kill(scene, is_hit):
    """Sends, waits until the fault has been met, kills, and lets things take their course."""
    scene.load(minutes=20)
    scene.wait_acknowledged(30)
    assert scene.api.wait(is_hit, 60)
    scene.lives.restart()
    scene.wait_acknowledged(10)
    scene.finish()


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_fault_and_a_kill_everything_is_posted(name):
    times, fault = FAULTS[name]
    with Scene() as scene:
        scene.api.fault("/api/v0/", times, method="POST", **fault)
        post_with_a_kill(scene, lambda: scene.api.faults_left() < times)
        scene.check()
        assert scene.api.faults_left() == 0


def test_a_key_that_was_rotated_loses_nothing():
    with Scene() as scene:
        scene.load(minutes=20)
        scene.wait_acknowledged(30)
        scene.api.rotate_key("another-key-0815")
        assert scene.api.wait(lambda: scene.api.refused[403] > 0, 60)
        scene.lives.restart()  # with the key that is right now
        scene.check()


POISON = "custom.system.fault.depth"


class Picky(StandIn):
    """Refuses posts with a certain name, whole."""

    def _check(self, body, kind):
        super()._check(body, kind)
        if any(item["name"] == POISON for item in body):
            raise Refusal(400, f"{POISON} is not to be", violation=False)


def test_a_bad_value_is_rejected_alone_across_a_kill():
    with Scene(api=Picky()) as scene:
        scene.send(scene.source("host", 20))
        assert scene.api.wait(lambda: scene.api.refused[400] > 0, 60)
        scene.lives.restart()
        scene.finish()
        last = scene.watch.wait_settled(200)
        outcome = scene.judge()
        assert {key[2] for key in outcome.lost} == {POISON}
        assert last["values_rejected_total"] == len(outcome.lost)
        assert not (outcome.doubled or outcome.wrong or outcome.invented or outcome.books)
