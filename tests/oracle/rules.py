"""The rule language: which rule takes a metric, where it goes, what it is called, what is posted of it.

Written from docs and the contract of the language. Rules are dictionaries as YAML or JSON gives them.
"""

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction

import routing
from recording import attribute_text

DEFAULT_TOP = 20
OTHER = "other"
STATISTICS = {
    "sum": ("rate",),
    "histogram": ("rate", "avg", "p90", "p95", "p99"),
    "exponential": ("rate", "avg", "p90", "p95", "p99"),
    "summary": ("rate", "avg"),
}
# Of UCUM what the tests use: unit -> (dimension, factor to its base).
UNITS = {
    "s": ("time", Fraction(1)),
    "ms": ("time", Fraction(1, 1000)),
    "min": ("time", Fraction(60)),
    "By": ("size", Fraction(1)),
    "KiBy": ("size", Fraction(1024)),
    "1": ("ratio", Fraction(1)),
    "": ("ratio", Fraction(1)),
    "%": ("ratio", Fraction(1, 100)),
}


@dataclass(frozen=True)
class Plan:
    """What is posted of a cell."""

    statistics: tuple = ()
    merges: tuple = ()
    over_time: str = "last"
    scale: Fraction = Fraction(1)
    labels: tuple = ()  # of the breakdown, each with its conditions as JSON

    def suffixes(self):
        """What may stand behind a name."""
        found = ["." + percentile_name(statistic) for statistic in self.statistics]
        if "time" in self.statistics:
            found.append(".time.percentage")
        if "rate" in self.statistics and self.labels:
            found += [".rate." + label for label in ["total", *dict(self.labels)]]
        return found + ["." + merge for merge in self.merges if len(self.merges) > 1]


@dataclass(frozen=True)
class Place:
    destination: object
    name: str
    plan: Plan
    is_native: bool


# ---- patterns and conditions


def listed(value):
    return value if isinstance(value, list) else [value]


def fits(pattern, text):
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return re.search(pattern[1:-1], text) is not None
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def any_fits(patterns, text):
    return any(fits(pattern, text) for pattern in listed(patterns))


def hold(conditions, attributes):
    """All of {key: pattern, list of patterns, true (present) or false (absent)}."""
    for key, wanted in conditions.items():
        text = attribute_text(attributes, key)
        if isinstance(wanted, bool):
            if wanted != (text is not None):
                return False
        elif text is None or not any_fits(wanted, text):
            return False
    return True


def kind_of(metric):
    if metric.kind == "sum":
        is_counter = metric.monotonic or metric.temporality == "delta"
        return "counter" if is_counter else "updowncounter"
    return {"exponential": "exponential_histogram"}.get(metric.kind, metric.kind)


def takes(rule, metric):
    match = rule.get("match", {})
    scope_name, _, scope_attributes = metric.scope
    told = {"metric": metric.name, "unit": metric.unit, "scope": scope_name}
    return (
        all(any_fits(match[key], text) for key, text in told.items() if key in match)
        and ("kind" not in match or kind_of(metric) in listed(match["kind"]))
        and hold(match.get("scope_attributes", {}), scope_attributes)
        and hold(match.get("resource", {}), metric.resource)
    )


# ---- templates


def filled(template, look_up, missing=None):
    """The text with {a|b} replaced by the first that is there; None where one is not."""
    text = ""
    for literal, keys in re.findall(r"([^{]*)(?:\{([^}]*)\})?", template):
        text += literal
        if keys:
            found = [look_up(key) for key in keys.split("|")]
            found = [each for each in found if each is not None]
            if not found and missing is None:
                return None
            text += found[0] if found else missing
    return text


# ---- the rules in force


class Rules:
    def __init__(self, rules, default_service):
        self.rules = rules
        self.default_service = default_service
        self.values = {}  # (destination, metric, attribute) -> values that have a place

    def place(self, stream):
        """Where the stream goes, or None."""
        metric = stream.metric
        rule = next((rule for rule in self.rules if takes(rule, metric)), None)
        if rule is None or rule.get("destination") == "drop":
            return None
        destination, before = self.destination(rule, metric)
        if destination is None or not hold(rule.get("where", {}), stream.attributes):
            return None
        plan, behind = plan_of(rule, metric)
        name = before + name_of(rule, stream) + behind
        for kept in listed(rule.get("keep", [])):
            name += "." + routing.segment(self.kept(kept, destination, stream))
        name = routing.bounded(name, plan.suffixes())
        is_native = bool(rule.get("native")) and destination.kind == "host"
        return Place(destination, name, plan, is_native)

    def destination(self, rule, metric):
        """(destination, what stands before the metric's name) or (None, None)."""
        if rule.get("destination") == "host":
            host = routing.host_identity(metric)
            if host:
                return host, "custom."
            if rule.get("otherwise") != "service":
                return None, None
        service = None
        if "service" in rule:
            service = filled(rule["service"], metric.resource_attribute)
        service = service or routing.service_of(metric, self.default_service)
        if not service:
            return None, None
        name = routing.named(metric)
        has_prefix = rule.get("prefix", True) and name and name != service
        before = routing.segment(name) + "." if has_prefix else ""
        return routing.Destination("service", routing.service_name(service)), before

    def kept(self, kept, destination, stream):
        """The value of a kept attribute: the first ones that came, `other` behind them."""
        key = kept if isinstance(kept, str) else kept["attribute"]
        top = DEFAULT_TOP if isinstance(kept, str) else kept.get("top", DEFAULT_TOP)
        value = attribute_text(stream.attributes, key)
        if value is None:
            return "_"
        known = self.values.setdefault((destination, stream.metric.name, key), [])
        if value not in known:
            if len(known) >= top or value == OTHER:
                return OTHER
            known.append(value)
        return value


def name_of(rule, stream):
    metric = stream.metric
    plain = routing.metric_name(metric.name)
    if "metric" in rule:

        def look_up(key):
            if key == "metric":
                return plain
            for attributes in (stream.attributes, metric.scope[2], metric.resource):
                text = attribute_text(attributes, key)
                if text is not None:
                    return routing.segment(text)
            return None

        return routing.not_reserved(filled(rule["metric"], look_up, missing="_"))
    rename = rule.get("rename")
    if rename and fits(rename["old"], metric.name):
        before, behind = rename["old"].split("*")
        middle = metric.name[len(before) : len(metric.name) - len(behind)]
        return routing.metric_name(rename["new"].replace("*", middle))
    return plain


# ---- plans


def plan_of(rule, metric):
    """(plan, what stands behind the metric's name)."""
    scale, behind = conversion(rule, metric)
    if kind_of(metric) in ("gauge", "updowncounter"):
        merges = "avg" if kind_of(metric) == "gauge" else "sum"
        merges = tuple(listed(rule.get("merge", merges)))
        return Plan((), merges, rule.get("over_time", "last"), scale), behind
    statistics = tuple(rule.get("statistics", STATISTICS[metric.kind]))
    breakdown = rule.get("breakdown", {})
    labels = tuple((label, json.dumps(conditions)) for label, conditions in breakdown.items())
    return Plan(statistics, (), "last", scale, labels), behind


def conversion(rule, metric):
    if "scale" in rule:
        return Fraction(rule["scale"]), ""
    wanted = rule.get("convert")
    if wanted in UNITS and metric.unit in UNITS:
        (dimension, new), (other, old) = UNITS[wanted], UNITS[metric.unit]
        if dimension == other:
            is_share = wanted == "%" and metric.unit != "%"
            return old / new, ".percentage" if is_share else ""
    return Fraction(1), ""


def quantile_of(statistic):
    """0.999 of p99.9; None where it is no percentile."""
    found = re.fullmatch(r"p(\d+(?:\.\d+)?)", statistic)
    return Fraction(found.group(1)) / 100 if found else None


def percentile_name(statistic):
    return statistic.replace(".", "_")


def whole(rise, minute):
    """What of a whole increase lies in the minute, so that the parts are whole and add up."""
    if rise.count.denominator != 1 or minute not in rise.minutes:
        return rise.count * rise.share_in(minute)
    before = sum(rise.share_in(each) for each in rise.minutes if each < minute)
    until = before + rise.share_in(minute)
    return Fraction(math.floor(rise.count * until) - math.floor(rise.count * before))
