"""Too little memory: the process may end, whoever ends it; nothing that was acknowledged is lost."""
import itertools
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

import pytest

from scene import SETTLE_S, Scene

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
TOO_LATE_S = 120
def bench_tool():
    for preset in ("release", "dev"):
        path = ROOT / "build" / preset / "tests/bench/load"
        if os.access(path, os.X_OK):
            return path
    return None


pytestmark = [
    pytest.mark.background,
    pytest.mark.skipif(bench_tool() is None, reason="no load generator: `make build`"),
]


# ---- a cgroup, version 1 or 2


class Cgroup:
    """A group with a limit of memory; join() is for the child before it becomes the program."""

    _numbers = itertools.count()

    def __init__(self, limit_bytes):
        base, self._limit = cgroup_base()
        self.path = base / f"gateway-faults-{os.getpid()}-{next(self._numbers)}"
        self.path.mkdir()
        self.set_limit(limit_bytes)

    def set_limit(self, limit_bytes):
        (self.path / self._limit).write_text(str(limit_bytes))

    @property
    def prefix(self):
        return ["sh", "-c", f'echo $$ >{self.path}/cgroup.procs && exec "$@"', "sh"]

    def kills(self):
        """How often the kernel ended a process of the group."""
        for name in ("memory.oom_control", "memory.events"):
            if (self.path / name).exists():
                for line in (self.path / name).read_text().splitlines():
                    if line.startswith("oom_kill "):
                        return int(line.split()[1])
        return 0

    def remove(self):
        for _ in range(50):
            try:
                return self.path.rmdir()
            except OSError:
                time.sleep(0.1)


def cgroup_base():
    v1, v2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")
    if v1.is_dir():
        return v1, "memory.limit_in_bytes"
    return v2, "memory.max"


def why_no_cgroup():
    try:
        group = Cgroup(64 * MIB)
    except OSError as error:
        return str(error)
    group.remove()
    return ""


WHY_NO_CGROUP = why_no_cgroup()


# ---- load that needs more and more memory


def start_flood(scene):
    """New streams without end, an hour old, of a service that is not looked at."""
    return subprocess.Popen(
        [bench_tool(), "http", scene.lives.http, "--requests", "100000", "--senders", "250",
         "--age", "3600"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )


def check_end(scene):
    """As Scene.check(), without the flood's values."""
    scene.finish()
    scene.watch.wait_settled(SETTLE_S)
    for key in [key for key in scene.api.values if key[1] == "bench"]:
        del scene.api.values[key]
    scene.check()


def press(scene, limit):
    """Sends until the process ends; its successor has all the memory it wants."""
    scene.load(minutes=120)
    scene.wait_acknowledged(30)
    limit()
    flood = start_flood(scene)
    try:
        code = scene.lives.gateway.process.wait(TOO_LATE_S)
    finally:
        flood.kill()
        flood.wait()
    scene.lives.bury()
    return code


@pytest.mark.skipif(bool(WHY_NO_CGROUP), reason=f"no memory cgroup: {WHY_NO_CGROUP}")
def test_a_process_that_the_kernel_ends_loses_nothing():
    group = Cgroup(1024 * MIB)
    try:
        with Scene(prefix=group.prefix) as scene:
            code = press(scene, lambda: group.set_limit(48 * MIB))
            assert code == -signal.SIGKILL and group.kills() > 0
            group.set_limit(1024 * MIB)
            scene.lives.start()
            check_end(scene)
    finally:
        group.remove()


def test_a_process_that_gets_no_more_memory_ends_and_loses_nothing():
    def limit():
        pid = scene.lives.gateway.process.pid
        size = int(re.search(r"VmSize:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
        room = size * 1024 + 32 * MIB
        resource.prlimit(pid, resource.RLIMIT_AS, (room, room))

    with Scene() as scene:
        code = press(scene, limit)
        assert code == -signal.SIGABRT
        scene.lives.start()
        check_end(scene)
