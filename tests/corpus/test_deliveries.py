"""The recordings, delivered late, twice or in part: pipeline and oracle agree on every minute."""

import delivery
import gateway
import oracle
import pytest
from test_corpus import differences

WAYS = {
    "cut-off-3-hours": lambda requests: delivery.cut_off(requests, 3),
    "overtaken-by-3-hours": lambda requests: delivery.overtaken(requests, 3),
    "every-other-20-minutes-late": lambda requests: delivery.every_other_late(requests, 20),
    "some-dropped-1": lambda requests: delivery.some_dropped(requests, 1),
    "some-dropped-2": lambda requests: delivery.some_dropped(requests, 2),
}
# The others depend on where a native metric's point is booked, which the oracle leaves aside.
COUNTED = ["repeat", "too_old", "gap", "fell", "since_boot", "duplicate", "out_of_order"]

# Window summaries (each with a start of its own) out of order: the gateway takes windows that were overtaken
# for those of one delta stream, for which minutes can be final; to the oracle each is a stream. Open.
OUT_OF_ORDER = ["overtaken-by-3-hours", "every-other-20-minutes-late"]
SUMMARIES = ("micrometer-delta", "ledger.ledger.amount.")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("folder", gateway.folders(), ids=lambda folder: folder.name)
def test_the_oracle_says_the_same_however_a_recording_is_delivered(folder, way):
    requests = WAYS[way](gateway.protobuf_requests(folder))
    for watch_start in gateway.early_watch_start(folder), gateway.late_watch_start(folder):
        values, summary = gateway.replay(requests, watch_start)
        by_the_rules = oracle.run(requests, watch_start)
        sides = by_the_rules.values(), values
        if folder.name == SUMMARIES[0] and way in OUT_OF_ORDER:
            sides = [without(side, SUMMARIES[1]) for side in sides]
        found = differences(*without_lone_zeros(*sides))
        assert not found, f"{len(found)} differences\n" + "\n".join(found[:40])
        ledger = summary["ledger"]
        assert ledger["balances"] and ledger["pending"] == 0
        for reason in COUNTED:
            assert ledger["reasons"].get(reason, 0) == by_the_rules.reasons[reason], reason


def without(side, prefix):
    return {key: value for key, value in side.items() if not key[1].startswith(prefix)}


def without_lone_zeros(*sides):
    """Zeros that only one side has.

    A host without swap may post its zeros in minutes that only its paging totals span; and the page leaves
    open from when a silent delta stream is zero again after a break of its source's reports.
    """
    both = set(sides[0]) & set(sides[1])
    return [
        {key: value for key, value in side.items() if value != 0 or key in both or not may_lack(key)}
        for side in sides
    ]


def may_lack(key):
    return key[1].startswith("memory.swap_") or key[1].endswith(".rate")


# The points of one request lie minutes apart there, in no order, under one receive time.
RECORDED = [folder for folder in gateway.folders() if folder.name != "odd-values"]


@pytest.mark.parametrize("way", ["cut-off-3-hours", "every-other-20-minutes-late"])
@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_what_was_over_before_it_came_goes_in_the_backfill_lane(folder, way):
    requests = WAYS[way](gateway.protobuf_requests(folder))
    watch_start = gateway.early_watch_start(folder)
    found, _ = gateway.postings(requests, watch_start)
    got = first_lanes((key, lane) for key, _, lane in found)
    wanted = first_lanes(
        ((each.destination, each.name, each.minute), each.lane)
        for each in oracle.run(requests, watch_start).postings
    )
    assert {key: lane for key, lane in got.items() if key in wanted} == wanted


def first_lanes(postings):
    lanes = {}
    for key, lane in postings:
        lanes.setdefault(key, lane)
    return lanes


@pytest.mark.parametrize("seconds", [0.2, 599])
@pytest.mark.parametrize("folder", gateway.folders(), ids=lambda folder: folder.name)
def test_requests_that_come_twice_change_nothing(folder, seconds):
    requests = gateway.protobuf_requests(folder)
    watch_start = gateway.early_watch_start(folder)
    once, summary = gateway.replay(requests, watch_start)
    twice, summary_of_twice = gateway.replay(delivery.twice(requests, seconds), watch_start)
    assert twice == once
    ledger, repeated = summary["ledger"], summary_of_twice["ledger"]
    assert repeated["reasons"].pop("repeat") == ledger["received"]
    assert repeated["reasons"] == ledger["reasons"]
    assert repeated["merged"] == ledger["merged"]
