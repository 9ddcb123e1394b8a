"""Runs the pipeline's replay program over a recording and reads what it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import recording  # noqa: E402
from routing import Destination  # noqa: E402

CORPUS = ROOT.parent / "shared" / "corpus"
REPLAY = Path(os.environ.get("REPLAY_BINARY", ROOT / "build/dev/tests/driver/replay"))
SECOND = 10**9
MINUTE = 60 * SECOND


def folders():
    """Recordings whose bodies the oracle can decode: at least one request in protobuf."""
    found = sorted(meta.parent for meta in CORPUS.glob("*/meta.json"))
    return [folder for folder in found if protobuf_requests(folder)]


def protobuf_requests(folder):
    return [request for request in recording.requests(folder) if request.is_protobuf]


def truth(folder):
    """What the recorded programs did, or nothing where the sender was no program of ours."""
    path = folder / "truth.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def early_watch_start(folder):
    """Just before the recorded programs began: first points count."""
    starts = [row["t_unix_nano"] for row in truth(folder) if row["kind"] == "process_start"]
    return min(starts or [protobuf_requests(folder)[0].received]) - 60 * SECOND


def late_watch_start(folder):
    """In the middle: the gateway meets senders that are already running."""
    requests = protobuf_requests(folder)
    return (requests[0].received + requests[-1].received) // 2


def replay_text(requests, watch_start, *options):
    """What the program prints."""
    lines = "".join(f"{r.received} {r.path} {r.coding}\n" for r in requests)
    command = [REPLAY, "--watch-start", str(watch_start), *options]
    run = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


def postings(requests, watch_start, service=None, containers=None):
    """([((destination, metric, minute in ns), value, lane)] in order, summary)."""
    options = ["--service", service] if service else []
    options += ["--containers", containers] if containers else []
    text = replay_text(requests, watch_start, *options)
    *rows, summary = [json.loads(line) for line in text.splitlines()]
    found, posted = [], {}
    for row in rows:
        host = row["host_id"], row["custom_identifier"]
        destination = Destination(row["kind"], row["name"], *host)
        key = destination, row["metric"], row["minute"] * SECOND
        found.append((key, row["value"], row["lane"]))
        assert row["posted"] >= posted.get(key, 0) + MINUTE, "corrected more than once a minute"
        posted[key] = row["posted"]
    return found, summary


def replay(requests, watch_start, service=None, containers=None):
    """({(destination, metric, minute in ns): value that was posted last}, summary)."""
    found, summary = postings(requests, watch_start, service, containers)
    return {key: value for key, value, _ in found}, summary
