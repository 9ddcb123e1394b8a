"""Every golden case: the recorded OTLP gives exactly the values and reasons that want.txt names.

The independent oracle must say the same, so that no case is wrong in silence.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import golden

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "oracle"))

import oracle  # noqa: E402

REPLAY = os.environ.get("REPLAY_BINARY", str(HERE.parents[1] / "build/dev/tests/driver/replay"))
CASES = sorted(path.parent for path in HERE.glob("*/in.json"))


def replay(folder, scratch):
    watch_start, requests = golden.load(folder)
    index = []
    for i, (received, request) in enumerate(requests):
        path = scratch / f"{i}.pb"
        path.write_bytes(request.SerializeToString())
        index.append(f"{received} {path} identity\n")
    command = [REPLAY, "--watch-start", str(watch_start), *golden.replay_options(folder)]
    run = subprocess.run(command, input="".join(index), capture_output=True, text=True, check=True)
    return golden.read_posted(run.stdout)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_posts_what_the_case_wants(folder, tmp_path):
    want, want_reasons = golden.load_want(folder)
    got, ledger = replay(folder, tmp_path)
    found = golden.differences(want, got)
    assert not found, "\n".join(["", *found])
    assert ledger["reasons"] == want_reasons
    assert ledger["balances"] and ledger["pending"] == 0


# What the oracle leaves aside: it keeps no books of merged points, routes and broken points.
NOT_COUNTED = {"partial", "start_after_time", "filtered_device", "native_alternative"}
NOT_COUNTED |= {"other_source", "no_device", "no_service", "no_identity"}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_oracle_says_the_same(folder):
    want, want_reasons = golden.load_want(folder)
    watch_start, requests = golden.load(folder)
    gateway = oracle.Gateway(
        watch_start,
        container_mode=golden.container_mode(folder),
        host_settings=golden.host_settings(folder),
    )
    for received, request in requests:
        gateway.receive(request.SerializeToString(), received)
    gateway.post_until(oracle.FOR_EVER)
    got = golden.in_order(
        (vars(each.destination), each.minute // golden.NS, each.name, each.value, each.lane)
        for each in gateway.postings
    )
    found = golden.differences(want, got)
    assert not found, "\n".join(["", *found])
    counted = {reason: n for reason, n in want_reasons.items() if reason not in NOT_COUNTED}
    assert dict(gateway.reasons) == counted
