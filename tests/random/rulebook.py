"""Random rules for what senders.py sends.

Each rule gives its names a beginning of their own: two rules that lead to one name are a collision, which
the later one loses.
"""

STATISTICS = {
    "sum": ["rate", "count", "percentage"],
    "histogram": ["rate", "count", "avg", "sum", "time", "saturation", "min", "max", "p50", "p90", "p99.9"],
    "exponential_histogram": ["rate", "count", "avg", "sum", "min", "max", "p50", "p99.9"],
}
RULE_KINDS = {
    "sum": "counter",
    "updown": "updowncounter",
    "gauge": "gauge",
    "histogram": "histogram",
    "exponential_histogram": "exponential_histogram",
}
BREAKDOWN = {"first": {"route": "a"}, "ab": {"route": ["a", "b"]}, "some": {"route": True}}
CONVERSIONS = [("ms", "s"), ("By", "KiBy"), ("1", "%")]


def rules(choice):
    made = [rule(choice, number) for number in range(choice.choice([1, 2, 3]))]
    return made + [
        {"match": {"metric": ["system.*", "k8s.node.*", "hw.*"]}, "destination": "host",
         "otherwise": "service"},
        {"destination": "service"},
    ]


def rule(choice, number):
    kind = choice.choice(sorted(RULE_KINDS))
    made = {"match": match(choice, kind)}
    made.update(destination(choice))
    made.update(what(choice, kind))
    made.update(naming(choice, number))
    if "convert" in made:
        made["match"]["unit"], made["convert"] = made["convert"]
    return made


def match(choice, kind):
    found = {"kind": choice.choice([RULE_KINDS[kind], [RULE_KINDS[kind]]])}
    found.update(choice.choice([
        {}, {}, {"metric": "*"}, {"metric": ["*.requests.*", "x*"]}, {"metric": "/^(o|x)/"},
        {"metric": "????" + "*"}, {"scope": "meter"}, {"scope": ["m*", ""]},
        {"resource": {"service.name": "shop"}}, {"resource": {"host.name": True}},
        {"resource": {"host.name": False, "telemetry.sdk.language": "g?"}}, {"unit": ["ms", "1"]},
    ]))
    return found


def destination(choice):
    return choice.choice([
        {}, {}, {}, {"destination": "drop"}, {"destination": "host", "otherwise": "service"},
        {"destination": "host"}, {"service": "of-{service.name|host.name}"}, {"prefix": False},
        {"service": "{telemetry.sdk.language}-{service.instance.id}"},
    ])


def what(choice, kind):
    if kind in ("gauge", "updown"):
        return choice.choice([
            {}, {"merge": choice.choice(["avg", "sum", "min", "max", ["max", "min", "avg"]])},
            {"over_time": choice.choice(["last", "avg", "min", "max"])}, {"scale": 2.5},
            {"convert": choice.choice(CONVERSIONS)},
        ])
    statistics = choice.sample(STATISTICS[kind], choice.choice([1, 2, 3]))
    found = {"statistics": statistics}
    if "rate" in statistics:  # the breakdown is the rate's
        found.update(choice.choice([{}, {"breakdown": BREAKDOWN}]))
    if "count" not in statistics:
        found.update(choice.choice([{}, {}, {"scale": 0.5}, {"convert": choice.choice(CONVERSIONS)}]))
    return found


def naming(choice, number):
    name = f"r{number}." + choice.choice(["{metric}", "{metric}", "{metric}.{route}", "{service.name|no}.{metric}"])
    found = {"metric": name}
    if choice.random() < 0.2:
        found = {"rename": {"old": "*", "new": f"r{number}.*.new"}}
    if choice.random() < 0.1:
        found = {"metric": f"r{number}.{'long.' * choice.choice([18, 20, 22])}{{metric}}"}
    if "{route}" not in name:
        found.update(choice.choice([
            {}, {}, {"keep": ["route"]}, {"keep": [{"attribute": "route", "top": 1}]},
            {"where": {"route": choice.choice(["a", ["a", "b"], "/[bc]/", True, False])}},
        ]))
    return found
