"""Exponential histograms and summaries, exactly.

Buckets are dictionaries from index to count, of any size. Bucket i of scale s covers
(2^(i / 2^s), 2^((i + 1) / 2^s)], on the negative side mirrored. Where a gateway keeps fewer buckets
than came it lowers the scale, so that is done here too: at most 160 from the first to the last of a side.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

MOST_BUCKETS = 160
LOWEST_SCALE = -11
CARRIED = 375 * 10**9
REACHED = 1 - Fraction(1, 10**9)


@dataclass(frozen=True)
class Exponential:
    count: Fraction
    sum: object  # Fraction or None
    scale: int
    sent_scale: int
    threshold: float
    zero: Fraction
    positive: dict
    negative: dict

    @property
    def has_buckets(self):
        return bool(self.positive or self.negative)


@dataclass(frozen=True)
class Summary:
    count: Fraction
    sum: object
    quantiles: tuple  # (quantile, value) pairs as they came
    start: int


def side(buckets):
    held = {buckets.offset + i: Fraction(n) for i, n in enumerate(buckets.bucket_counts)}
    return {index: count for index, count in held.items() if count}


def read_exponential(point, total):
    scale = max(point.scale, LOWEST_SCALE)
    positive, negative = side(point.positive), side(point.negative)
    zero = Fraction(point.zero_count)
    count = Fraction(point.count)
    return narrow(Exponential(count, total, scale, scale, point.zero_threshold, zero,
                              positive, negative))


def read_summary(point, total):
    pairs = tuple((each.quantile, each.value) for each in point.quantile_values)
    return Summary(Fraction(point.count), total, pairs, point.start_time_unix_nano)


# ---- may it be taken


def is_sound(value):
    if value.sum == "not finite":
        return False
    if isinstance(value, Summary):
        return is_sound_summary(value)
    inside = sum(value.positive.values()) + sum(value.negative.values()) + value.zero
    return inside == value.count and value.threshold >= 0 and math.isfinite(value.threshold)


def is_sound_summary(value):
    steps = [quantile for quantile, _ in value.quantiles]
    rising = all(a < b for a, b in zip(steps, steps[1:]))
    return (rising and all(0 <= step <= 1 for step in steps)
            and not any(held < 0 for _, held in value.quantiles)
            and (value.count > 0 or value.sum == 0))


# ---- one scale, one threshold


def coarser(buckets, shift):
    held = {}
    for index, count in buckets.items():
        held[index // 2**shift] = held.get(index // 2**shift, 0) + count
    return held


def at_scale(value, scale):
    shift = value.scale - scale
    if not value.has_buckets:
        return replace(value, scale=scale)
    return replace(value, scale=scale, positive=coarser(value.positive, shift),
                   negative=coarser(value.negative, shift))


def narrow(value):
    while any(max(held) - min(held) >= MOST_BUCKETS
              for held in (value.positive, value.negative) if held):
        value = at_scale(value, value.scale - 1)
    return value


def edge(index, scale):
    power = math.ldexp(index, -scale)
    return 2.0**power if power < 1024 else math.inf


def with_threshold(values, threshold):
    """Buckets that begin below it are zero; it ends where the last of them ends."""
    for value in values:
        for held in (value.positive, value.negative):
            ends = [edge(index + 1, value.scale) for index in held
                    if edge(index, value.scale) < threshold]
            if max(ends, default=0) > threshold:
                return with_threshold(values, max(ends))
    return [folded(value, threshold) for value in values]


def folded(value, threshold):
    zero, sides = value.zero, []
    for held in (value.positive, value.negative):
        inside = [index for index in held if edge(index, value.scale) < threshold]
        zero += sum(held[index] for index in inside)
        sides.append({index: count for index, count in held.items() if index not in inside})
    return replace(value, threshold=threshold, zero=zero, positive=sides[0], negative=sides[1])


def alike(values):
    scales = [value.scale for value in values if value.has_buckets]
    lowest = min(scales) if scales else values[0].scale
    return with_threshold([at_scale(value, lowest) for value in values],
                          max(value.threshold for value in values))


# ---- rising


def less(new, old):
    indices = set(new) | set(old)
    rest = {index: new.get(index, 0) - old.get(index, 0) for index in indices}
    return {index: count for index, count in rest.items() if count}


def rise(new, old):
    """What the buckets rose by, or None where they fell."""
    if old.has_buckets and new.sent_scale > old.sent_scale:
        return None
    if old.zero and new.threshold < old.threshold:
        return None
    new, old = alike([new, old])
    risen = replace(new, zero=new.zero - old.zero, positive=less(new.positive, old.positive),
                    negative=less(new.negative, old.negative))
    counts = [risen.zero, *risen.positive.values(), *risen.negative.values()]
    return None if min(counts) < 0 else risen


# ---- a minute


def merged(parts):
    """(buckets, share) pairs as one."""
    held = alike([value for value, _ in parts])
    sides = []
    for name in ("positive", "negative"):
        total = {}
        for value, (_, share) in zip(held, parts):
            for index, count in getattr(value, name).items():
                total[index] = total.get(index, 0) + count * share
        sides.append(total)
    zero = sum(value.zero * share for value, (_, share) in zip(held, parts))
    return narrow(replace(held[0], zero=zero, positive=sides[0], negative=sides[1]))


def percentile(value, q):
    """Prometheus: from the lowest bucket to the one that holds the rank; exponential inside it."""
    total = sum(value.negative.values()) + value.zero + sum(value.positive.values())
    rank, before = q * total, Fraction(0)
    for count, place in buckets_in_order(value):
        if count > 0 and before + count >= rank * REACHED:
            return place(float(min((rank - before) / count, 1)))
        before += count
    raise AssertionError("no bucket holds the rank")


def buckets_in_order(value):
    """(count, where a share of it lies) from the lowest on."""
    for index in sorted(value.negative, reverse=True):
        yield value.negative[index], lambda f, i=index: -edge(i + 1 - f, value.scale)
    low = 0.0 if value.positive and not value.negative else -value.threshold
    high = 0.0 if value.negative and not value.positive else value.threshold
    yield value.zero, lambda f: low + (high - low) * f
    for index in sorted(value.positive):
        yield value.positive[index], lambda f, i=index: edge(i + f, value.scale)


# ---- summaries: quantiles are gauges


def quantile_name(quantile):
    if quantile in (0, 1):
        return "max" if quantile else "min"
    return "p" + f"{100 * quantile:.6g}".replace(".", "_")


def said(stream, minute, end):
    """(time, summary) that holds for the minute by this stream, or None.

    The last point in it; else the one before, once a later one has come soon enough.
    """
    index = stream.last_before(end)
    if index is None:
        return None
    time = stream.times[index]
    if time >= minute or (index + 1 < len(stream.times) and goes_on(stream, index)):
        return time, stream.values[index]
    return None


def goes_on(stream, index):
    time, later = stream.times[index : index + 2]
    return later - time <= CARRIED and not any(time < ended <= later for ended in stream.ended)


def quantiles(streams, minute, end):
    """{name: value} where one series alone says something, one start after the other."""
    held = [(stream, said(stream, minute, end)) for stream in streams]
    held = [(stream, told) for stream, told in held if told]
    series = {(replace(stream.metric, temporality=""), stream.attributes) for stream, _ in held}
    if len(series) != 1:
        return {}
    told = sorted((told for _, told in held), key=lambda told: told[1].start)
    for (time, _), (_, later) in zip(told, told[1:]):
        if later.start < time:
            return {}
    return {quantile_name(quantile): value for quantile, value in told[-1][1].quantiles
            if math.isfinite(value)}


# ---- summaries that count each interval anew


def is_window(point, streams):
    """It starts where a stream of its series with another start ended."""
    return bool(point.start) and any(
        stream.last_time == point.start and stream.start != point.start for stream in streams
    )


def as_window(point):
    return replace(point, metric=replace(point.metric, temporality="delta"))
