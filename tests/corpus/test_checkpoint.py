"""A pipeline that is saved and loaded on the way says what one says that ran on, to the last byte."""

import gateway
import pytest

# Of each kind one: cumulative and delta, host metrics, replicas, odd values.
FOLDERS = ["host-full", "micrometer-delta", "odd-values", "python-grpc", "same-identity"]


@pytest.mark.parametrize("name", FOLDERS)
def test_saving_and_loading_on_the_way_changes_no_byte(name):
    folder = gateway.CORPUS / name
    requests = gateway.protobuf_requests(folder)
    watch_start = gateway.early_watch_start(folder)
    want = gateway.replay_text(requests, watch_start)
    assert want.count("\n") > 10
    for every in ("1", "7"):
        assert gateway.replay_text(requests, watch_start, "--reload", every) == want
