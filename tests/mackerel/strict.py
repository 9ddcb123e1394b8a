"""What the Mackerel API documents about posted values, as checks without I/O.

Each check returns a list of violations, as sentences. The rules are stricter than the real API,
which accepts many mistakes with 200 and drops the value: a test must not.
"""
import json
import math
import re

# Values of hosts come in medium requests, as the API's developers ask; backlog may come in larger
# ones (what is fresh and what is not, only the sender knows). A service may post a few times a
# minute only, so there one request may carry everything.
MAX_HOST_VALUES = 2000
MAX_HOST_BODY_BYTES = 500 * 1000
MAX_BODY_BYTES = 1000 * 1000
MAX_AGE_S = 24 * 3600

_SEGMENT = r"[A-Za-z0-9_-]+"
_SYSTEM_NAMES = re.compile(
    "|".join(
        (
            r"loadavg(1|5|15)",
            r"cpu\.(user|nice|system|idle|iowait|irq|softirq|steal|guest)\.percentage",
            r"memory\.(total|used|free|buffers|cached|available|mem_available)",
            r"memory\.(swap_total|swap_used|swap_free|swap_cached|pagefile_total|pagefile_free)",
            r"processor_queue_length",
            rf"disk\.{_SEGMENT}\.(reads|writes)\.delta",
            rf"interface\.{_SEGMENT}\.(rx|tx)Bytes\.delta",
            rf"filesystem\.{_SEGMENT}\.(size|used)",
            rf"container\.(cpu|memory)\.{_SEGMENT}\.(usage|limit)",
        )
    )
)
_CUSTOM_NAME = re.compile(rf"custom(\.{_SEGMENT})+")
_SERVICE_METRIC = re.compile(rf"(?!__){_SEGMENT}(\.{_SEGMENT})*")
_GRAPH_NAME = re.compile(r"custom(\.([-a-zA-Z0-9_]+|[*#]))+")
_GRAPH_UNITS = {
    "float",
    "integer",
    "percentage",
    "seconds",
    "milliseconds",
    "bytes",
    "bytes/sec",
    "bits/sec",
    "iops",
}
# How many definitions a request may have is not documented: our own modesty.
MAX_GRAPHS = 20
_SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,62}")


def is_host_metric(name):
    return bool(_SYSTEM_NAMES.fullmatch(name) or _CUSTOM_NAME.fullmatch(name))


def is_service_metric(name):
    return bool(_SERVICE_METRIC.fullmatch(name))


def is_service_name(name):
    return bool(_SERVICE_NAME.fullmatch(name))


def _no_constant(text):
    raise ValueError(f"{text} is not JSON")


def _no_duplicate_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("an object has a key twice")
    return dict(pairs)


def parse_json(body):
    """RFC 8259 only: UTF-8, no NaN or Infinity, no key twice. Raises ValueError."""
    return json.loads(
        body.decode("utf-8"),
        parse_constant=_no_constant,
        object_pairs_hook=_no_duplicate_keys,
    )


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_time(time_s, now_s):
    """The real API answers 200 to these and may record nothing."""
    if not isinstance(time_s, int) or isinstance(time_s, bool):
        return [f"time {time_s!r} is not an integer"]
    found = []
    if time_s % 60 != 0:
        found.append(f"time {time_s} is not a whole minute")
    if time_s > now_s:
        found.append(f"time {time_s} is in the future by {time_s - now_s:.0f} s")
    if time_s < now_s - MAX_AGE_S:
        found.append(f"time {time_s} is more than 24 h old")
    return found


def check_value(item, kind, now_s):
    """One element of a post. Returns (fatal, harmless): fatal ones deserve a 400."""
    keys = {"name", "time", "value"} | ({"hostId"} if kind == "host" else set())
    if not isinstance(item, dict):
        return [f"{item!r} is not an object"], []
    if set(item) != keys:
        return [f"keys {sorted(item)} instead of {sorted(keys)}"], []
    fatal = []
    name, value = item["name"], item["value"]
    if kind == "host" and not isinstance(item["hostId"], str):
        fatal.append(f"hostId {item['hostId']!r} is not a string")
    fits = is_host_metric if kind == "host" else is_service_metric
    if not isinstance(name, str) or not fits(name):
        fatal.append(f"{name!r} is no {kind} metric name")
    if not _is_number(value) or not math.isfinite(value):
        fatal.append(f"value {value!r} of {name!r} is no finite number")
    return fatal, check_time(item["time"], now_s)


def check_post(items, kind, now_s):
    """A whole post. Returns (fatal, harmless) as check_value()."""
    if not isinstance(items, list):
        return ["the body is not a bare array"], []
    if not items:
        return ["the array is empty"], []
    fatal, harmless = [], []
    if kind == "host" and len(items) > MAX_HOST_VALUES:
        fatal.append(f"{len(items)} values in one request")
    seen = set()
    for item in items:
        bad, odd = check_value(item, kind, now_s)
        fatal += bad
        harmless += odd
        if bad:
            continue
        key = (item.get("hostId"), item["name"], item["time"])
        if key in seen:
            fatal.append(f"{key} is twice in one request")
        seen.add(key)
    return fatal, harmless


def _check_text(item, key, what):
    if key in item and (not isinstance(item[key], str) or not item[key]):
        return [f"{key} {item[key]!r} of {what} is no text"]
    return []


def check_line(line, graph):
    """One element of a definition's metrics; `graph` is the graph's name."""
    if not isinstance(line, dict) or not {"name", "isStacked"} <= set(line):
        return [f"a metric of {graph} needs name and isStacked: {line!r}"]
    found = [f"unknown key {key}" for key in set(line) - {"name", "displayName", "isStacked"}]
    name = line["name"]
    if not isinstance(name, str) or not _GRAPH_NAME.fullmatch(name):
        return [*found, f"{name!r} is no name of a metric"]
    head, _, segment = name.rpartition(".")
    if head != graph:
        found.append(f"{name} is no metric of {graph}")
    if segment in ("*", "#") and not {"*", "#"} & set(graph.split(".")):
        found.append(f"{name} has a wildcard and its graph has none")
    if name.split(".").count("#") > 1:
        found.append(f"{name} has # twice")
    if not isinstance(line["isStacked"], bool):
        found.append(f"isStacked of {name} is {line['isStacked']!r}")
    return found + _check_text(line, "displayName", name)


def check_graph(graph):
    """One definition of a graph."""
    if not isinstance(graph, dict):
        return [f"{graph!r} is not an object"]
    found = [
        f"unknown key {key}" for key in set(graph) - {"name", "displayName", "unit", "metrics"}
    ]
    name, lines = graph.get("name"), graph.get("metrics")
    # "custom" alone is no graph: its metrics would not be custom.<segment>.<segment>.
    if not isinstance(name, str) or not _GRAPH_NAME.fullmatch(name):
        return [*found, f"{name!r} is no name of a graph"]
    if name.split(".").count("#") > 1:
        found.append(f"{name} has # twice")
    if graph.get("unit", "float") not in _GRAPH_UNITS:
        found.append(f"{graph['unit']!r} is no unit")
    if not isinstance(lines, list) or not lines:
        return [*found, f"{name} has no metrics"]
    for line in lines:
        found += check_line(line, name)
    names = [line.get("name") for line in lines if isinstance(line, dict)]
    if len(set(names)) != len(names):
        found.append(f"{name} has a metric twice")
    return found + _check_text(graph, "displayName", name)


def check_graphs(graphs):
    """A whole post of definitions."""
    if not isinstance(graphs, list) or not graphs:
        return ["the body is not an array of definitions"]
    if len(graphs) > MAX_GRAPHS:
        return [f"{len(graphs)} definitions in one request"]
    found = [violation for graph in graphs for violation in check_graph(graph)]
    names = [graph.get("name") for graph in graphs if isinstance(graph, dict)]
    if len(set(names)) != len(names):
        found.append("a graph is defined twice in one request")
    return found


def graph_fits(graph, metric):
    """Does the definition of that name, which may have wildcards, cover the metric?"""
    pattern, names = graph.split("."), metric.split(".")[:-1]
    return len(pattern) == len(names) and all(
        part in ("*", "#", name) for part, name in zip(pattern, names)
    )
