"""docs/rules.md: its table is the program's, and its examples are run.

An example is a block of rules and a block of lines, `sent KIND NAME{attributes} VALUE [unit UNIT]` and `posted
DESTINATION NAME VALUE`. Each series is sent every 30 s for ten minutes by shop's cart on web-1; what is
posted for a whole minute must be exactly these values. A counter rises by VALUE a second, a histogram counts
VALUE observations a second, each of 0.2, in the bucket from 0.1 to 0.25.
"""
import os
import re
import subprocess
from pathlib import Path

import pytest

import golden

ROOT = Path(__file__).parents[2]
REPLAY = Path(os.environ.get("REPLAY_BINARY", ROOT / "build/dev/tests/driver/replay"))
PAGE = (ROOT / "docs/rules.md").read_text()
EXAMPLES = re.findall(r"^### (.*?)\n.*?```yaml\nrules:\n(.*?)```\n.*?```text\n(.*?)```", PAGE,
                      re.DOTALL | re.MULTILINE)
RESOURCE = {"service.namespace": "shop", "service.name": "cart", "host.name": "web-1",
            "telemetry.sdk.language": "java"}
SENT = re.compile(r"sent (\w+) ([\w.]+)(?:\{(.*?)\})? ([\d.]+)(?: unit (\S+))?$")
MINUTE, POINTS = "12:05", 20


def attributes(text):
    return dict(pair.split("=", 1) for pair in text.split(", ")) if text else {}


def value_at(kind, value, i):
    if kind == "counter":
        return 30 * i * value
    if kind == "histogram":
        return [30 * i * value * 0.2, [0, int(30 * i * value), 0]]
    return value


def series_of(line):
    kind, name, keys, value, unit = SENT.match(line).groups()
    points = [[f"12:{i // 2:02}:{i % 2 * 30 + 5:02}", value_at(kind, float(value), i)]
              for i in range(POINTS)]
    return {"metric": name, "kind": kind, "attributes": attributes(keys), "points": points,
            "unit": unit or "", "bounds": [0.1, 0.25], "resource": RESOURCE}


def requests_of(lines):
    requests = {}
    for line in lines:
        if not line.startswith("sent "):
            continue
        series = series_of(line)
        for row in golden.series_rows(series):
            request = requests.setdefault(row["received"], golden.ExportMetricsServiceRequest())
            golden.add_to_request(request, series, row)
    return sorted(requests.items(), key=lambda item: item[0])


def replay(rules, lines, scratch):
    index = []
    for i, (received, request) in enumerate(requests_of(lines)):
        (scratch / f"{i}.pb").write_bytes(request.SerializeToString())
        index.append(f"{received} {scratch}/{i}.pb identity\n")
    run = subprocess.run([REPLAY, "--rules", rules, "--watch-start",
                          str(golden.nanos("11:00:00"))],
                         input="".join(index), capture_output=True, text=True, check=True)
    return golden.read_posted(run.stdout)


def test_there_are_ten_examples():
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("title, rules, block", EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_an_example_is_true(title, rules, block, tmp_path):
    lines = block.splitlines()
    posted, ledger = replay(rules, lines, tmp_path)
    got = {(to, name): values[-1][0] for (to, minute, name), values in posted.items()
           if minute == MINUTE}
    wanted = {}
    for line in lines:
        if line.startswith("posted "):
            *to, name, value = line.split()[1:]
            wanted[" ".join(to), name] = float(value)
    assert got == pytest.approx(wanted, rel=1e-9)
    assert ledger["balances"]


def test_the_table_is_the_programs():
    gateway = REPLAY.parents[2] / "mackerel-otel-gateway"
    run = subprocess.run([gateway, "config", "rule-keys"], capture_output=True, text=True, check=True)
    assert run.stdout in PAGE
