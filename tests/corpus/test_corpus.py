"""Every recording through the pipeline, against the independent oracle and against the truth."""

import re

import gateway
import oracle
import pytest

MINUTE = 60 * gateway.SECOND
PERCENTILE = re.compile(r"\.p9[059]$")


def is_close(name, want, got):
    """Linear interpolation loses digits where a bucket is nearly empty, hence percentiles' 1e-6."""
    tolerance = 1e-6 if PERCENTILE.search(name) else 1e-9
    return abs(got - want) <= tolerance * max(abs(want), abs(got), 1e-9)


def differences(want, got):
    """Readable lines, none if both say the same."""
    lines = []
    for key in sorted(set(want) | set(got), key=str):
        destination, name, minute = key
        where = f"{destination.kind} {destination.name} {name} {minute // gateway.SECOND}"
        if key not in got:
            lines.append(f"{where}: not posted, oracle {float(want[key])}")
        elif key not in want:
            lines.append(f"{where}: posted {got[key]}, oracle has none")
        elif not is_close(name, float(want[key]), got[key]):
            lines.append(f"{where}: posted {got[key]}, oracle {float(want[key])}")
    return lines


def compare(folder, watch_start):
    requests = gateway.protobuf_requests(folder)
    got, summary = gateway.replay(requests, watch_start)
    found = differences(oracle.posted(requests, watch_start), got)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:40])
    assert summary["ledger"]["balances"] is True
    assert summary["ledger"]["pending"] == 0


@pytest.mark.parametrize("folder", gateway.folders(), ids=lambda folder: folder.name)
def test_a_watched_recording_gives_the_values_of_the_oracle(folder):
    compare(folder, gateway.early_watch_start(folder))


@pytest.mark.parametrize("folder", gateway.folders(), ids=lambda folder: folder.name)
def test_a_gateway_that_came_later_gives_the_values_of_the_oracle(folder):
    compare(folder, gateway.late_watch_start(folder))
