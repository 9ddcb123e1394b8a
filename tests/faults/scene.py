"""A gateway, a stand-in of the Mackerel API and a few made-up senders, for one fault at a time."""
import contextlib
import itertools
import time

import books
import figures
import kill
import world
from lives import Lives
from standin import StandIn

SETTLE_S = 200
FINISH_S = 60
PAUSE_S = 0.02


class Scene(contextlib.ExitStack):
    """with Scene() as scene: ... scene.check(). `options` are configuration keys."""

    def __init__(self, options=None, api=None, **how):
        super().__init__()
        self.api = self.enter_context(api or StandIn())
        self.lives = self.enter_context(Lives(self.api, options, **how))
        self.senders = []
        self._numbers = itertools.count()
        self.watch = books.Watch(self.lives.admin, durable=self.lives.durability != "memory")
        self.watch.start()
        self.callback(self._give_up)

    def _give_up(self):
        for sender in self.senders:
            sender.stopping.set()
            sender.giving_up.set()
        self.watch.end()

    # --- senders

    def source(self, kind="service", minutes=10, hours_ago=3.0):
        name = f"{kind}-{next(self._numbers)}"
        owner = (kind, self.api.add_host(name) if kind == "host" else name)
        return world.Source(name, owner, world.past_minute(hours_ago), minutes, name)

    def send(self, *sources, way=world.Http, pause_s=PAUSE_S):
        """Starts to send; goes on until finish()."""
        address = self.lives.grpc if way is world.Grpc else self.lives.http
        self.senders.append(world.Sender(way(address), sources, pause_s))
        self.senders[-1].start()
        return self.senders[-1]

    def send_all(self, *sources, **how):
        """Sends everything and comes back when it is acknowledged."""
        sender = self.send(*sources, **how)
        sender.join(FINISH_S)
        assert not sender.is_alive(), "not acknowledged in time"
        sender.finish(0)

    def load(self, minutes=40):
        """A host over HTTP and a service over gRPC."""
        self.send(self.source("host", minutes))
        self.send(self.source("service", minutes), way=world.Grpc)

    def join(self):
        """Until everything is sent and acknowledged."""
        for sender in self.senders:
            sender.join(FINISH_S)
        self.finish()

    def finish(self):
        for sender in self.senders:
            sender.finish(FINISH_S)

    @property
    def resends(self):
        return sum(sender.resends for sender in self.senders)

    def wait_resends(self, more, timeout_s=30):
        """Until senders were refused, or not answered, so many times more."""
        before, deadline = self.resends, time.monotonic() + timeout_s
        while self.resends < before + more:
            assert time.monotonic() < deadline, "nobody was refused"
            time.sleep(0.05)

    def wait_acknowledged(self, more, timeout_s=30):
        """Until so many more requests were taken, or there are no more."""

        def total():
            return sum(sender.requests for sender in self.senders)

        before, deadline = total(), time.monotonic() + timeout_s
        while total() < before + more and any(sender.is_alive() for sender in self.senders):
            assert time.monotonic() < deadline, "nobody was taken"
            time.sleep(0.05)

    def wait_dropped(self, reason, count, timeout_s=40):
        deadline = time.monotonic() + timeout_s
        while True:
            books = self.watch.look()
            if books and books.by_label("points_dropped_total").get(reason, 0) >= count:
                return
            assert time.monotonic() < deadline, f"nothing is {reason}"
            time.sleep(0.1)

    # --- the end

    @property
    def truth(self):
        return dict(itertools.chain(*(sender.truth.items() for sender in self.senders)))

    @property
    def held(self):
        return {key: posted[-1] for key, posted in self.api.values.items()}

    def judge(self):
        outcome = kill.Outcome()
        kill.compare(outcome, self.truth, self.held)
        outcome.books = self.watch.problems
        outcome.violations = [one for one in self.api.violations if not kill.is_pace(one)]
        outcome.acknowledged_points = sum(sender.points for sender in self.senders)
        outcome.recovery_s = self.lives.recoveries_s
        outcome.kills = self.lives.kills
        return outcome

    def check(self, timeout_s=SETTLE_S, may_drop=()):
        """Everything that was acknowledged is posted, nothing else is, the books balance."""
        self.finish()
        last, outcome = self.watch.wait_right(self.judge, timeout_s)
        dropped = last.by_label("points_dropped_total")
        outcome.dropped = {k: v for k, v in dropped.items() if k not in may_drop}
        outcome.unsettled = not last.is_settled
        figures.note(outcome)
        assert outcome.problems == {}, self.lives.gateway.output()
        return outcome
