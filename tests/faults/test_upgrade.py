"""State directories in which something is damaged, foreign or of another version: the start never
fails, what is set aside is named in the log and in /status, and nothing untrue is posted."""
import functools
import gzip
import pathlib
import shutil
import tempfile
import threading

import pytest

import books
import damage
import figures
import kill
import world
from lives import Lives
from scene import Scene
from standin import StandIn

pytestmark = pytest.mark.background

# Small files, so that copies are quick: segments of 512 KiB.
OPTIONS = {"state.journal.max_size": "4MiB"}
HOSTS = {"host-a": "5tAnDa", "host-b": "5tAnDb"}
MINUTES = 20
SETTLE_S = 30
_making = threading.Lock()


class Template:
    """A directory with a checkpoint, rows that wait, and two segments behind the checkpoint."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="gateway-template-"), "state")
        self.truth = {}
        self.points = 0
        with Scene(OPTIONS, directory=self.path) as scene:
            for name, host_id in HOSTS.items():
                scene.api.add_host(name, host_id=host_id)
            scene.api.fault("/api/v0/", float("inf"), broken="reset")
            self._send(scene, "host-a")
            assert scene.lives.stop() == 0
            scene.lives.start()
            self._send(scene, "host-b")
            scene.lives.kill()

    def _send(self, scene, name):
        source = world.Source(name, ("host", HOSTS[name]), world.past_minute(5), MINUTES, name)
        scene.send_all(source, pause_s=0)
        self.truth |= source.truth
        self.points += source.points
        scene.watch.wait_queued(len(self.truth), 30)
        for number in range(3):
            send_ballast(scene, number)
        scene.watch.look()


def send_ballast(scene, number):
    """Bytes without a point; the journal keeps them like any."""
    request = world.Request()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="ballast")
    metric.description = f"{number}" + "x" * 300_000
    way = world.Http(scene.lives.http)
    way.send(gzip.compress(request.SerializeToString(), 0))
    way.close()


@functools.lru_cache
def make_template():
    return Template()


def template():
    with _making:
        return make_template()


# ---- one damaged directory


class Case:
    """Starts a gateway on a damaged copy and looks at what it says and posts."""

    def __init__(self, file, kind):
        self.problems = []
        with tempfile.TemporaryDirectory(prefix="gateway-damaged-") as folder, StandIn() as api:
            for name, host_id in HOSTS.items():
                api.add_host(name, host_id=host_id)
            self.directory = pathlib.Path(folder, "state")
            damage.copy(template().path, self.directory)
            kind(self._path(file))
            self._before = {path.name for path in self.directory.iterdir()}
            try:
                with Lives(api, OPTIONS, directory=self.directory) as lives:
                    self._look(api, lives)
                    code = lives.stop()
                    self._expect(code == 0, f"exit {code}")
            except AssertionError as error:
                self.problems.append(f"the start failed: {error}")

    def _path(self, file):
        found = sorted(self.directory.glob(file))
        return found[0] if found else self.directory / file

    def _look(self, api, lives):
        watch = books.Watch(lives.admin)
        last = watch.wait_settled(SETTLE_S)
        self.status, self.log = lives.gateway.status(), lives.gateway.output()
        self._expect(last.is_settled, "something stays queued or pending")
        self._expect(not watch.problems, watch.problems)
        self.outcome = kill.Outcome()
        held = {key: posted[-1] for key, posted in api.values.items()}
        kill.compare(self.outcome, template().truth, held)
        self.outcome.acknowledged_points = template().points
        figures.note(self.outcome)
        self._expect(not self.outcome.doubled, self.outcome.doubled[:3])
        self._expect(not self.outcome.invented, self.outcome.invented[:3])
        self._expect(api.violations == [], api.violations)
        self._check_set_aside()

    def _check_set_aside(self):
        found = {path.name for path in self.directory.iterdir()} - self._before
        bad = [name for name in found if ".bad" in name]
        for name in bad:
            self._expect(name.split(".bad")[0].rsplit(".", 1)[0] in self.log, f"{name} not in log")
        bad = [name for name in bad if not name.startswith("lock")]  # nothing was in it
        self._expect(not bad or self.said > 0, f"/status says nothing of {bad}")

    @property
    def said(self):
        """Everything that /status has to say about damage."""
        state, outbox = self.status["state"], self.status["outbox"]
        recovery, journal = state["recovery"], state["journal"]
        return (recovery["bad_checkpoints"] + journal["bad_files"] + journal["lost_records"]
                + outbox["bad_files"] + outbox["bad_rows"])

    def _expect(self, holds, what):
        if not holds:
            self.problems.append(str(what))

    def expect_nothing_lost(self):
        self._expect(not self.outcome.lost, f"lost {self.outcome.lost[:3]}")
        self._expect(not self.outcome.wrong, f"wrong {self.outcome.wrong[:3]}")

    def expect_losses_are_said(self):
        lost = self.outcome.lost or self.outcome.wrong
        self._expect(not lost or self.said > 0, f"a silent loss: {lost[:3]}")


def run_cases(file, kinds, check):
    found = {}
    for kind in kinds:
        case = Case(file, kind)
        if hasattr(case, "outcome"):
            check(case)
        if case.problems:
            found[kind.__name__] = case.problems
    return found


SPECIAL = {
    "journal-*.log": [damage.segment_of_another_version, damage.record_flipped],
    "checkpoint": [damage.checkpoint_of_another_version],
    "outbox.db": [damage.schema_of_another_version, damage.database_of_somebody_else,
                  damage.tables_dropped, damage.rows_of_noise],
    "outbox.db-wal": [],
}


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("file", SPECIAL)
def test_a_damaged_file_stops_no_start_and_no_loss_is_silent(file, half):
    kinds = [*damage.KINDS, *SPECIAL[file]][half::2]
    # Nobody can know of what is not there at all.
    kinds = [kind for kind in kinds if kind is not damage.missing]
    assert run_cases(file, kinds, Case.expect_losses_are_said) == {}


@pytest.mark.parametrize("file", SPECIAL)
def test_a_missing_file_stops_no_start(file):
    assert run_cases(file, [damage.missing], lambda case: None) == {}


@pytest.mark.parametrize("file", ["lock", "reserve", "admin.sock"])
def test_files_that_hold_no_data_may_be_anything(file):
    assert run_cases(file, damage.KINDS, Case.expect_nothing_lost) == {}


# ---- files that should not be there


def add(name, content=b"whatever"):
    def put(path):
        path.parent.joinpath(name).write_bytes(content)

    put.__name__ = f"add {name[:40]}"
    return put


def add_directory(path):
    path.parent.joinpath("a directory").mkdir()


def copy_first_segment(path):
    first = sorted(path.parent.glob("journal-*.log"))[0]
    shutil.copy(first, path.parent / "journal-0000000000000fff.log")


FOREIGN = [
    add("journal-ffffffffffffffff.log", b""),
    add("journal-0000000000000001.log"),
    add("journal-zzzz.log"),
    add("journal.new", bytes(5000)),
    add("journal-0000000000000005.spare"),
    add("checkpoint.new"),
    add("checkpoint.tmp"),
    add("checkpoint.bad"),
    add("outbox.db-journal", bytes(512)),
    add("outbox.db-shm"),
    add("outbox.db.bad"),
    add("core"),
    add("x" * 250),
    add("name with \n and \xff"),
    add_directory,
    copy_first_segment,
]


def test_foreign_files_change_nothing():
    assert run_cases("lock", FOREIGN, Case.expect_nothing_lost) == {}
