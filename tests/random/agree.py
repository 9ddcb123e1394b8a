"""Random cases through the pipeline and the oracle; what they do not agree on is cut to a small case.

    python3 agree.py --seeds 1..2000 [--jobs 2] [--class NAME] [--no-shrink]

prints for each seed that disagrees the smallest case that still does, and the differences; the same seed
gives the same case. The program under test is build/dev/tests/driver/cases, or $CASES_BINARY.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "oracle"), str(ROOT / "tests" / "random")]

import oracle  # noqa: E402
import scenarios  # noqa: E402
from routing import Destination  # noqa: E402

CASES = Path(os.environ.get("CASES_BINARY", ROOT / "build/dev/tests/driver/cases"))
SECOND = 10**9
PERCENTILES = 1e-6
OTHERS = 1e-9
SMALLEST = 1e-3  # below it differences are compared as they are: sums that cancel leave 1e-17
BATCH = 50
MOST_CUTS = 600  # runs of one shrinking

# How often a reason was given; those that depend on where a native metric's point is booked, or are
# taken back when a minute is posted after all, are left aside.
COUNTED = ["repeat", "too_old", "future", "no_time", "gap", "fell", "since_boot"]
# The one or the other: of histograms the gateway compares counts only.
NOT_AFTER = ["duplicate", "out_of_order"]


# ---- both sides


def in_driver_form(case):
    rules = json.dumps(case.rules).encode() if case.rules else b""
    yield f"case {case.watch_start} {case.reload_every} {case.service or '-'} {len(rules)}\n".encode()
    yield rules
    for received, body in case.requests():
        yield f"request {received} {len(body)}\n".encode() + body
    yield b"\nend\n"


def by_the_gateway(cases):
    """[(values, summary)] of the cases, all in one process."""
    sent = b"".join(part for case in cases for part in in_driver_form(case))
    run = subprocess.run([CASES], input=sent, capture_output=True, timeout=600)
    assert run.returncode == 0, f"{run.returncode} {run.stderr.decode()}"
    answers, values = [], {}
    for line in run.stdout.decode().splitlines():
        row = json.loads(line)
        if "ledger" in row:
            answers.append((values, row))
            values = {}
            continue
        to = Destination(row["kind"], row["name"], row["host_id"], row["custom_identifier"])
        values[to, row["metric"], row["minute"] * SECOND] = row["value"]
    return answers


def by_the_rules(case):
    gateway = oracle.Gateway(case.watch_start, case.service or None)
    if case.rules:
        gateway.follow(case.rules)
    for received, body in case.requests():
        gateway.receive(body, received)
    gateway.post_until(oracle.FOR_EVER)
    return gateway


# ---- what differs


def is_percentile(name):
    last = name.rsplit(".", 1)[-1]
    return last[:1] == "p" and last[1:2].isdigit() or name.rsplit(".", 2)[-2:-1] == ["p99"]


def is_close(name, want, got):
    tolerance = PERCENTILES if is_percentile(name) else OTHERS
    return abs(got - want) <= tolerance * max(abs(want), abs(got), SMALLEST)


def is_zero_of_silence(key, want, got):
    """A zero on one side only.

    The page says that a delta stream is covered with zero while its source reports, not from when it
    is again after a break of the reports; zeros change no total.
    """
    is_on_one_side = (key in want) != (key in got)
    is_increase = key[1].endswith((".rate", ".count", ".sum", ".percentage")) or ".rate." in key[1]
    return is_increase and is_on_one_side and want.get(key, got.get(key)) == 0


def differences(wanted, answer):
    """Readable lines, none if both say the same."""
    got, summary = answer
    want = wanted.values()
    lines = []
    for key in sorted(set(want) | set(got), key=str):
        to, name, minute = key
        if is_zero_of_silence(key, want, got):
            continue
        where = f"{to.kind} {to.name} {name} {minute // SECOND}"
        if key not in got:
            lines.append(f"{where}: not posted, oracle {float(want[key])}")
        elif key not in want:
            lines.append(f"{where}: posted {got[key]}, oracle has none")
        elif not is_close(name, float(want[key]), got[key]):
            lines.append(f"{where}: posted {got[key]}, oracle {float(want[key])}")
    ledger = summary["ledger"]
    if not ledger["balances"] or ledger["pending"]:
        lines.append(f"ledger: {ledger}")
    for reasons in [[reason] for reason in COUNTED] + [NOT_AFTER]:
        counted = sum(ledger["reasons"].get(reason, 0) for reason in reasons)
        expected = sum(wanted.reasons[reason] for reason in reasons)
        if counted != expected:
            lines.append(f"{reasons}: counted {counted} times, oracle {expected}")
    return lines


def disagreements(case):
    return differences(by_the_rules(case), by_the_gateway([case])[0])


# ---- a small case


def kinds_of(lines):
    """What a disagreement is about, without its figures: a smaller case has to be about the same."""
    return {line.split(":")[1].split()[0] if ": " in line else line for line in lines}


def shrunk(case):
    """The case with as few points as possible that still disagrees."""
    case = replace(case, reload_every=0) if disagreements(replace(case, reload_every=0)) else case
    about = kinds_of(disagreements(case))
    cuts = 0

    def still_bad(rows):
        return bool(about & kinds_of(disagreements(case.with_rows(rows))))

    rows, size = case.rows, max(len(case.rows) // 2, 1)
    while size and cuts < MOST_CUTS:
        start, before = 0, len(rows)
        while start < len(rows) and cuts < MOST_CUTS:
            fewer = rows[:start] + rows[start + size :]
            cuts += 1
            if still_bad(fewer):
                rows = fewer
            else:
                start += size
        if size > 1 or len(rows) == before:
            size //= 2
    return case.with_rows(rows)


# ---- many seeds


def check(seeds, only=None):
    """[(seed, lines)] of those that disagree."""
    cases = [scenarios.make(seed, only) for seed in seeds]
    answers = by_the_gateway(cases)
    found = []
    for seed, case, answer in zip(seeds, cases, answers):
        lines = differences(by_the_rules(case), answer)
        if lines:
            found.append((seed, lines))
    return found


def batches(seeds):
    return [seeds[i : i + BATCH] for i in range(0, len(seeds), BATCH)]


def check_all(seeds, jobs, only=None):
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(check, batches(seeds), [only] * len(batches(seeds))):
            yield from found


def report(seed, lines, only, shrink):
    print(f"== seed {seed} ({scenarios.class_of(seed, only)}): {len(lines)} differences")
    print("\n".join(lines[:10]))
    if shrink:
        small = shrunk(scenarios.make(seed, only))
        print("-- shrunk to")
        print(small.text())
        print("\n".join(disagreements(small)[:10]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="1..2000")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--class", dest="only", choices=sorted({**scenarios.CLASSES, **scenarios.OPEN}))
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--show", type=int, default=3, help="so many failures in full")
    options = parser.parse_args()
    first, last = (int(part) for part in options.seeds.split(".."))
    begun, bad = time.monotonic(), 0
    for seed, lines in check_all(list(range(first, last + 1)), options.jobs, options.only):
        bad += 1
        if bad <= options.show:
            report(seed, lines, options.only, not options.no_shrink)
        else:
            print(f"== seed {seed} ({scenarios.class_of(seed, options.only)}): {lines[0]}")
    took = time.monotonic() - begun
    print(f"oracle: {last + 1 - first} seeds, {bad} disagree, {took:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
