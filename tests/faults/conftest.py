"""Tests marked `background` wait most of the time: they all run from the session's beginning, a few
at a time; their verdicts are collected where pytest comes to them."""
import concurrent.futures
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "mackerel")]
pytest.register_assert_rewrite("running", "books", "lives", "world", "kill", "scene")

import figures  # noqa: E402
from running import binary  # noqa: E402

AT_A_TIME = 20
TOO_LATE_S = 900


def pytest_configure(config):
    config.addinivalue_line("markers", "background: runs beside the others; takes no fixtures")


def arguments_of(item):
    return item.callspec.params if hasattr(item, "callspec") else {}


def run(item):
    figures.test.name = item.nodeid
    item.obj(**arguments_of(item))


@pytest.fixture(scope="session", autouse=True)
def futures(request):
    if binary() is None:
        pytest.skip("no binary: `make build` or `make dev` builds one")
    figures.begin()
    pool = concurrent.futures.ThreadPoolExecutor(AT_A_TIME)
    request.session.futures = {
        item.nodeid: pool.submit(run, item)
        for item in request.session.items
        if item.get_closest_marker("background") and not is_skipped(item)
    }
    yield
    pool.shutdown(wait=False, cancel_futures=True)


def is_skipped(item):
    return any(mark.args[0] for mark in item.iter_markers("skipif"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    future = getattr(pyfuncitem.session, "futures", {}).get(pyfuncitem.nodeid)
    if future is None:
        return None
    future.result(TOO_LATE_S)
    return True
