"""What a sender of exponential histograms keeps: buckets at a scale that falls with what they must hold."""

import math

MOST = 160  # from the first to the last of a side


class Buckets:
    def __init__(self, scale, threshold):
        self.scale = scale
        self.threshold = threshold
        self.zero = 0
        self.positive, self.negative = {}, {}

    def observe(self, value):
        if abs(value) <= self.threshold:
            self.zero += 1
            return
        held = self.positive if value > 0 else self.negative
        index = index_of(abs(value), self.scale)
        held[index] = held.get(index, 0) + 1
        while max(held) - min(held) >= MOST:
            self.widen(1)
            held = self.positive if value > 0 else self.negative

    def widen(self, steps):
        self.scale -= steps
        self.positive = widened(self.positive, steps)
        self.negative = widened(self.negative, steps)

    def fields(self):
        """As OTLP names them."""
        return {
            "scale": self.scale,
            "zero_count": self.zero,
            "zero_threshold": self.threshold,
            "positive": side(self.positive),
            "negative": side(self.negative),
        }


def widened(held, steps):
    wider = {}
    for index, count in held.items():
        wider[index >> steps] = wider.get(index >> steps, 0) + count
    return wider


def side(held):
    if not held:
        return {}
    first, last = min(held), max(held)
    return {"offset": first, "bucket_counts": [held.get(i, 0) for i in range(first, last + 1)]}


def index_of(value, scale):
    """Bucket i holds (2^(i / 2^scale), 2^((i + 1) / 2^scale)]."""
    mantissa, exponent = math.frexp(value)
    if mantissa == 0.5:  # a power of two ends its bucket
        return ((exponent - 1) << scale) - 1 if scale >= 0 else (exponent - 2) >> -scale
    if scale <= 0:
        return (exponent - 1) >> -scale
    return math.floor(math.log2(value) * 2**scale)
