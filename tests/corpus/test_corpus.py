"""Every recording through the pipeline, against the independent oracle and against the truth."""

import re

import gateway
import oracle
import pytest
import shift
import truth

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


def compare(requests, watch_start):
    got, summary = gateway.replay(requests, watch_start)
    found = differences(oracle.posted(requests, watch_start), got)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:40])
    assert summary["ledger"]["balances"] is True
    assert summary["ledger"]["pending"] == 0


@pytest.mark.parametrize("folder", gateway.folders(), ids=lambda folder: folder.name)
def test_a_watched_recording_gives_the_values_of_the_oracle(folder):
    compare(gateway.protobuf_requests(folder), gateway.early_watch_start(folder))


@pytest.mark.parametrize("folder", gateway.folders(), ids=lambda folder: folder.name)
def test_a_gateway_that_came_later_gives_the_values_of_the_oracle(folder):
    compare(gateway.protobuf_requests(folder), gateway.late_watch_start(folder))


# The points of one request lie minutes apart there, in no order, under one receive time.
RECORDED = [folder for folder in gateway.folders() if folder.name != "odd-values"]



@pytest.mark.parametrize("seconds", [7, 23, 41])
@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_the_values_are_those_of_the_oracle_wherever_the_minutes_fall(folder, seconds, tmp_path):
    by = seconds * gateway.SECOND
    requests = shift.shifted(folder, by, tmp_path)
    compare(requests, gateway.early_watch_start(folder) + by)
    compare(requests, gateway.late_watch_start(folder) + by)


# ---- against the truth: what the programs say that they measured

WITH_TRUTH = [folder for folder in gateway.folders() if gateway.truth(folder)]


def posted_totals(values, names):
    """{instrument: its rates over all minutes, back in counts}, None where none was posted."""
    totals = dict.fromkeys(names)
    for (_, metric, _), value in values.items():
        for name in names:
            if metric.endswith(f".{name}.rate"):
                totals[name] = (totals[name] or 0) + value * 60
    return totals


@pytest.mark.parametrize("folder", WITH_TRUTH, ids=lambda folder: folder.name)
def test_rates_over_a_watched_recording_add_up_to_what_was_measured(folder):
    """Every counter and distribution of the programs is young, so nothing of it may be missing.

    What is less than the truth was never sent (truth.find_last_export says why).
    """
    requests = gateway.protobuf_requests(folder)
    want = truth.totals(folder)
    values, _ = gateway.replay(requests, gateway.early_watch_start(folder))
    got = posted_totals(values, want)
    assert want
    for name, total in want.items():
        assert got[name] == pytest.approx(total, rel=1e-9), name


@pytest.mark.parametrize("folder", WITH_TRUTH, ids=lambda folder: folder.name)
def test_a_gateway_that_came_later_posts_no_more_than_was_measured(folder):
    """Baselines may cost a part, but no spike may appear."""
    requests = gateway.protobuf_requests(folder)
    want = truth.totals(folder)
    values, _ = gateway.replay(requests, gateway.late_watch_start(folder))
    for name, total in posted_totals(values, want).items():
        assert total is None or total <= want[name] * (1 + 1e-9), name
