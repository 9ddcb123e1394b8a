"""The verdicts of waits.py, whose scenarios began with the session."""
import pytest

import waits


@pytest.mark.parametrize("scenario", waits.SCENARIOS)
def test_in_the_long_run(long_waits, scenario):
    long_waits[scenario].result(waits.TOO_LATE_S)
