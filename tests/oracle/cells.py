"""Cells: all streams of one destination and name, merged into the values of each minute."""

from fractions import Fraction

from streams import GRACE, MINUTE, is_total

QUANTILES = {"p90": Fraction(9, 10), "p95": Fraction(95, 100), "p99": Fraction(99, 100)}
REACHED = 1 - Fraction(1, 10**9)


# ---- totals


def share_in(rise, begin, end):
    """How much of a rise lies in (begin, end]; an instant on the end belongs to it."""
    if rise.begin == rise.end:
        return Fraction(1 if begin < rise.end <= end else 0)
    overlap = min(rise.end, end) - max(rise.begin, begin)
    return Fraction(max(overlap, 0), rise.end - rise.begin)


def fed_minutes(streams):
    """Minutes (ns of their start) of which some stream covers a part."""
    minutes = set()
    for stream in streams:
        for begin, end in stream.covered:
            if begin == end:
                begin -= 1  # an instant on a boundary belongs to the minute that ends there
            first, last = begin // MINUTE, (end - 1) // MINUTE
            minutes.update(number * MINUTE for number in range(first, last + 1))
    return sorted(minutes)


def posted_minutes(streams):
    """The fed minutes without those in which a running sender was first met."""
    posted = set()
    for minute in fed_minutes(streams):
        end = minute + MINUTE
        begins_unknown = any(
            minute < time < end for stream in streams for time in stream.unknown_beginnings
        )
        closes = GRACE + max(
            [end] + [each.first_received for each in streams if says_something(each, minute, end)]
        )
        watched = any(
            was_watched(stream, minute, end)
            for stream in streams
            if stream.first_received <= closes  # later ones have no say in this minute
        )
        if minute - MINUTE in posted or watched or not begins_unknown:
            posted.add(minute)
    return sorted(posted)


def says_something(stream, begin, end):
    return any(since < end and until > begin for since, until in stream.covered)


def was_watched(stream, begin, end):
    """Whether the covered spans, and the known zero before them, fill [begin, end]."""
    reached = begin
    for span_begin, span_end in sorted(stream.known_zero + stream.covered):
        if span_begin <= reached < span_end:
            reached = span_end
    return reached >= end


def increase(streams, begin, end):
    return sum(
        (rise.count * share_in(rise, begin, end) for stream in streams for rise in stream.rises),
        Fraction(0),
    )


def total_values(streams, minute):
    """{statistic: value} of a cell of totals."""
    end = minute + MINUTE
    count = increase(streams, minute, end)
    values = {"rate": count / 60}
    if streams[0].metric.kind != "histogram" or count <= 0:
        return values
    parts = [
        (rise, share_in(rise, minute, end))
        for stream in streams
        for rise in stream.rises
        if share_in(rise, minute, end) > 0
    ]
    parts = [(rise, share) for rise, share in parts if rise.count > 0]
    if all(rise.sum is not None for rise, _ in parts):
        values["avg"] = sum(rise.sum * share for rise, share in parts) / count
    layouts = {rise.bounds for rise, _ in parts}
    if len(layouts) == 1 and layouts != {None} and layouts != {()}:
        values.update(percentiles(layouts.pop(), parts))
    return values


def percentiles(bounds, parts):
    buckets = [
        sum(rise.buckets[i] * share for rise, share in parts) for i in range(len(bounds) + 1)
    ]
    return {name: percentile(bounds, buckets, q) for name, q in QUANTILES.items()}


def percentile(bounds, buckets, q):
    """Prometheus: linear inside the bucket that holds the rank; overflow gives the last bound."""
    rank = q * sum(buckets)
    before = Fraction(0)
    for index, count in enumerate(buckets):
        if count > 0 and before + count >= rank * REACHED:
            break
        before += count
    if index == len(bounds):
        return Fraction(bounds[-1])
    if index == 0 and bounds[0] <= 0:
        return Fraction(bounds[0])
    lower = Fraction(bounds[index - 1]) if index else Fraction(0)
    return lower + (Fraction(bounds[index]) - lower) * (rank - before) / buckets[index]


# ---- gauges and up-down counters


def gauge_minutes(streams):
    """Minutes with a point, and those to which a value can be carried."""
    minutes = set()
    for stream in streams:
        for time in stream.times:
            number = time // MINUTE
            # No stream is alive for longer than 6.25 min after its last point.
            minutes.update(each * MINUTE for each in range(number, number + 8))
    return sorted(minutes)


def gauge_of(stream, minute, streams):
    """The stream's value of the minute, or None."""
    end = minute + MINUTE
    index = stream.last_before(end)
    if index is None:
        return None
    if stream.times[index] >= minute:
        return stream.values[index]
    if stream.alive_at(end, end + GRACE) and not replaced(stream, index, end, streams):
        return stream.values[index]
    return None


def replaced(stream, index, end, streams):
    """Another start of the same identity, later than the last point, has a point before the end."""
    return any(
        other is not stream
        and (other.metric, other.attributes) == (stream.metric, stream.attributes)
        and other.start > stream.times[index]
        and other.last_before(end) is not None
        for other in streams
    )


def gauge_value(streams, minute):
    """The merged value of a cell, or None."""
    end = minute + MINUTE
    held = [(stream, gauge_of(stream, minute, streams)) for stream in streams]
    held = [(stream, value) for stream, value in held if value is not None]
    living = [(stream, value) for stream, value in held if stream.alive_at(end, end + GRACE)]
    values = [value for _, value in (living or held)]
    if not values:
        return None
    total = sum(values)
    return total if streams[0].metric.kind == "sum" else total / len(values)


def cell_values(name, streams):
    """{(name with statistic, minute): value} of one cell."""
    values = {}
    if is_total(streams[0].metric):
        for minute in posted_minutes(streams):
            for statistic, value in total_values(streams, minute).items():
                values[f"{name}.{statistic}", minute] = value
        return values
    for minute in gauge_minutes(streams):
        value = gauge_value(streams, minute)
        if value is not None:
            values[name, minute] = value
    return values
