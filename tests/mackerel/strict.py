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
