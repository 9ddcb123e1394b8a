"""Every golden case: the recorded OTLP gives exactly the values and reasons that want.txt names."""
import os
import subprocess
from pathlib import Path

import pytest

import golden

HERE = Path(__file__).parent
REPLAY = os.environ.get("REPLAY_BINARY", str(HERE.parents[1] / "build/dev/tests/driver/replay"))
CASES = sorted(path.parent for path in HERE.glob("*/in.json"))


def replay(folder, scratch):
    watch_start, requests = golden.load(folder)
    index = []
    for i, (received, request) in enumerate(requests):
        path = scratch / f"{i}.pb"
        path.write_bytes(request.SerializeToString())
        index.append(f"{received} {path} identity\n")
    run = subprocess.run([REPLAY, "--watch-start", str(watch_start)], input="".join(index),
                         capture_output=True, text=True, check=True)
    return golden.read_posted(run.stdout)


def differences(want, got):
    lines = []
    for key in sorted(want.keys() | got.keys()):
        if key not in got:
            lines.append(f"missing    {'  '.join(key)}  {float(want[key])}")
        elif key not in want:
            lines.append(f"unexpected {'  '.join(key)}  {got[key]}")
        elif got[key] != pytest.approx(float(want[key]), rel=1e-9, abs=1e-12):
            lines.append(f"differs    {'  '.join(key)}  want {float(want[key])} got {got[key]}")
    return lines


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_posts_what_the_case_wants(folder, tmp_path):
    want, want_reasons = golden.load_want(folder)
    got, ledger = replay(folder, tmp_path)
    assert "\n".join(differences(want, got)) == ""
    assert ledger["reasons"] == want_reasons
    assert ledger["balances"] and ledger["pending"] == 0
