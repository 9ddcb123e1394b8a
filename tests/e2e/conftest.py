import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/mackerel"), str(ROOT / "tests/e2e")]

from running import Gateway, binary  # noqa: E402
from standin import StandIn  # noqa: E402


@pytest.fixture
def api():
    """The Mackerel API. At the end it must have seen nothing that Mackerel would refuse."""
    with StandIn() as standin:
        yield standin
        assert standin.violations == []


@pytest.fixture
def gateway(api):
    """gateway(**{"minutes.grace": "1s"}) starts one; see the end for what is always checked."""
    if binary() is None:
        pytest.skip("no binary: `make dev` builds one")
    started = []

    def start(**options):
        started.append(Gateway(api, {"minutes.grace": "1s"} | options))
        return started[-1]

    try:
        yield start
        for one in started:
            if one.process.poll() is None:
                one.check_ledger()
                pages = one.page("/status") + one.page("/metrics")
                assert one.stop() == one.exit_code, one.output()
                one.check_secrets(pages)
            one.check_secrets()
            assert "Sanitizer" not in one.output(), one.output()
    finally:
        for one in started:
            one.close()
