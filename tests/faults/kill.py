#!/usr/bin/env python3
"""SIGKILL at random moments under load, restart at once, many times: nothing that was acknowledged
may be lost, doubled or changed.

    tests/faults/kill.py --kills 200 [--seed N] [--durability process|fsync|memory] [--json FILE]

Senders: made-up ones (world.py) and recordings (replays.py), whose truth is known value by value and
which repeat byte for byte what was not acknowledged; SDKs (sdks.py), whose totals are known. At the
end, when nothing is pending or queued any more, the stand-in of the Mackerel API must hold exactly
the truth. All the while /metrics must balance, and its counters must go on across restarts.
"""
import argparse
import dataclasses
import itertools
import json
import math
import pathlib
import random
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "mackerel"), str(HERE.parent / "e2e")]

import books  # noqa: E402
import figures  # noqa: E402
import replays  # noqa: E402
import sdks  # noqa: E402
import world  # noqa: E402
from lives import Lives  # noqa: E402
from standin import StandIn  # noqa: E402

# All that the oracle can read, but for three in which it matters what has arrived when a minute
# closes (go-grpc, rust-http, same-identity), and one that has no service (kubeletstats).
RECORDINGS = [
    "python-grpc", "node-grpc", "micrometer-delta", "prometheus", "host-default", "java-agent",
    "rust-grpc-delta", "two-instances-delta", "grpc-zstd", "host-full", "go-grpc-lowmemory",
    "two-instances-cumulative", "micrometer-cumulative", "node-http-protobuf", "grpc-snappy",
    "python-http-protobuf", "java-agent-gzip", "spanmetrics", "telemetrygen",
]
SENDERS = 4
PAUSE_S = 0.01  # between exports of a made-up sender: ten past minutes a second
BRAIDED, BRAID_PAUSE_S = 10, 0.15  # so each of these exports after 1.5 s: its minutes are corrected
SOURCE_MINUTES = 40
OLDEST_H, NEWEST_H = 22, 2  # where the past minutes lie
SETTLE_S = 200  # a service that was posted often waits a minute, what may have arrived is confirmed
LAST_MINUTE_S = 90  # of an SDK that has stopped


@dataclasses.dataclass
class Outcome:
    kills: int = 0
    early_kills: int = 0
    acknowledged_requests: int = 0
    acknowledged_points: int = 0
    resends: int = 0
    looks: int = 0
    due: int = 0  # values of the truth
    posted: int = 0
    posted_again: int = 0  # posts of values beyond the first
    corrected: int = 0  # values that were another one at first
    lost: list = dataclasses.field(default_factory=list)
    doubled: list = dataclasses.field(default_factory=list)  # more than the truth
    wrong: list = dataclasses.field(default_factory=list)
    invented: list = dataclasses.field(default_factory=list)
    sdk: dict = dataclasses.field(default_factory=dict)  # service -> [counted, posted]
    books: list = dataclasses.field(default_factory=list)  # what did not balance
    skipped: dict = dataclasses.field(default_factory=dict)
    dropped: dict = dataclasses.field(default_factory=dict)
    unsettled: bool = False
    miscounted_points: int = 0
    violations: list = dataclasses.field(default_factory=list)
    recovery_s: list = dataclasses.field(default_factory=list)
    seconds: float = 0

    @property
    def problems(self):
        """Named groups of what must not be, with their first few members."""
        found = {name: getattr(self, name)[:5] for name in
                 ("lost", "doubled", "wrong", "invented", "books", "violations")}
        found["sdk"] = [f"{name}: counted {c}, posted {p}" for name, (c, p) in self.sdk.items()
                        if not all(is_close(c[k], p[k]) for k in c)]
        found["unsettled"] = [self.skipped, self.dropped] if self.unsettled else []
        found["dropped"] = [self.dropped] if self.dropped else []
        found["miscounted"] = [self.miscounted_points] if self.miscounted_points else []
        return {name: members for name, members in found.items() if members}

    def figures(self):
        """What a report wants, with counts instead of lists."""
        row = {k: len(v) if isinstance(v, list) and k != "recovery_s" else v
               for k, v in dataclasses.asdict(self).items()}
        times = sorted(self.recovery_s) or [0.0]
        row["recovery_s"] = {"p50": round(times[len(times) // 2], 3), "max": round(times[-1], 3)}
        return row


def is_close(a, b):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def is_pace(violation):
    """A gateway that was killed does not know how often it has just posted to a service: 429."""
    return "posts a minute" in violation


def compare(outcome, truth, held):
    """What the API holds (the last value posted) against what it must hold."""
    outcome.due, outcome.posted = len(truth), len(held)
    for key, value in truth.items():
        if key not in held:
            outcome.lost.append(key)
        elif not is_close(value, held[key]):
            is_more = key[2].endswith(".rate") and held[key] > value
            (outcome.doubled if is_more else outcome.wrong).append((key, value, held[key]))
    outcome.invented = [key for key in held if key not in truth]


def made_up_sources(api, name, seed):
    """Without end: one program after the other, services and hosts by turns."""
    rng = random.Random(seed)
    oldest = world.past_minute(OLDEST_H)
    room = int((OLDEST_H - NEWEST_H) * 60) - SOURCE_MINUTES
    for i in itertools.count():
        source = f"{name}-{i}"
        owner = ("service", source) if i % 2 else ("host", api.add_host(source))
        first = oldest + rng.randrange(room)
        yield world.Source(source, owner, first, SOURCE_MINUTES, rng.random())


def recorded_sources(api, folders, seed):
    rng = random.Random(seed)
    for i in itertools.count():
        for folder in folders:
            newest_ns = time.time_ns() - int(rng.uniform(NEWEST_H, OLDEST_H) * 3600e9)
            yield replays.Recording(api, folder, f"-{folder}-{i}", newest_ns)


def braids(sources):
    while True:
        yield world.Braid(list(itertools.islice(sources, BRAIDED)))


def make_senders(api, lives, seed, folders):
    ways = itertools.cycle([world.Http, world.Grpc])
    addresses = {world.Http: lives.http, world.Grpc: lives.grpc}
    senders = []
    for i in range(SENDERS):
        way = next(ways)
        sources = made_up_sources(api, f"made-up-{i}", f"{seed} {i}")
        senders.append(world.Sender(way(addresses[way]), sources, PAUSE_S))
    slow = made_up_sources(api, "slow", f"{seed} slow")
    senders.append(world.Sender(world.Grpc(lives.grpc), braids(slow), BRAID_PAUSE_S))
    if folders:
        sources = recorded_sources(api, folders, f"{seed} recordings")
        senders.append(world.Sender(world.Http(lives.http), sources, PAUSE_S))
    return senders


class Trouble(threading.Thread):
    """An API that answers badly now and then."""

    WAYS = [
        {"status": 500},
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"status": 429},
        {"delay_s": 2},
        {"delay_s": 1, "status": 504, "after": True},
        {"broken": "reset"},
        {"broken": "reset", "after": True},
        {"broken": "half"},
        {"broken": "headless"},
        {"broken": "garbage"},
    ]

    def __init__(self, api, seed):
        super().__init__(daemon=True)
        self._api, self._rng = api, random.Random(f"{seed} trouble")
        self._ending = threading.Event()

    def run(self):
        while not self._ending.wait(self._rng.uniform(0, 3)):
            way = self._rng.choice(self.WAYS)
            self._api.fault("/api/v0/", self._rng.randint(1, 3), **way)

    def end(self):
        self._ending.set()
        self.join()
        self._api.clear_faults()


class Run:
    """One gateway, its senders and its watch."""

    def __init__(self, api, lives, seed, *, folders=RECORDINGS, sdk_kinds=()):
        self.api, self.lives, self.seed = api, lives, seed
        self._files = tempfile.TemporaryDirectory(prefix="gateway-sdks-")
        self._watch = books.Watch(lives.admin, durable=lives.durability != "memory")
        self._senders = make_senders(api, lives, seed, folders)
        self._sdks = [sdks.Sdk(*kind, lives, self._files.name) for kind in sdk_kinds]
        self._began = time.monotonic()

    def __enter__(self):
        for thread in (self._watch, *self._senders):
            thread.start()
        return self

    def __exit__(self, *_):
        for sender in self._senders:
            sender.stopping.set()
            sender.giving_up.set()
        for program in self._sdks:
            program.kill()
        self._watch.end()
        self._files.cleanup()

    def kill(self, times, has_trouble=False):
        trouble = Trouble(self.api, self.seed)
        if has_trouble:
            trouble.start()
        self.lives.kill_often(times, self.seed, after=self._watch.look)
        if has_trouble:
            trouble.end()

    def finish(self, linger_s=0.0, settle_s=SETTLE_S):
        """Lets everybody end, waits until everything is posted (and a while longer), and judges."""
        time.sleep(sdks.CALM_S if self._sdks else 0)
        for program in self._sdks:
            program.stop()
        for program in self._sdks:
            program.finish()
        for sender in self._senders:
            sender.finish(60)
        if self._sdks:
            self._wait_for_last_minute()
        last, _ = self._watch.wait_right(self._compare, settle_s)
        time.sleep(linger_s)
        return self._judge(self._watch.look() if linger_s else last)

    def _wait_for_last_minute(self):
        """What the SDKs counted last belongs to a minute that is not over."""
        minute = int(time.time()) // 60 * 60
        self.api.wait(
            lambda: all(minute in self.api.series("service", program.service, "orders.rate")
                        for program in self._sdks),
            LAST_MINUTE_S,
        )

    def _compare(self):
        outcome, truth = Outcome(), {}
        for sender in self._senders:
            truth |= sender.truth
        own = {program.service for program in self._sdks}
        held = {key: posted[-1] for key, posted in self.api.values.items() if key[1] not in own}
        compare(outcome, truth, held)
        outcome.posted_again = sum(len(posted) - 1 for posted in self.api.values.values())
        outcome.corrected = sum(len(set(posted)) > 1 for posted in self.api.values.values())
        outcome.sdk = {p.service: (p.counted, p.posted(self.api)) for p in self._sdks}
        return outcome

    def _judge(self, last):
        outcome = self._compare()
        for sender in self._senders:
            outcome.acknowledged_requests += sender.requests
            outcome.acknowledged_points += sender.points
            outcome.resends += sender.resends
        outcome.kills, outcome.early_kills = self.lives.kills, self.lives.early_kills
        outcome.recovery_s = self.lives.recoveries_s
        outcome.looks, outcome.books = self._watch.looks, self._watch.problems
        outcome.violations = [one for one in self.api.violations if not is_pace(one)]
        outcome.skipped = last.by_label("points_skipped_total")
        outcome.dropped = last.by_label("points_dropped_total")
        # Of SDKs: an export that was given up and arrived after the next one.
        if self._sdks:
            outcome.dropped.pop("out_of_order", None)
        outcome.unsettled = not last.is_settled
        outcome.seconds = round(time.monotonic() - self._began, 1)
        if not self._sdks and not any(isinstance(s, replays.Recording)
                                      for sender in self._senders for s in sender.sent):
            outcome.miscounted_points = self._miscounted(last)
        return outcome

    def _miscounted(self, last):
        """Made-up senders only: each of their points is merged once, but for baselines."""
        points = sum(sender.distinct_points - sender.baselines for sender in self._senders)
        return last["points_merged_total"] - points


def run(
    *,
    kills,
    seed,
    durability="process",
    folders=RECORDINGS,
    sdk_kinds=(),
    calm_s=0.0,
    linger_s=0.0,
    settle_s=SETTLE_S,
    has_trouble=False,
    **how,
):
    options = {"hosts.native_metrics": "on"}
    with StandIn() as api, Lives(api, options, durability=durability, **how) as lives:
        with Run(api, lives, seed, folders=folders, sdk_kinds=sdk_kinds) as one:
            one.kill(kills, has_trouble)
            time.sleep(calm_s)
            outcome = one.finish(linger_s, settle_s)
    figures.note(outcome)
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--durability", default="process", choices=["process", "fsync", "memory"])
    parser.add_argument("--program", help="the binary; default: the release build")
    parser.add_argument("--made-up-only", action="store_true", help="no recordings, no SDKs")
    parser.add_argument("--trouble", action="store_true", help="the API answers badly now and then")
    parser.add_argument("--calm", type=float, default=0.0, help="seconds of load after the kills")
    parser.add_argument("--linger", type=float, default=70.0, help="seconds before the verdict")
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go as well")
    arguments = parser.parse_args()
    print(f"kill: seed {arguments.seed}", flush=True)
    how = {"program": arguments.program} if arguments.program else {}
    outcome = run(
        kills=arguments.kills,
        seed=arguments.seed,
        durability=arguments.durability,
        calm_s=arguments.calm,
        linger_s=arguments.linger,
        has_trouble=arguments.trouble,
        folders=[] if arguments.made_up_only else RECORDINGS,
        sdk_kinds=sdks.KINDS if sdks.are_installed() and not arguments.made_up_only else (),
        **how,
    )
    figures = {"seed": arguments.seed, "durability": arguments.durability} | outcome.figures()
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    for name, members in outcome.problems.items():
        print(f"kill: {name}: {members}")
    print("kill: FAILED" if outcome.problems else "kill: nothing lost, nothing doubled")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
