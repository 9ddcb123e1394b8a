import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/mackerel"), str(ROOT / "tests/e2e")]
pytest.register_assert_rewrite("running", "sender", "waits")

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
    """gateway(**{"minutes.grace": "1s"}) starts one; Gateway.check_end() is its last test."""
    if binary() is None:
        pytest.skip("no binary: `make dev` builds one")
    started = []

    def start(**options):
        started.append(Gateway(api, {"minutes.grace": "1s"} | options))
        return started[-1]

    try:
        yield start
        for one in started:
            one.check_end()
    finally:
        for one in started:
            one.close()


@pytest.fixture(scope="session", autouse=True)
def long_waits(request):
    """The futures of waits.py by name, running from the session's beginning."""
    wanted = [
        item.callspec.params["scenario"]
        for item in request.session.items
        if item.name.startswith("test_in_the_long_run")
    ]
    if not wanted:
        return {}
    if binary() is None:
        pytest.skip("no binary: `make dev` builds one")
    import waits

    return waits.start_all(wanted)
