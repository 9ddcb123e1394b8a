"""Reads /metrics and checks that the books balance, at every look and across restarts."""
import http.client
import threading
import time
import urllib.request

PREFIX = "mackerel_gateway_"
POINT_ENDS = ("points_merged_total", "points_skipped_total", "points_dropped_total",
              "points_pending")
VALUE_ENDS = ("values_delivered_total", "values_replaced_total", "values_expired_total",
              "values_rejected_total", "values_withheld_total", "values_queued")
RISING = ("points_received_total", "points_merged_total", "points_skipped_total",
          "points_dropped_total", "values_closed_total", "values_delivered_total",
          "values_expired_total", "values_rejected_total")
LOOK_S = 0.1


class Books:
    """One look at /metrics."""

    def __init__(self, text):
        self._series = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, number = line.rsplit(" ", 1)
                self._series[name.removeprefix(PREFIX)] = float(number)

    def __getitem__(self, name):
        """The sum over all labels."""
        return int(sum(v for k, v in self._series.items() if k.split("{")[0] == name))

    def by_label(self, name):
        """{label's value: number} of those that are not 0."""
        return {
            key.split('"')[1]: int(value)
            for key, value in self._series.items()
            if key.startswith(name + "{") and value
        }

    @property
    def is_recovered(self):
        """While the state is being read the page has no counts of points."""
        return "points_received_total" in self._series

    def problems(self):
        found = []
        for total, ends in (("points_received_total", POINT_ENDS),
                            ("values_closed_total", VALUE_ENDS)):
            parts = {name: self[name] for name in ends}
            if self[total] != sum(parts.values()):
                found.append(f"{total} {self[total]} is not the sum of {parts}")
        return found

    @property
    def is_settled(self):
        return self["points_pending"] == 0 and self["values_queued"] == 0


def read(admin, timeout_s=10):
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=timeout_s) as answer:
        return Books(answer.read().decode())


class Watch(threading.Thread):
    """Looks at a gateway again and again, whichever process has its address."""

    def __init__(self, admin, *, durable=True):
        super().__init__(daemon=True)
        self.looks = 0
        self.problems = []
        self.last = None
        self._admin = admin
        self._durable = durable  # counters go on after a restart
        self._lock = threading.Lock()
        self._ending = threading.Event()

    def run(self):
        while not self._ending.is_set():
            try:
                self.look()
            except (OSError, http.client.HTTPException):
                pass  # being restarted
            self._ending.wait(LOOK_S)

    def look(self):
        """One look, by whoever wants one; the lock keeps looks in order. None before recovery."""
        with self._lock:
            books = read(self._admin)
            if not books.is_recovered:
                return None
            self.looks += 1
            self.problems += books.problems()
            if self._durable and self.last:
                self.problems += [
                    f"{name} fell from {self.last[name]} to {books[name]}"
                    for name in RISING
                    if books[name] < self.last[name]
                ]
            self.last = books
            return books

    def wait_settled(self, timeout_s):
        """Waits until nothing is pending or queued, twice in a row; the last look."""
        deadline = time.monotonic() + timeout_s
        settled = 0
        while settled < 2 and time.monotonic() < deadline:
            books = self.look()
            settled = settled + 1 if books and books.is_settled else 0
            time.sleep(0.2)
        return self.last

    def wait_queued(self, count, timeout_s):
        deadline = time.monotonic() + timeout_s
        while (books := self.look()) is None or books["values_queued"] < count:
            assert time.monotonic() < deadline, "nothing closes"
            time.sleep(0.05)

    def wait_right(self, judge, timeout_s):
        """Settled, and judge() finds nothing wrong: (last look, outcome), of the last attempt.

        A minute that closed before all of it had come is corrected up to a minute later, and no
        counter says that it is going to be.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            last = self.wait_settled(max(deadline - time.monotonic(), 1))
            outcome = judge()
            if not outcome.problems or time.monotonic() > deadline:
                return last, outcome
            time.sleep(1)

    def end(self):
        self._ending.set()
        self.join()

