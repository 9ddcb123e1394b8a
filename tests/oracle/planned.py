"""Cells that post what a plan says."""

import json
import math
from fractions import Fraction

import cells
import distributions
from recording import DISTRIBUTIONS
from rules import hold, percentile_name, quantile_of, whole
from streams import MINUTE


class PlannedTotals(cells.TotalCell):
    def __init__(self, destination, table, name, plan):
        super().__init__(destination, table, name)
        self.plan = plan

    def render(self, minute):
        values = {}
        for statistic in self.plan.statistics:
            values.update(self.values_of(statistic, minute))
        values.update(self.own_quantiles(minute))
        return {f"{self.name}.{name}": value for name, value in values.items()}

    def values_of(self, statistic, minute):
        if statistic == "rate":
            return self.rates(minute)
        if statistic == "count":
            rises = cells.rises_of(self.streams, minute)
            return {"count": sum((whole(r, minute) for r in rises), Fraction(0))}
        if statistic == "percentage":
            return {"percentage": 100 * self.plan.scale * cells.increase(self.streams, minute) / 60}
        return self.of_observations(statistic, minute)

    @property
    def is_distribution(self):
        return self.streams[0].metric.kind in DISTRIBUTIONS

    def rates(self, minute):
        scale = 1 if self.is_distribution else self.plan.scale
        rate = cells.increase(self.streams, minute) / 60 * scale
        if not self.plan.labels:
            return {"rate": rate}
        values = {"rate.total": rate}
        for label, conditions in self.plan.labels:
            of_label = [s for s in self.streams if hold(json.loads(conditions), s.attributes)]
            values[f"rate.{label}"] = cells.increase(of_label, minute) / 60 * scale
        return values

    def of_observations(self, statistic, minute):
        """Of distributions; averages and buckets only in minutes with observations."""
        count = cells.increase(self.streams, minute)
        parts = [(r, r.share_in(minute)) for r in cells.rises_of(self.streams, minute)]
        parts = [(rise, share) for rise, share in parts if share > 0]
        observed = [(rise, share) for rise, share in parts if rise.count > 0]
        if statistic in ("avg", "sum", "time"):
            if any(rise.sum is None for rise, _ in observed):
                return {}
            total = self.plan.scale * sum((rise.sum or 0) * share for rise, share in parts)
            if statistic == "avg":
                return {"avg": total / count} if count > 0 else {}
            return {"sum": total / 60} if statistic == "sum" else {"time.percentage": 100 * total / 60}
        if count <= 0:
            return {}
        if statistic in ("min", "max"):
            return self.extreme(statistic, observed)
        return self.of_buckets(statistic, observed)

    def extreme(self, statistic, observed):
        """Where all windows say it; what one says holds for every minute that it covers."""
        if any(rise.extremes is None for rise, _ in observed):
            return {}
        least, greatest = zip(*(rise.extremes for rise, _ in observed))
        return {statistic: self.plan.scale * (min(least) if statistic == "min" else max(greatest))}

    def of_buckets(self, statistic, observed):
        q, name = quantile_of(statistic), percentile_name(statistic)
        if all(rise.exponential for rise, _ in observed):
            if q is None:
                return {}
            merged = distributions.merged([(rise.exponential, share) for rise, share in observed])
            value = distributions.percentile(merged, q) * float(self.plan.scale)
            return {name: value} if math.isfinite(value) else {}
        layouts = {rise.bounds for rise, _ in observed}
        if len(layouts) != 1 or layouts & {None, ()}:
            return {}
        bounds = layouts.pop()
        buckets = [sum(r.buckets[i] * share for r, share in observed) for i in range(len(bounds) + 1)]
        if statistic == "saturation":
            return {"saturation": buckets[-1] / sum(buckets)}
        if q is None:
            return {}
        return {name: cells.percentile(bounds, buckets, q) * self.plan.scale}

    def own_quantiles(self, minute):
        if not self.is_distribution:
            return {}
        found = cells.own_quantiles(self.streams, minute)
        return {name: value * float(self.plan.scale) for name, value in found.items()}


MERGES = {"avg": lambda values: sum(values) / len(values), "sum": sum, "min": min, "max": max}


class PlannedValues(cells.GaugeCell):
    def __init__(self, destination, table, name, plan):
        super().__init__(destination, table, name)
        self.plan = plan

    def render(self, minute):
        end = minute + MINUTE
        held = [(stream, self.value_of(stream, minute)) for stream in self.streams]
        held = [(stream, value) for stream, value in held if value is not None]
        living = [(stream, value) for stream, value in held if stream.alive_at(end)]
        values = [self.plan.scale * value for _, value in (living or held)]
        if not values:
            return {}
        found = {merge: MERGES[merge](values) for merge in self.plan.merges}
        if len(found) == 1:
            return {self.name: value for value in found.values()}
        return {f"{self.name}.{merge}": value for merge, value in found.items()}

    def value_of(self, stream, minute):
        last = cells.gauge_of(stream, minute, self.streams)
        said = [v for t, v in zip(stream.times, stream.values) if minute <= t < minute + MINUTE]
        if last is None or not said or self.plan.over_time == "last":
            return last
        return MERGES[self.plan.over_time](said)
