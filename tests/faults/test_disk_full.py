"""The state directory's disk is full, loses its files or has no room for names: senders are asked to
wait, what was acknowledged is kept and posted, and it goes on by itself when there is room again."""
import http.client
import random
import re
import time

import grpc
import pytest

import small_disk
import world
from running import Gateway
from scene import Scene

WHY_NOT = small_disk.why_not()
pytestmark = [
    pytest.mark.background,
    pytest.mark.skipif(bool(WHY_NOT), reason=f"no mount namespace: {WHY_NOT}"),
]

DISK_BYTES = "size=40m"
# The journal keeps a sixteenth of this free for outbox and checkpoint: a megabyte.
OPTIONS = {"state.journal.max_size": "16MiB"}
LEFT_BYTES = 300_000
NAMES = 'i=0; while touch "$1/../name$i" 2>/dev/null; do i=$((i+1)); done'
RETRY_INFO = b"google.rpc.RetryInfo"


def scene_on(disk, **options):
    return Scene(OPTIONS | options, directory=disk.directory, prefix=disk.prefix)


def a_request():
    source = world.Source("asker", ("service", "asker"), world.past_minute(5), 1, 0)
    return next(source.requests(_Never))[0]


class _Never:
    @staticmethod
    def is_set():
        return False


class Ballast:
    """A source of large requests without a point, each of them another one."""

    truth, points, baselines = {}, 0, 0

    def __init__(self, size, times):
        self.size, self.times, self.sent = size, times, 0

    def requests(self, _stop):
        noise = random.Random(self.size)
        for _ in range(self.times):
            request = world.Request()
            metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="ballast")
            metric.description = noise.randbytes(self.size // 2).hex()
            yield request.SerializeToString(), 0
            self.sent += 1


def ask_http(scene):
    """(status, Retry-After) of one request."""
    host, port = scene.lives.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        headers = {"Content-Type": "application/x-protobuf"}
        connection.request("POST", "/v1/metrics", a_request(), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Retry-After")
    finally:
        connection.close()


def ask_grpc(scene):
    """(code, whether RetryInfo came with it) of one request."""
    with grpc.insecure_channel(scene.lives.grpc) as channel:
        try:
            channel.unary_unary(world.METHOD)(a_request(), timeout=10)
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
            return error.code(), RETRY_INFO in details
    return grpc.StatusCode.OK, False


def check_refusals(scene):
    status, retry_after = ask_http(scene)
    assert status == 503 and re.fullmatch(r"[1-9]\d*", retry_after or "")
    assert ask_grpc(scene) == (grpc.StatusCode.UNAVAILABLE, True)


def fill(scene, disk):
    scene.wait_acknowledged(40)
    disk.fill(LEFT_BYTES)
    scene.wait_resends(5)
    check_refusals(scene)


def test_a_full_disk_makes_senders_wait_and_nothing_else():
    with small_disk.SmallDisk(DISK_BYTES) as disk, scene_on(disk) as scene:
        scene.load()
        fill(scene, disk)
        assert scene.lives.gateway.page("/livez")
        # What was acknowledged before leaves all the same, each source's whole minutes at least.
        assert scene.api.wait(lambda: len(scene.api.values) > 50, 60)
        disk.empty()
        scene.wait_acknowledged(40)
        scene.check()


def test_a_kill_while_the_disk_is_full_loses_nothing():
    with small_disk.SmallDisk(DISK_BYTES) as disk, scene_on(disk) as scene:
        scene.load()
        fill(scene, disk)
        scene.lives.restart()
        scene.wait_resends(5)
        scene.lives.restart()
        check_refusals(scene)
        disk.empty()
        scene.wait_acknowledged(40)
        scene.check()


def test_a_stop_while_the_disk_is_full_loses_nothing():
    with small_disk.SmallDisk(DISK_BYTES) as disk, scene_on(disk) as scene:
        scene.load()
        fill(scene, disk)
        assert scene.lives.stop() == 0, scene.lives.logs[-1]
        disk.empty()
        scene.lives.start()
        scene.wait_acknowledged(40)
        scene.check()


def test_a_disk_that_is_filled_and_emptied_again_and_again_loses_nothing():
    with small_disk.SmallDisk(DISK_BYTES) as disk, scene_on(disk) as scene:
        scene.load(minutes=120)
        for leave in (0, 4096, 500_000, 900_000, 1_100_000):
            disk.fill(leave)
            time.sleep(0.5)
            scene.lives.restart()
            time.sleep(0.5)
            disk.empty()
            scene.wait_acknowledged(5)
        scene.check()


def test_more_than_the_journal_holds_is_taken_in_time():
    """Forty megabytes through a journal of four: checkpoints make room, senders wait for them."""
    with small_disk.SmallDisk(DISK_BYTES) as disk:
        with scene_on(disk, **{"state.journal.max_size": "4MiB"}) as scene:
            scene.api.fault("/api/v0/", float("inf"), broken="reset")
            scene.load(minutes=10)
            ballast = Ballast(400_000, times=100)
            scene.send(ballast, pause_s=0)
            scene.wait_acknowledged(30)
            scene.lives.restart()
            scene.join()
            assert ballast.sent == 100
            scene.api.clear_faults()
            scene.check()


def test_a_disk_without_room_for_names_loses_nothing():
    with small_disk.SmallDisk("size=40m,nr_inodes=60") as disk, scene_on(disk) as scene:
        scene.load()
        scene.wait_acknowledged(20)
        disk.run("sh", "-c", NAMES, "sh", disk.directory)
        time.sleep(2)
        disk.run("sh", "-c", 'rm "$1"/../name*', "sh", disk.directory)
        scene.wait_acknowledged(20)
        scene.lives.restart()
        scene.check()


def test_a_directory_that_is_deleted_ends_nothing():
    with small_disk.SmallDisk(DISK_BYTES) as disk, scene_on(disk) as scene:
        scene.load()
        scene.wait_acknowledged(40)
        disk.run("sh", "-c", 'rm -r "$1"/*', "sh", disk.directory)
        time.sleep(2)
        scene.check()
        scene.lives.gateway.stop()


@pytest.mark.parametrize("demanded", [True, False])
def test_a_directory_that_is_read_only_is_said(demanded):
    """Where durability is demanded it is a mistake in the configuration, else a warning."""
    with small_disk.SmallDisk(DISK_BYTES) as disk:
        disk.remount("ro")
        options = {"state.directory": disk.directory}
        if demanded:
            options["state.durability"] = "process"
            with pytest.raises(AssertionError, match=disk.directory):
                Gateway(FakeApi, options, prefix=disk.prefix)
            return
        gateway = Gateway(FakeApi, options, prefix=disk.prefix)
        try:
            assert "state is in memory" in gateway.output()
        finally:
            gateway.close()


class FakeApi:
    """Nobody is asked anything."""

    url, key = "http://127.0.0.1:9", "nobody"
