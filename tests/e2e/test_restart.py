"""State on disk: what was acknowledged is posted, once and right, whatever ends the process."""
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest

import running as harness
import sender
from running import binary, clean_environment
from sender import MINUTE, SECOND, boundary

grpc = pytest.importorskip("grpc")

PATIENCE_S = 40
DEPTH = ("service", "shop", "depth")


def depth(at_ns, value, instance="a"):
    return sender.gauge("shop", "depth", [(at_ns, value)], service__instance__id=instance)


def posted(api, at_ns):
    """Every value that was posted for the minute."""
    return api.values.get((*DEPTH, at_ns // MINUTE * 60), [])


def run(*settings):
    """A gateway that shall not start."""
    ports = [f"{name}.endpoint=127.0.0.1:0" for name in ("receiver.grpc", "receiver.http", "admin")]
    words = [f"--set={setting}" for setting in (*ports, *settings)]
    return subprocess.run(
        [binary(), "run", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=clean_environment(),
    )


# ---- restarts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["process", "fsync"])
def test_what_was_acknowledged_is_posted_once_after_kill_9(api, gateway, tmp_path, durability):
    api.add_service("shop")
    options = {"state.directory": tmp_path / "state", "state.durability": durability}
    options["minutes.grace"] = "6s"  # the first one does not live as long
    at = boundary() + SECOND
    first = gateway(**options)
    sender.send_http(first, [depth(at, 1.0)])
    sender.send_grpc(first, [depth(at, 5.0, "b")])
    first.kill()
    assert posted(api, at) == []

    second = gateway(**options)
    found = second.status()
    assert found["state"]["durability"] == durability
    assert found["state"]["recovery"]["records"] == 3  # the configuration and two requests
    assert found["ledger"]["points"]["received"] == 2
    second.kill()  # it has saved no checkpoint either

    third = gateway(**options)
    assert third.status()["ledger"]["points"]["received"] == 2
    assert api.wait(lambda: posted(api, at), PATIENCE_S), third.page("/status")
    third.wait(lambda s: s["ledger"]["values"]["delivered"] == 1)
    assert posted(api, at) == [3.0]


def test_an_open_minute_goes_on_after_a_restart(api, gateway, tmp_path):
    api.add_service("shop")
    options = {"state.directory": tmp_path / "state", "minutes.grace": "8s"}
    at = boundary() + SECOND
    first = gateway(**options)
    sender.send_http(first, [depth(at, 1.0)])
    assert first.stop() == 0
    assert "points_waiting=1" in first.output()
    assert posted(api, at) == []

    second = gateway(**options)
    assert second.status()["state"]["recovery"]["records"] == 0  # the checkpoint has it
    sender.send_http(second, [depth(at, 3.0, "b")])
    assert api.wait(lambda: posted(api, at), PATIENCE_S), second.page("/status")
    assert posted(api, at) == [2.0]  # the mean of both, in one piece


def test_values_that_wait_when_it_stops_are_posted_by_the_next_one(api, gateway, tmp_path):
    api.add_service("shop")
    api.fault("/api/v0/services/shop", times=10**6, status=503)
    home = {"state.directory": tmp_path / "state"}
    at = boundary() + SECOND
    first = gateway(**home)
    sender.send_http(first, [depth(at, 42.0)])
    first.wait(lambda s: s["ledger"]["values"]["queued"] == 1)
    assert first.stop() == 0
    assert "values_waiting=1" in first.output()
    assert posted(api, at) == []

    api.clear_faults()
    second = gateway(**home)
    assert api.wait(lambda: posted(api, at), PATIENCE_S), second.page("/status")
    assert posted(api, at) == [42.0]
    values = second.wait(lambda s: s["ledger"]["values"]["delivered"] == 1)["ledger"]["values"]
    assert values["closed"] == 1


def test_a_second_signal_ends_it_at_once_and_loses_nothing(api, gateway, tmp_path):
    api.add_service("shop")
    # An answer that never ends: the stop waits for it, so the second signal always finds it waiting.
    api.fault("/api/v0/services/shop", times=10**6, status=503, broken="short")
    home = {"state.directory": tmp_path / "state"}
    at = boundary() + SECOND
    first = gateway(**home)
    sender.send_http(first, [depth(at, 42.0), depth(at + MINUTE, 43.0)])
    assert api.wait(lambda: api.faults_left() < 10**6, PATIENCE_S), first.page("/status")
    first.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while "a second signal" not in first.output():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert first.stop() == -signal.SIGTERM

    api.clear_faults()
    second = gateway(**home)
    assert api.wait(lambda: posted(api, at + MINUTE), PATIENCE_S), second.page("/status")
    assert api.wait(lambda: posted(api, at), PATIENCE_S), second.page("/status")
    assert (posted(api, at)[-1], posted(api, at + MINUTE)[-1]) == (42.0, 43.0)


def test_a_signal_while_it_recovers_ends_it_and_the_next_one_has_everything(api, gateway, tmp_path):
    api.add_service("shop")
    options = {"state.directory": tmp_path / "state", "minutes.grace": "10m"}
    at = boundary() + SECOND
    first = gateway(**options)
    requests = [depth(at + i, float(i)) for i in range(3000)]
    sender.send_grpc(first, requests)
    first.kill()

    second = harness.Gateway(api, {"minutes.grace": "10m"} | options, wait=False)
    try:
        second.process.send_signal(signal.SIGTERM)
        second.process.wait(PATIENCE_S)
    finally:
        second.close()
    third = gateway(**options)
    assert third.status()["ledger"]["points"]["received"] == 3000


# ---- where state lives ------------------------------------------------------------------------


def test_state_is_in_memory_where_the_directory_cannot_be_used(api, gateway, tmp_path):
    (tmp_path / "file").write_text("")
    running = gateway(**{"state.directory": tmp_path / "file"})
    assert running.status()["state"]["durability"] == "memory"
    warning = next(line for line in running.output().splitlines() if "state is in memory" in line)
    assert "level=warn" in warning and str(tmp_path / "file") in warning


@pytest.mark.parametrize("durability", ["process", "fsync"])
def test_a_demanded_directory_that_cannot_be_used_is_an_error(tmp_path, durability):
    (tmp_path / "file").write_text("")
    found = run(f"state.directory={tmp_path}/file", f"state.durability={durability}")
    assert found.returncode == 78
    assert f"{tmp_path}/file" in found.stderr


def test_a_directory_that_was_removed_takes_no_more_requests(api, gateway, tmp_path):
    api.add_service("shop")
    running = gateway(**{"state.directory": tmp_path / "state", "minutes.grace": "2s"})
    at = boundary() + SECOND
    sender.send_http(running, [depth(at, 1.0)])
    shutil.rmtree(tmp_path / "state")
    deadline = time.monotonic() + PATIENCE_S
    while (found := sender.post(running, depth(at, 2.0).SerializeToString()))[0] == 200:
        assert time.monotonic() < deadline, running.page("/status")
        time.sleep(0.1)
    assert found[0] == 503
    assert any("directory is gone" in text for text in running.status()["problems"])
    # What was acknowledged before is posted all the same.
    assert api.wait(lambda: posted(api, at), PATIENCE_S)
    assert running.stop() == 0
    assert "the state directory is gone" in running.output()


def test_values_of_a_removed_directory_that_stay_behind_are_said(api, gateway, tmp_path):
    api.add_service("shop")
    api.fault("/api/v0/services", float("inf"), status=503)
    running = gateway(**{"state.directory": tmp_path / "state", "minutes.grace": "1s"})
    sender.send_http(running, [depth(boundary() + SECOND, 1.0)])
    running.wait(lambda s: s["ledger"]["values"]["queued"])
    shutil.rmtree(tmp_path / "state")
    running.exit_code = running.stop()
    assert running.exit_code == 75 and "values_lost=1" in running.output(), running.output()


def test_a_body_that_the_journal_never_has_room_for_is_refused_for_good(gateway, tmp_path):
    running = gateway(**{"state.directory": tmp_path / "state", "state.journal.max_size": "4MiB"})
    at = boundary()

    def metrics(size):
        """Of that size also when it is compressed, as the journal keeps it."""
        return depth(at, 1.0, instance=os.urandom(size).hex())

    assert sender.post(running, metrics(1 << 19).SerializeToString())[0] == 200
    assert sender.post(running, metrics(1 << 20).SerializeToString())[0] == 413
    with pytest.raises(grpc.RpcError) as refused:
        sender.send_grpc(running, [metrics(3 << 20)])
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" not in dict(refused.value.trailing_metadata())


def test_state_is_for_its_owner_alone(api, gateway, tmp_path):
    api.add_service("shop")
    running = gateway(**{"state.directory": tmp_path / "state", "minutes.grace": "1s"})
    at = boundary() + SECOND
    sender.send_http(running, [depth(at, 1.0)])
    assert api.wait(lambda: posted(api, at), PATIENCE_S)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "state").iterdir()}
    assert {"outbox.db", "outbox.db-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}, modes


def test_a_second_process_on_the_same_directory_is_refused(api, gateway, tmp_path):
    running = gateway(**{"state.directory": tmp_path})
    found = run(f"state.directory={tmp_path}")
    assert found.returncode == 69
    assert str(tmp_path) in found.stderr and str(running.process.pid) in found.stderr


# ---- a full disk ------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small disk cannot be mounted without root")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path):
    with open(path, "wb") as file:
        with pytest.raises(OSError):
            while True:
                file.write(bytes(1 << 16))
                file.flush()


def test_a_full_disk_refuses_senders_until_there_is_room(api, gateway, small_disk):
    api.add_service("shop")
    options = {"state.directory": small_disk / "state", "state.journal.max_size": "16MiB"}
    running = gateway(**options)
    at = boundary() + SECOND
    sender.send_http(running, [depth(at, 1.0)])
    fill(small_disk / "filler")

    def answer():
        return sender.post(running, depth(at + MINUTE, 2.0).SerializeToString())[0]

    deadline = time.monotonic() + PATIENCE_S
    while (status := answer()) == 200 and time.monotonic() < deadline:
        time.sleep(0.1)  # the free space is asked for now and then
    assert status == 503, running.page("/status")
    with pytest.raises(grpc.RpcError) as refused:
        sender.send_grpc(running, [depth(at + MINUTE, 2.0)])
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
    assert b"google.rpc.RetryInfo" in details
    found = running.wait(lambda s: s["problems"])
    assert any("the journal refuses requests" in problem for problem in found["problems"])
    assert found["state"]["refused_requests"]["journal"] >= 2
    assert re.search(r"^mackerel_gateway_journal_refusing 1$", running.page("/metrics"), re.M)

    # What was accepted goes on: the minute closes, the outbox takes the reserve if it needs it.
    assert api.wait(lambda: posted(api, at), PATIENCE_S), running.page("/status")
    os.unlink(small_disk / "filler")
    while answer() != 200:
        assert time.monotonic() < deadline, running.page("/status")
        time.sleep(0.1)
    assert api.wait(lambda: posted(api, at) and posted(api, at + MINUTE), PATIENCE_S)
    assert posted(api, at)[-1] == 1.0 and posted(api, at + MINUTE)[-1] == 2.0
    running.wait(lambda s: not s["problems"])


def test_a_start_on_a_full_disk_goes_on_where_it_was(api, gateway, small_disk):
    api.add_service("shop")
    options = {"state.directory": small_disk / "state", "state.journal.max_size": "16MiB"}
    options["minutes.grace"] = "3s"
    first = gateway(**options)
    at = boundary() + SECOND
    sender.send_http(first, [depth(at, 1.0)])
    fill(small_disk / "filler")
    first.kill()

    second = gateway(**options)
    assert second.status()["ledger"]["points"]["received"] == 1
    assert second.status()["problems"]
    os.unlink(small_disk / "filler")
    deadline = time.monotonic() + PATIENCE_S
    while sender.post(second, depth(at + MINUTE, 2.0).SerializeToString())[0] != 200:
        assert time.monotonic() < deadline, second.page("/status")
        time.sleep(0.1)
    for minute, value in ((at, 1.0), (at + MINUTE, 2.0)):
        assert api.wait(lambda: posted(api, minute), PATIENCE_S), second.page("/status")
        assert posted(api, minute) == [value]
    second.wait(lambda s: not s["problems"])
