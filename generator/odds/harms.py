"""Compares two plans of one model on the same harms: those that the guards of either plan stop a release for.

Odds of only the harms that the newer plan watches for would improve when a guard is removed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from generator.dataclass import dataclass
from generator.odds.key_metrics import KeyMetrics, key_metrics
from generator.odds.odds import odds_of, phases, stopped
from generator.plan.guards import Comparison, Guard, Limit
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.spec.quantities import share_down

_PAST_LIMIT = 0.1  # odds of a limit are for a version this far past the stricter of both limits


@dataclass(frozen=True, slots=True)
class Caught:
    """What the guards of one plan do to one harm.

    Args:
        share: probability that the version is stopped before the end; None without odds.
        first_step: the same by the end of the first weight step.
        exposed: mean number of requests that it answers, also where it is missed; None without odds.
    """

    share: float | None
    first_step: float | None
    exposed: float | None


@dataclass(frozen=True, slots=True)
class Harm:
    """A harm whose guards differ between two plans.

    Args:
        guard: name of the guard, in the older plan if it has one.
        change: the change for the worse in words: `a 10% drop of ctr`; at the stricter of two thresholds.
        lost: the newer plan has no guard against it.
        old: what the older plan does to it.
        new: what the newer plan does to it.
    """

    guard: str
    change: str
    lost: bool
    old: Caught
    new: Caught

    @property
    def text(self) -> str:
        """What happens to the odds, on one line; rounded down."""
        whole, first = (
            f"{_share(was)} → {_share(now)}"
            for was, now in ((self.old.share, self.new.share), (self.old.first_step, self.new.first_step))
        )
        if self.old.first_step is None and self.new.first_step is None:
            return f"{self.change}: caught {whole}"
        return f"{self.change}: caught in the first step {first}, by the end {whole}"


def _share(value: float | None) -> str:
    return "no odds" if value is None else share_down(value)


def harms(old: Plan, new: Plan) -> tuple[Harm, ...]:
    """Return the harms whose guards differ between two plans, those that are no longer guarded against first."""
    found = [_harm(old, new, *pair) for pair in _pairs(old.measured_guards, new.measured_guards)]
    return tuple(sorted(filter(None, found), key=lambda harm: not harm.lost))


def compared_metrics(old: Planned, new: Planned) -> tuple[KeyMetrics, KeyMetrics, tuple[Harm, ...]]:
    """Return the key metrics of two plans for the same harms, and the harms whose guards differ."""
    found = harms(old.plan, new.plan)
    was, now = key_metrics(old), key_metrics(new)
    if not found:
        return was, now, found
    unchanged = [
        pair for pair in _pairs(old.plan.measured_guards, new.plan.measured_guards) if not _differs(*pair)
    ]
    sides = (
        (old.plan, was, [pair[0] for pair in unchanged], [harm.old for harm in found]),
        (new.plan, now, [pair[1] for pair in unchanged], [harm.new for harm in found]),
    )
    before, after = (_for_all(plan, own, same, caught) for plan, own, same, caught in sides)
    return before, after, found


def assumes_otherwise(old: Plan, new: Plan) -> bool:
    """Return whether the odds of two plans rest on different traffic, baselines, delays or design effects."""
    if (old.min_rps, old.design_effect) != (new.min_rps, new.design_effect):
        return True
    pairs = _pairs(old.measured_guards, new.measured_guards)
    return any(
        {(guard.baseline, guard.delay_s) for guard in was}
        != {(guard.baseline, guard.delay_s) for guard in now}
        for was, now in pairs
        if was and now
    )


def _for_all(
    plan: Plan, own: KeyMetrics, same: Sequence[Sequence[Guard]], differing: Sequence[Caught]
) -> KeyMetrics:
    """Return key metrics over the harms that both plans guard against in the same way, and over those that differ."""
    names = {guard.name for guards in same for guard in guards}
    odds, later = odds_of(plan), set[str]()
    caught = list(differing)
    if odds is not None:
        later = set(odds.later)
        planned = odds.planned_requests[-1] if odds.planned_requests else 0.0
        caught += [
            Caught(
                priced.power,
                None if guard.name in later else priced.power_by_step[0],
                _exposed(priced.power, priced.exposed_mean, planned),
            )
            for guard, priced in odds.guards
            if guard.name in names
        ]
    return replace(
        own,
        power=min(_known(each.share for each in caught), default=None),
        power_first_step=min(_known(each.first_step for each in caught), default=None),
        exposed=max(_known(each.exposed for each in caught), default=own.exposed),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _pairs(
    old: Sequence[Guard], new: Sequence[Guard]
) -> Iterator[tuple[tuple[Guard, ...], tuple[Guard, ...]]]:
    """Yield the guards of two plans against the same harm; latency bounds distinguish guards of one plan."""
    keys = dict.fromkeys(_key(guard) for guard in (*old, *new))
    for key in keys:
        was, now = ([guard for guard in side if _key(guard) == key] for side in (old, new))
        bounds = dict.fromkeys(guard.bound_s for guard in (*was, *now))
        if len({g.bound_s for g in was}) <= 1 and len({g.bound_s for g in now}) <= 1:
            yield tuple(was), tuple(now)
            continue
        for bound in bounds:
            yield tuple(g for g in was if g.bound_s == bound), tuple(g for g in now if g.bound_s == bound)


def _key(guard: Guard) -> tuple[str, str, bool]:
    return guard.kind, guard.subject, guard.more_is_worse


def _differs(old: Sequence[Guard], new: Sequence[Guard]) -> bool:
    """Return whether one side lacks a guard, or has other thresholds or bounds, or odds where the other has none."""
    was, now = (
        {(guard.threshold, guard.bound_s, guard.baseline is None) for guard in side} for side in (old, new)
    )
    return was != now


def _harm(old: Plan, new: Plan, was: Sequence[Guard], now: Sequence[Guard]) -> Harm | None:
    if not _differs(was, now):
        return None
    guards = (*was, *now)
    baseline = next((guard.baseline for guard in guards if guard.baseline), None)
    ratio = _stricter(guards, baseline)
    sides = [
        _caught(plan, own, ratio, own_baseline)
        for plan, own in ((old, was), (new, now))
        for own_baseline in [next((guard.baseline for guard in own if guard.baseline), baseline)]
    ]
    return Harm(guards[0].name, _change(guards[0], ratio), not now, *sides)


def _stricter(guards: Sequence[Guard], baseline: float | None) -> float | None:
    """Return the smallest change that a guard declares to detect, as a ratio; past the stricter limit without one."""
    ratios = [guard.ratio for guard in guards if isinstance(guard, Comparison)]
    if ratios:
        return min(ratios, key=lambda ratio: abs(ratio - 1))
    limits = [guard for guard in guards if isinstance(guard, Limit) and guard.counts]
    if not limits or not baseline:
        return None
    if limits[0].more_is_worse:
        ratio = min((1 + _PAST_LIMIT) * min(guard.limit for guard in limits) / baseline, 1 / baseline)
        return ratio if ratio > 1 else None
    ratio = (1 - _PAST_LIMIT) * max(guard.limit for guard in limits) / baseline
    return ratio if 0 < ratio < 1 else None


def _change(guard: Guard, ratio: float | None) -> str:
    if ratio is None:
        return guard.watches
    size = f"{abs(ratio - 1):.3g}"
    return f"a {float(size) * 100:.6g}% {'drop' if ratio < 1 else 'rise'} of {guard.watches}"


def _caught(plan: Plan, guards: Sequence[Guard], ratio: float | None, baseline: float | None) -> Caught:
    """Return what a plan does to a change; without a guard it catches nothing, whatever the traffic is."""
    steps = phases(plan.rollout)
    planned = math.fsum(step.weight * step.duration_s for step in steps) * (plan.min_rps or 0.0)
    if not guards:
        return Caught(0.0, 0.0, planned or None)
    found = [
        stopped(plan, replace(guard, baseline=baseline), steps, ratio)
        for guard in guards
        if ratio and baseline and isinstance(guard, (Comparison, Limit)) and guard.counts
    ]
    known = [one for one in found if one is not None]
    if not known:
        return Caught(None, None, None)
    best = max(known, key=lambda one: one.probability)
    return Caught(best.probability, best.by_step[0], _exposed(best.probability, best.exposed, planned))


def _exposed(power: float, if_stopped: float | None, planned: float) -> float:
    """Return the mean number of exposed requests over versions that are stopped and those that are missed."""
    return power * (if_stopped or 0.0) + (1 - power) * planned
