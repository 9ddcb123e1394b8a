"""kill -9 under load, in short; `make soak` does the same for longer."""
import random

import pytest

import kill
import sdks
from running import binary

pytestmark = pytest.mark.background
SEED = 20261124


def test_without_state_a_kill_loses_what_was_acknowledged():
    """So the others are able to fail."""
    outcome = kill.run(kills=2, seed=SEED, durability="memory", folders=[], settle_s=20)
    assert outcome.acknowledged_requests > 0
    assert outcome.lost
    assert outcome.books == []


@pytest.mark.skipif(not sdks.are_installed(), reason="no clients: scripts/test-deps")
def test_kills_lose_nothing_and_double_nothing():
    outcome = kill.run(kills=10, seed=SEED, sdk_kinds=sdks.KINDS)
    assert outcome.problems == {}
    assert outcome.kills >= 10 and outcome.resends > 0 and outcome.looks > 100


def test_kills_between_group_commits_lose_nothing():
    outcome = kill.run(
        kills=5, seed=SEED + 1, durability="fsync", folders=[], has_trouble=True
    )
    assert outcome.problems == {}


def test_kills_of_the_sanitized_program_lose_nothing():
    """Its recovery touches no byte that it should not."""
    outcome = kill.run(kills=5, seed=random.random(), folders=[], program=binary())
    assert outcome.problems == {}
