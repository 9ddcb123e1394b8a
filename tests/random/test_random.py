"""Random histories: the pipeline posts what the oracle says, for 2,000 seeds here and more in soak."""

import os

import agree
import pytest
import scenarios

SEEDS = 2000
JOBS = os.cpu_count() or 1


@pytest.mark.parametrize("name", sorted(scenarios.CLASSES))
def test_the_pipeline_posts_what_the_oracle_says(name):
    seeds = list(range(1, 1 + -(-SEEDS // len(scenarios.CLASSES))))
    found = list(agree.check_all(seeds, JOBS, name))
    for seed, lines in found[:2]:
        agree.report(seed, lines, name, shrink=True)
    assert not found, f"seeds of class {name} that disagree: {[seed for seed, _ in found]}"


def test_a_wrong_value_is_found_and_cut_to_the_points_that_give_it(monkeypatch):
    """The harness itself: against a gateway that posts one more per second of one counter."""
    right = agree.by_the_gateway

    def wrong(cases):
        return [({key: spoilt(key, value) for key, value in values.items()}, summary)
                for values, summary in right(cases)]

    def spoilt(key, value):
        return value + 1 if key[1].endswith(".sum.rate") else value

    monkeypatch.setattr(agree, "by_the_gateway", wrong)
    case = next(case for case in map(scenarios.make, range(1, 50)) if agree.disagreements(case))
    small = agree.shrunk(case)
    assert 1 <= len(small.rows) <= 2
    assert {row.instrument.kind for row in small.rows} == {"sum"}
