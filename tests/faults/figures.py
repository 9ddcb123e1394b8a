#!/usr/bin/env python3
"""What the tests counted, one line each in build/logs/faults.jsonl; as a program, a table of it.

    python3 -m pytest tests/faults && tests/faults/figures.py
"""
import collections
import json
import pathlib
import threading

FILE = pathlib.Path(__file__).resolve().parents[2] / "build/logs/faults.jsonl"
SUMS = ("acknowledged_points", "due", "lost", "doubled", "wrong", "kills")

test = threading.local()  # .name: of the test that runs on this thread
_writing = threading.Lock()


def begin():
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("")


def note(outcome):
    """Of a test that says who it is."""
    if not hasattr(test, "name"):
        return
    row = {"test": test.name} | outcome.figures()
    with _writing, open(FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def by_function():
    """{file::function: sums over its parameters}."""
    found = collections.defaultdict(collections.Counter)
    for line in FILE.read_text().splitlines():
        row = json.loads(line)
        name = row["test"].split("[")[0]
        found[name].update({key: row[key] for key in SUMS})
        found[name]["runs"] += 1
        slowest = max(row["recovery_s"]["max"], found[name]["recovery_s"])
        found[name]["recovery_s"] = slowest
        for reason, count in row["dropped"].items():
            found[name][f"dropped {reason}"] += count
    return found


def main():
    print("| test | runs | points acknowledged | values due | lost | doubled | wrong | dropped |"
          " kills | slowest start |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |")
    for name, sums in sorted(by_function().items()):
        dropped = ", ".join(f"{key.split()[1]} {n:,}" for key, n in sums.items() if " " in key)
        cells = [name.removeprefix("tests/faults/"), sums["runs"]]
        cells += [f"{sums[key]:,}" for key in SUMS[:-1]]
        cells += [dropped or "none", sums["kills"], f"{sums['recovery_s']:.2f} s"]
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
